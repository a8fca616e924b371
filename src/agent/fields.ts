import { LIMITS } from './limits.ts'
import type { JsonObject, Place } from './check.ts'
import { at, checkKeys, describe, fail, isObject, own, readBoolean, readNumber, readString } from './check.ts'

/**
 * The input of a tool. `inputSchema` in mcp-config.json is normally a *field map* (`{"city": "string"}`); a real JSON
 * Schema object is accepted too. Both become this model, which checks arguments with plain loops: a schema comes from
 * an agent, and neither its regular expressions nor generated code may run in the router.
 */
export interface Field {
  type: FieldType
  optional: boolean
  nullable: boolean
  title?: string
  description?: string
  enum?: readonly (string | number | boolean | null)[]
  default?: unknown
  minLength?: number
  maxLength?: number
  min?: number
  max?: number
  minItems?: number
  maxItems?: number
  items?: Field
  properties?: ReadonlyMap<string, Field>
  /** What happens to keys that `properties` does not name: kept, dropped, or kept and checked. */
  additional: boolean | Field
}

export type FieldType = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'any'

/** A tool's fields, and the JSON Schema 2020-12 that clients see. */
export interface InputSchema {
  fields: ReadonlyMap<string, Field>
  additional: boolean | Field
  json: JsonObject
}

const NO_INPUT: InputSchema = { fields: new Map(), additional: false, json: { type: 'object', properties: {} } }

const FIELD_TYPES: readonly string[] = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'any']
const FIELD_KEYS = [
  'type', 'optional', 'nullable', 'enum', 'minLength', 'maxLength', 'min', 'max', 'minimum', 'maximum', 'items', 'minItems',
  'maxItems', 'properties', 'additionalProperties', 'isArray', 'title', 'description', 'default',
] // prettier-ignore

/** How deep and how large the schema read so far is. */
interface Budget {
  fields: number
}

/** Reads the `inputSchema` or `outputSchema` of a tool. */
export function readInputSchema(value: unknown, place: Place): InputSchema {
  if (value === undefined || value === null) return NO_INPUT
  if (!isObject(value)) {
    fail(place, { found: describe(value), expected: 'a map of fields', hint: 'Write { "city": "string" }' })
    return NO_INPUT
  }
  const budget: Budget = { fields: 0 }
  if (isJsonSchema(value)) {
    const root = readJsonSchema(value, place, { budget, depth: 0 })
    // Unlike JSON Schema's default, arguments that nobody declared are dropped unless the schema asks for them.
    const additional = own(value, 'additionalProperties') === undefined ? false : root.additional
    return { fields: root.properties ?? new Map(), additional, json: value }
  }
  const fields = readFieldMap(value, place, { budget, depth: 0 })
  return { fields, additional: false, json: objectSchema(fields, undefined) }
}

/** Tells a JSON Schema object from a field map that happens to have a field called "type". */
function isJsonSchema(value: JsonObject): boolean {
  if (typeof own(value, '$schema') === 'string') return true
  if (own(value, 'type') !== 'object') return false
  const properties = own(value, 'properties')
  if (properties === undefined)
    return Object.keys(value).every((key) =>
      ['type', 'additionalProperties', 'description', 'title', 'required'].includes(key),
    )
  // In a field map, "properties" would itself be a field, whose values are words and numbers rather than schemas.
  return (
    isObject(properties) && Object.values(properties).every((entry) => isObject(entry) || typeof entry === 'boolean')
  )
}

interface Depth {
  budget: Budget
  depth: number
}

function readFieldMap(map: JsonObject, place: Place, at_: Depth): Map<string, Field> {
  const fields = new Map<string, Field>()
  for (const [name, value] of Object.entries(map)) {
    const field = readField(value, at(place, name), at_)
    if (field !== undefined) fields.set(name, field)
  }
  return fields
}

function withinBudget(place: Place, { budget, depth }: Depth): boolean {
  budget.fields++
  if (budget.fields === LIMITS.fieldsPerTool + 1 || depth > LIMITS.fieldDepth) {
    fail(place, {
      found: depth > LIMITS.fieldDepth ? `a nesting of ${depth}` : `more than ${LIMITS.fieldsPerTool} fields`,
      expected: `at most ${LIMITS.fieldsPerTool} fields, nested at most ${LIMITS.fieldDepth} deep`,
      hint: 'Take a JSON document as one "object" field instead',
    })
  }
  return budget.fields <= LIMITS.fieldsPerTool && depth <= LIMITS.fieldDepth
}

function readField(value: unknown, place: Place, depth: Depth): Field | undefined {
  if (!withinBudget(place, depth)) return undefined
  if (typeof value === 'string') {
    return { type: readType(value, place), optional: false, nullable: false, additional: true }
  }
  if (!isObject(value)) {
    fail(place, {
      found: describe(value),
      expected: 'a type or a field object',
      hint: 'Write "string" or { "type": "string" }',
    })
    return undefined
  }
  checkKeys(value, FIELD_KEYS, place)
  const single = readSingle(value, place, { budget: depth.budget, depth: depth.depth + 1 })
  const optional = (readBoolean(value, 'optional', place) ?? false) || single.default !== undefined
  const common = pick({ description: single.description, title: single.title, default: single.default })
  if (readBoolean(value, 'isArray', place) !== true) return { ...single, optional }
  // "isArray" wraps the described type: the item keeps the type, the array gets the counts and the texts.
  const { title: _title, description: _description, default: _default, minItems, maxItems, ...item } = single
  return {
    type: 'array', optional, nullable: single.nullable, additional: true, items: { ...item, optional: false, nullable: false },
    ...common, ...pick({ minItems, maxItems }),
  } // prettier-ignore
}

function readSingle(value: JsonObject, place: Place, depth: Depth): Field {
  const raw = own(value, 'type')
  const properties = own(value, 'properties')
  const items = own(value, 'items')
  const guess = isObject(properties)
    ? 'object'
    : items !== undefined && own(value, 'isArray') !== true
      ? 'array'
      : 'string'
  const type = raw === undefined ? guess : readType(raw, at(place, 'type'))
  const nested = isObject(properties) ? readFieldMap(properties, at(place, 'properties'), depth) : undefined
  if (properties !== undefined && nested === undefined) {
    fail(at(place, 'properties'), {
      found: describe(properties),
      expected: 'a map of fields',
      hint: 'Write { "name": "string" }',
    })
  }
  return {
    type,
    optional: false,
    nullable: readBoolean(value, 'nullable', place) ?? false,
    additional: readAdditional(own(value, 'additionalProperties'), place, { depth, fallback: nested === undefined }),
    ...pick({
      title: readString(value, 'title', { place }),
      description: readString(value, 'description', { place, maxLength: LIMITS.descriptionLength }),
      default: own(value, 'default'),
      enum: readEnum(value, place),
      minLength: readNumber(value, 'minLength', { place, min: 0 }),
      maxLength: readNumber(value, 'maxLength', { place, min: 0 }),
      min:
        readNumber(value, 'min', { place, fraction: true }) ?? readNumber(value, 'minimum', { place, fraction: true }),
      max:
        readNumber(value, 'max', { place, fraction: true }) ?? readNumber(value, 'maximum', { place, fraction: true }),
      minItems: readNumber(value, 'minItems', { place, min: 0 }),
      maxItems: readNumber(value, 'maxItems', { place, min: 0 }),
      items: items === undefined ? undefined : readField(items, at(place, 'items'), depth),
      properties: nested,
    }),
  }
}

function readAdditional(value: unknown, place: Place, options: { depth: Depth; fallback: boolean }): boolean | Field {
  if (value === undefined || value === null) return options.fallback
  if (typeof value === 'boolean') return value
  return readField(value, at(place, 'additionalProperties'), options.depth) ?? options.fallback
}

function readType(value: unknown, place: Place): FieldType {
  const lower = typeof value === 'string' ? value.toLowerCase() : ''
  if (FIELD_TYPES.includes(lower)) return lower as FieldType
  fail(place, {
    found: describe(value),
    expected: `one of: ${FIELD_TYPES.join(', ')}`,
    hint: 'Use "string" when the value is any text',
  })
  return 'any'
}

function readEnum(value: JsonObject, place: Place): Field['enum'] {
  const list = own(value, 'enum')
  if (list === undefined || list === null) return undefined
  const isScalar = (entry: unknown): entry is string | number | boolean | null =>
    entry === null || ['string', 'number', 'boolean'].includes(typeof entry)
  if (Array.isArray(list) && list.length > 0 && list.every(isScalar)) return list
  fail(at(place, 'enum'), {
    found: describe(list),
    expected: 'a non-empty array of strings, numbers or booleans',
    hint: 'Write "enum": ["red", "green"]',
  })
  return undefined
}

/** Takes the part of a JSON Schema that this model can check; the rest is shown to clients and left to the tool. */
function readJsonSchema(schema: JsonObject, place: Place, depth: Depth): Field {
  if (!withinBudget(place, depth)) return { type: 'any', optional: true, nullable: false, additional: true }
  const below: Depth = { budget: depth.budget, depth: depth.depth + 1 }
  const types = [own(schema, 'type')].flat().filter((type) => typeof type === 'string')
  const kinds = types.filter((type) => type !== 'null')
  const type = kinds.length === 1 && FIELD_TYPES.includes(kinds[0] ?? '') ? (kinds[0] as FieldType) : 'any'
  const properties = own(schema, 'properties')
  const required = own(schema, 'required')
  const items = own(schema, 'items')
  const additional = own(schema, 'additionalProperties')
  const nested = isObject(properties) ? new Map<string, Field>() : undefined
  for (const [name, entry] of Object.entries(isObject(properties) ? properties : {})) {
    const field = readJsonSchema(isObject(entry) ? entry : {}, at(at(place, 'properties'), name), below)
    const isRequired = Array.isArray(required) && required.includes(name)
    nested?.set(name, { ...field, optional: !isRequired || field.default !== undefined })
  }
  const number = (key: string): number | undefined => {
    const value = own(schema, key)
    return typeof value === 'number' ? value : undefined
  }
  return {
    type,
    optional: true,
    nullable: types.includes('null'),
    additional: isObject(additional)
      ? readJsonSchema(additional, at(place, 'additionalProperties'), below)
      : additional !== false,
    ...pick({
      default: own(schema, 'default'),
      enum: own(schema, 'enum') === undefined ? undefined : readEnum(schema, place),
      minLength: number('minLength'),
      maxLength: number('maxLength'),
      min: number('minimum'),
      max: number('maximum'),
      minItems: number('minItems'),
      maxItems: number('maxItems'),
      items: isObject(items) ? readJsonSchema(items, at(place, 'items'), below) : undefined,
      properties: nested,
    }),
  }
}

/** JSON Schema 2020-12 of one field; the keywords used mean the same in every draft since 7. */
function fieldSchema(field: Field): JsonObject {
  const texts = pick({ title: field.title, description: field.description, default: field.default })
  const type = field.type === 'any' ? undefined : field.nullable ? [field.type, 'null'] : field.type
  const values =
    field.enum !== undefined && field.nullable && !field.enum.includes(null) ? [...field.enum, null] : field.enum
  const shared = { ...texts, ...pick({ type, enum: values }) }
  if (field.type === 'object') return { ...shared, ...objectSchema(field.properties, field.additional), type }
  return {
    ...shared,
    ...pick({
      minLength: field.minLength,
      maxLength: field.maxLength,
      minimum: field.min,
      maximum: field.max,
      minItems: field.minItems,
      maxItems: field.maxItems,
      items: field.items === undefined ? undefined : fieldSchema(field.items),
    }),
  }
}

function objectSchema(
  fields: ReadonlyMap<string, Field> | undefined,
  additional: boolean | Field | undefined,
): JsonObject {
  const entries = [...(fields ?? [])]
  const required = entries.filter(([, field]) => !field.optional).map(([name]) => name)
  return {
    type: 'object',
    ...(fields === undefined
      ? {}
      : { properties: Object.fromEntries(entries.map(([name, field]) => [name, fieldSchema(field)])) }),
    ...(required.length === 0 ? {} : { required }),
    ...(typeof additional === 'object' ? { additionalProperties: fieldSchema(additional) } : {}),
  }
}

/** The object without its undefined members, so that optional properties stay absent. */
export function pick<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
