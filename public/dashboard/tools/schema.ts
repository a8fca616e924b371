/**
 * From the JSON Schema of a tool to a form, and from the form to arguments. DOM-free. A schema comes from an agent: whatever it
 * holds, the form has a bounded number of fields, and what it cannot show is edited as JSON.
 */
import { asRecord, listOf, textOr } from '../../shared/api.ts'
import { plainText } from '../../shared/format.ts'

export type Kind = 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'object' | 'list' | 'json'

export interface FieldSpec {
  /** Key in its object; of an element of a list, empty. */
  readonly name: string
  readonly label: string
  readonly about: string
  readonly kind: Kind
  readonly required: boolean
  /** Of a choice: the values, as JSON says them. */
  readonly choices: readonly unknown[]
  readonly fields: readonly FieldSpec[]
  /** What a list holds. */
  readonly element: FieldSpec | null
  readonly isLong: boolean
  readonly isSecret: boolean
  /** Text for the field at the start; undefined: empty. */
  readonly initial: unknown
  readonly min: number | null
  readonly max: number | null
}

const MAX_DEPTH = 6
const MAX_FIELDS = 60
const MAX_CHOICES = 500
const clean = (value: unknown, length: number): string => plainText(textOr(value, '')).slice(0, length)
const numberOrNull = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null

interface At {
  readonly root: Record<string, unknown>
  readonly depth: number
  readonly required: boolean
}

/** The fields of a tool's `inputSchema`; what is no schema of an object has none. */
export function fieldsOf(schema: unknown): FieldSpec[] {
  const root = asRecord(schema)
  return propertiesOf(root, { root, depth: 0, required: false })
}

function propertiesOf(schema: Record<string, unknown>, at: At): FieldSpec[] {
  const required = new Set(listOf(schema['required']).filter((name) => typeof name === 'string'))
  return Object.entries(asRecord(schema['properties']))
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => fieldOf(name, value, { ...at, depth: at.depth + 1, required: required.has(name) }))
}

/** Only references within the same schema, one step: circles and foreign addresses are edited as JSON. */
function resolved(value: unknown, root: Record<string, unknown>): Record<string, unknown> {
  const schema = asRecord(value)
  const reference = schema['$ref']
  if (typeof reference !== 'string') return schema
  const match = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference)
  const target = match === null ? {} : asRecord(asRecord(root[match[1] ?? ''])[match[2] ?? ''])
  return { ...target, ...schema }
}

/** `anyOf: [X, null]` and `type: [X, null]` are X that may be left out. */
function simplified(schema: Record<string, unknown>, root: Record<string, unknown>): Record<string, unknown> {
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const options = listOf(schema[key]).map((option) => resolved(option, root))
    const real = options.filter((option) => option['type'] !== 'null')
    if (real.length === 1) return { ...real[0], ...schema, [key]: undefined }
  }
  const types = Array.isArray(schema['type']) ? schema['type'].filter((type) => type !== 'null') : null
  return types !== null && types.length === 1 ? { ...schema, type: types[0] as unknown } : schema
}

function fieldOf(name: string, value: unknown, at: At): FieldSpec {
  const schema = simplified(resolved(value, at.root), at.root)
  const kind = at.depth > MAX_DEPTH ? 'json' : kindOf(schema)
  const about = clean(schema['description'], 500)
  return {
    ...{ name, about, kind, required: at.required },
    label: clean(schema['title'], 80) || plainText(name).slice(0, 80),
    choices: kind === 'choice' ? choicesOf(schema) : [],
    fields: kind === 'object' ? propertiesOf(schema, at) : [],
    element: kind === 'list' ? fieldOf('', schema['items'], { ...at, depth: at.depth + 1, required: true }) : null,
    isLong:
      schema['contentMediaType'] !== undefined ||
      /\b(?:text|body|content|query|code|markdown|html|prompt)$/i.test(name),
    isSecret: schema['format'] === 'password' || schema['writeOnly'] === true,
    initial: schema['default'] ?? schema['const'],
    min: numberOrNull(schema['minimum']),
    max: numberOrNull(schema['maximum']),
  }
}

function choicesOf(schema: Record<string, unknown>): unknown[] {
  const values = Array.isArray(schema['enum']) ? schema['enum'] : [schema['const']]
  return values.slice(0, MAX_CHOICES)
}

function kindOf(schema: Record<string, unknown>): Kind {
  if (Array.isArray(schema['enum']) || schema['const'] !== undefined) return 'choice'
  switch (schema['type']) {
    case 'string':
      return 'text'
    case 'number':
      return 'number'
    case 'integer':
      return 'integer'
    case 'boolean':
      return 'boolean'
    case 'object':
      return Object.keys(asRecord(schema['properties'])).length > 0 ? 'object' : 'json'
    case 'array':
      return Object.keys(asRecord(schema['items'])).length > 0 ? 'list' : 'json'
    default:
      return 'json'
  }
}

/** What is in a form: text of fields as typed, on and off, nested objects and lists; undefined is "leave it out". */
export type Draft = string | boolean | readonly Draft[] | { readonly [name: string]: Draft } | undefined

/** The draft that shows a value: what the field of it would hold. */
export function draftOf(field: FieldSpec, value: unknown): Draft {
  if (value === undefined) {
    if (field.kind === 'object') return draftsOf(field.fields, {})
    // An element of a list is there, even when it is empty; a choice that is the only one is made.
    return field.kind === 'choice' && field.required && field.choices.length === 1
      ? JSON.stringify(field.choices[0])
      : undefined
  }
  switch (field.kind) {
    case 'text':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'boolean':
      return value === true
    case 'object':
      return draftsOf(field.fields, asRecord(value))
    case 'list':
      return field.element === null ? [] : listOf(value).map((item) => draftOf(field.element as FieldSpec, item))
    case 'number':
    case 'integer':
      return String(value)
    default:
      return JSON.stringify(value)
  }
}

/** Drafts of all fields, from a value or else from the defaults of the schema. */
export function draftsOf(fields: readonly FieldSpec[], values: Record<string, unknown>): Record<string, Draft> {
  return Object.fromEntries(
    fields.map((field) => [
      field.name,
      draftOf(field, Object.hasOwn(values, field.name) ? values[field.name] : field.initial),
    ]),
  )
}

export interface Fault {
  /** `address.street`, `tags[2]`. */
  readonly path: string
  readonly why: 'missing' | 'number' | 'integer' | 'json' | 'range'
}
export interface Read {
  readonly value: unknown
  readonly faults: readonly Fault[]
}

/** The arguments that a form says, and what is wrong in it. Fields that were left empty are left out. */
export function readDrafts(fields: readonly FieldSpec[], drafts: { readonly [name: string]: Draft }, path = ''): Read {
  const faults: Fault[] = []
  const entries = fields.flatMap((field): [string, unknown][] => {
    const here = path === '' ? field.name : `${path}.${field.name}`
    const read = readDraft(field, drafts[field.name], here)
    faults.push(...read.faults)
    return read.value === undefined ? [] : [[field.name, read.value]]
  })
  return { value: Object.fromEntries(entries), faults }
}

function readDraft(field: FieldSpec, draft: Draft, path: string): Read {
  const missing: Read = { value: undefined, faults: field.required ? [{ path, why: 'missing' }] : [] }
  const wrong = (why: Fault['why']): Read => ({ value: undefined, faults: [{ path, why }] })
  if (field.kind === 'object') return readObject(field, draft, path)
  if (field.kind === 'list') return readList(field, draft, path)
  if (field.kind === 'boolean') return draft === undefined ? missing : { value: draft === true, faults: [] }
  if (typeof draft !== 'string' || (draft === '' && (field.kind !== 'text' || !field.required))) return missing
  if (field.kind === 'text') return { value: draft, faults: [] }
  if (field.kind === 'number' || field.kind === 'integer') {
    const value = readNumber(field, draft)
    return typeof value === 'number' ? { value, faults: [] } : wrong(value)
  }
  const parsed = parseJson(draft)
  return parsed.ok ? { value: parsed.value, faults: [] } : wrong('json')
}

function readObject(field: FieldSpec, draft: Draft, path: string): Read {
  const read = readDrafts(field.fields, (draft ?? {}) as { [name: string]: Draft }, path)
  // An object that nobody filled in is left out as a whole, with what it would need.
  const isEmpty = Object.keys(read.value as object).length === 0 && read.faults.every(({ why }) => why === 'missing')
  return isEmpty && !field.required ? { value: undefined, faults: [] } : read
}

/** The number, or what is wrong with it. */
function readNumber({ kind, min, max }: FieldSpec, text: string): number | 'number' | 'integer' | 'range' {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) return 'number'
  if (kind === 'integer' && !Number.isInteger(value)) return 'integer'
  return (min === null || value >= min) && (max === null || value <= max) ? value : 'range'
}

function readList(field: FieldSpec, draft: Draft, path: string): Read {
  const { element } = field
  const items = Array.isArray(draft) ? (draft as readonly Draft[]) : []
  if (element === null || (items.length === 0 && !field.required)) return { value: undefined, faults: [] }
  const reads = items.map((item, index) => readDraft(element, item, `${path}[${index}]`))
  return { value: reads.map(({ value }) => value), faults: reads.flatMap(({ faults }) => faults) }
}

/** The value of a JSON text, or that it is none. */
export function parseJson(
  text: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string } {
  try {
    return { ok: true, value: JSON.parse(text) as unknown }
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}
