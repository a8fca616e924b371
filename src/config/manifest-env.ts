/** Environment of a manifest: every form that authors use -> one entry a variable. */
import { childPath } from '../core/json.ts'
import { type Problem, show } from './check.ts'
import { MAX_WORD_BYTES } from './manifest-text.ts'

export interface EnvEntry {
  /** Name in the container. */
  readonly name: string
  /** Name looked up in secrets and the environment. */
  readonly source: string
  readonly default: string | null
  readonly required: boolean
}

/** With `*` for any text. */
const NAME = /^[A-Za-z_*][A-Za-z0-9_*]*$/
const truthy = (value: unknown): boolean => value === true || ['true', '1', 'yes'].includes(String(value).toLowerCase())
const scalar = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null

interface Form {
  value: unknown
  path: string
  /** The key, in the map form. */
  key: string | null
}

function fromObject(form: Form, problems: Problem[]): EnvEntry | null {
  const object = form.value as Record<string, unknown>
  const name = form.key ?? scalar(object['name'])
  if (name === null) {
    problems.push({ path: `${form.path}.name`, message: 'expected the name of a variable' })
    return null
  }
  // In the map form `name` is the alias of the source; in the list form it is the variable itself.
  const alias = form.key === null ? null : scalar(object['name'])
  const fallback = object['default'] ?? object['value']
  if (fallback !== undefined && scalar(fallback) === null) {
    problems.push({ path: `${form.path}.default`, message: 'expected text, a number or true or false' })
  }
  return {
    name,
    source: scalar(object['varName']) ?? alias ?? name,
    default: fallback === undefined ? null : scalar(fallback),
    required: truthy(object['required']),
  }
}

function toEntry(form: Form, problems: Problem[]): EnvEntry | null {
  const { value, path, key } = form
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return fromObject(form, problems)
  const plain = scalar(value)
  if (key !== null && plain !== null) return { name: key, source: key, default: plain, required: false }
  if (plain === null) {
    const found = value === null ? 'null' : 'a list'
    problems.push({ path, message: `expected "NAME", "NAME=default" or an object, found ${found}` })
    return null
  }
  const equals = plain.indexOf('=')
  const name = equals < 0 ? plain : plain.slice(0, equals)
  return { name, source: name, default: equals < 0 ? null : plain.slice(equals + 1), required: false }
}

function entryProblem({ name, source, default: value }: EnvEntry): string | null {
  // An object cannot hold a key of this name.
  if (!NAME.test(name) || name === '__proto__') return `not a variable name: ${show(name)}`
  if (name.includes('*') && name !== source) return 'a pattern cannot be the name of one variable'
  if (!NAME.test(source)) return `not a variable name: ${show(source)}`
  if (value === null) return null
  if (value.includes('\0')) return 'a value cannot hold a NUL character'
  // The system's limit is for "NAME=value".
  const bytes = name.length + 1 + new TextEncoder().encode(value).byteLength
  return bytes > MAX_WORD_BYTES ? `longer than ${MAX_WORD_BYTES} bytes, which no program can be given` : null
}

/** Appends what is wrong to `problems`. Wildcards (`LLM_*`) are kept as entries whose source is the pattern. */
export function normalizeEnv(
  env: readonly unknown[] | Record<string, unknown> | undefined,
  path: string,
  problems: Problem[],
): EnvEntry[] {
  if (env === undefined) return []
  const forms: Form[] = Array.isArray(env)
    ? env.map((value: unknown, index) => ({ value, path: `${path}[${index}]`, key: null }))
    : Object.entries(env).map(([key, value]) => ({ value, path: childPath(path, key), key }))
  return forms.flatMap((form) => {
    const entry = toEntry(form, problems)
    const problem = entry === null ? null : entryProblem(entry)
    if (problem !== null) problems.push({ path: form.path, message: problem })
    return entry === null || problem !== null ? [] : [entry]
  })
}
