/** Environment of a manifest: every form that authors use -> one entry a variable. */
import { childPath } from '../../core/json.ts'
import { type Problem, show } from '../check.ts'
import type { Layers } from './layers.ts'
import { isTrue } from './schema.ts'
import { MAX_WORD_BYTES } from './text.ts'
import type { EnvEntry, SecretOrigin } from './types.ts'

/** With `*` for any text. */
const NAME = /^[A-Za-z_*][A-Za-z0-9_*]*$/
const FORMATS = ['hex', 'base64', 'base64url'] as const
const MAX_SECRET_BYTES = 1024

const scalar = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null

type Fields = Readonly<Record<string, unknown>>

interface Form {
  value: unknown
  path: string
  /** The key, in the map form. */
  key: string | null
}

interface Place {
  readonly path: string
  readonly problems: Problem[]
}

/** `derive: "derived-master"` with its `derive*` fields, or `generatedSecret` / `sharedGeneratedSecret`. */
function originOf(object: Fields, name: string, at: Place): SecretOrigin | null {
  const shared = object['sharedGeneratedSecret']
  const generated = shared ?? object['generatedSecret']
  if (generated !== undefined && generated !== false) {
    const key = typeof generated === 'string' && !isTrue(generated) ? generated : name
    if (!/^[\w.-]{1,128}$/.test(key))
      at.problems.push({ path: at.path, message: `expected a name for the secret, found ${show(generated)}` })
    return { kind: 'generated', name: key, shared: shared !== undefined }
  }
  const derive = object['derive']
  return derive === undefined || derive === false ? null : derivedOf(object, name, at)
}

function derivedOf(object: Fields, name: string, { path, problems }: Place): SecretOrigin {
  const derive = object['derive']
  if (derive !== 'derived-master' && derive !== true)
    problems.push({ path: `${path}.derive`, message: `expected "derived-master", found ${show(derive)}` })
  const bytes = Number(object['deriveBytes'] ?? 32)
  if (!Number.isInteger(bytes) || bytes < 16 || bytes > MAX_SECRET_BYTES)
    problems.push({
      path: `${path}.deriveBytes`,
      message: `expected 16 to ${MAX_SECRET_BYTES}, found ${show(object['deriveBytes'])}`,
    })
  const format = (scalar(object['deriveFormat']) ?? 'hex') as (typeof FORMATS)[number]
  if (!FORMATS.includes(format))
    problems.push({ path: `${path}.deriveFormat`, message: `expected ${FORMATS.join(', ')}, found ${show(format)}` })
  return {
    kind: 'derived',
    name: scalar(object['deriveName']) ?? name,
    repo: scalar(object['deriveRepoName'] ?? object['deriveRepo']),
    agent: scalar(object['deriveAgentName'] ?? object['deriveAgent']),
    bytes,
    format,
  }
}

function fromObject(form: Form, problems: Problem[]): EnvEntry | null {
  const object = form.value as Fields
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
    required: isTrue(object['required']),
    origin: originOf(object, name, { path: form.path, problems }),
    path: form.path,
  }
}

function toEntry(form: Form, problems: Problem[]): EnvEntry | null {
  const { value, path, key } = form
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return fromObject(form, problems)
  const plain = scalar(value)
  const common = { required: false, origin: null, path }
  if (key !== null && plain !== null) return { name: key, source: key, default: plain, ...common }
  if (plain === null) {
    const found = value === null ? 'null' : 'a list'
    problems.push({ path, message: `expected "NAME", "NAME=default" or an object, found ${found}` })
    return null
  }
  const equals = plain.indexOf('=')
  const name = equals < 0 ? plain : plain.slice(0, equals)
  return { name, source: name, default: equals < 0 ? null : plain.slice(equals + 1), ...common }
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

type Given = readonly unknown[] | Readonly<Record<string, unknown>>

function formsOf(env: Given, path: string): Form[] {
  return Array.isArray(env)
    ? env.map((value: unknown, index) => ({ value, path: childPath(path, index), key: null }))
    : Object.entries(env).map(([key, value]) => ({ value, path: childPath(path, key), key }))
}

/** Appends what is wrong to `problems`. Wildcards (`LLM_*`) are kept as entries whose source is the pattern. */
export function normalizeEnv(env: Given | undefined, path: string, problems: Problem[]): EnvEntry[] {
  if (env === undefined) return []
  return formsOf(env, path).flatMap((form) => {
    const entry = toEntry(form, problems)
    const problem = entry === null ? null : entryProblem(entry)
    if (problem !== null) problems.push({ path: form.path, message: problem })
    return entry === null || problem !== null ? [] : [entry]
  })
}

/** Name, fixed value and reference of one entry of `expose`; null where it gives none. */
function exposedOf({ value, key }: Form): { name: string; fixed: string | null; ref: string | null } | null {
  if (typeof value === 'object' && value !== null) {
    const { name, value: fixed, ref } = value as Fields
    return exposedFrom(key ?? scalar(name), scalar(fixed), scalar(ref))
  }
  const plain = scalar(value)
  // A name alone is the variable of that name.
  return key === null ? exposedFrom(plain, null, plain) : exposedFrom(key, plain, null)
}

function exposedFrom(name: string | null, fixed: string | null, ref: string | null) {
  const isReference = fixed !== null && /^\$\w+$/.test(fixed)
  const from = ref ?? (isReference ? fixed : null)
  if (name === null || (fixed === null && from === null)) return null
  return { name, fixed: from === null ? fixed : null, ref: from?.replace(/^\$/, '') ?? null }
}

/** `expose`: `[{ name, value | ref }]` or `{ NAME: "$REF" | value }`; a fixed value, or another variable's. */
export function normalizeExpose(expose: Given, path: string, problems: Problem[]): EnvEntry[] {
  return formsOf(expose, path).flatMap((form) => {
    const found = exposedOf(form)
    if (found === null) {
      problems.push({ path: form.path, message: 'expected a name with a value or a reference such as "$NAME"' })
      return []
    }
    const { name, fixed, ref } = found
    const common = { required: ref !== null, origin: null, path: form.path }
    const entry: EnvEntry = { name, source: ref ?? name, default: fixed, ...common }
    const problem = entryProblem(entry)
    if (problem !== null) problems.push({ path: form.path, message: problem })
    return problem === null ? [entry] : []
  })
}

/** All variables of all layers; a later one of the same name wins. */
export function environmentOf(layers: Layers, problems: Problem[]): EnvEntry[] {
  const entries = [
    ...layers.every('env').flatMap(({ value, path }) => normalizeEnv(value, path, problems)),
    ...layers.every('expose').flatMap(({ value, path }) => normalizeExpose(value, path, problems)),
  ]
  return [...new Map(entries.map((entry) => [entry.name, entry])).values()]
}

/** Names that must have a value before anything starts. */
export function secretsOf(layers: Layers, problems: Problem[]): { name: string; path: string }[] {
  return layers.every('secrets').flatMap(({ value, path: prefix }) =>
    value.flatMap((name, index) => {
      const path = childPath(prefix, index)
      if (/^[A-Za-z_]\w*$/.test(name)) return [{ name, path }]
      problems.push({ path, message: `not a variable name: ${show(name)}` })
      return []
    }),
  )
}
