/** Environment of a manifest: every form that authors use -> one entry a variable. */
import type { Problem } from './check.ts'

export interface EnvEntry {
  /** Name in the container. */
  readonly name: string
  /** Name looked up in secrets and the environment. */
  readonly source: string
  readonly default: string | null
  readonly required: boolean
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
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
    problems.push({ path: `${form.path}.default`, message: `expected text, found ${JSON.stringify(fallback)}` })
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
    problems.push({ path, message: `expected "NAME", "NAME=default" or an object, found ${JSON.stringify(value)}` })
    return null
  }
  const equals = plain.indexOf('=')
  const name = equals < 0 ? plain : plain.slice(0, equals)
  return { name, source: name, default: equals < 0 ? null : plain.slice(equals + 1), required: false }
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
    : Object.entries(env).map(([key, value]) => ({ value, path: `${path}.${key}`, key }))
  return forms.flatMap((form) => {
    const entry = toEntry(form, problems)
    if (entry === null) return []
    if (!NAME.test(entry.name) && !/^[A-Za-z_*][A-Za-z0-9_*]*$/.test(entry.name)) {
      problems.push({ path: form.path, message: `not a variable name: ${JSON.stringify(entry.name)}` })
      return []
    }
    return [entry]
  })
}
