/**
 * Arguments of a tool from a command line: `-p key=value`, whose type the tool's inputSchema decides, `-p key:=JSON`, and
 * `--input JSON` below them. Pure. The schema comes from an agent: only its types, items and required names are looked at.
 */
import { PloinkyError } from '../../core/error.ts'
import { nearest, own } from '../../core/id.ts'
import { parseJson, isObject } from '../../core/json.ts'

type Json = Record<string, unknown>

export interface ArgumentsRequest {
  readonly tool: string
  /** The tool's, as it came. */
  readonly schema: unknown
  /** `key=value` or `key:=JSON`; a key may come again when it is a list. */
  readonly pairs: readonly string[]
  /** Text of `--input`. */
  readonly input: string | null
}

/** Levels of `$ref`, `anyOf` and their like that are followed. */
const MAX_DEPTH = 8
const TYPES = ['null', 'boolean', 'integer', 'number', 'array', 'object', 'string'] as const
type Type = (typeof TYPES)[number]

const quote = (text: string): string => JSON.stringify(text.slice(0, 80))

function invalid(message: string, hint: string, details: Json = {}): PloinkyError {
  return new PloinkyError('USAGE_INVALID', message, { hint, details })
}

const typeOf = (value: unknown): Type =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : (typeof value as Type)

/** A local reference (`#/$defs/x`), else the schema itself. */
function follow(schema: unknown, root: unknown): unknown {
  const ref = isObject(schema) ? schema['$ref'] : undefined
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return schema
  let found: unknown = root
  for (const part of ref.slice(2).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    found = isObject(found) ? own(found, key) : undefined
  }
  return found
}

/** The types that a schema allows; empty when it does not say. */
function typesOf(given: unknown, root: unknown, depth = 0): Set<Type> {
  const schema = follow(given, root)
  if (!isObject(schema) || depth > MAX_DEPTH) return new Set()
  const { type } = schema
  const named = (Array.isArray(type) ? type : [type]).filter((name): name is Type => TYPES.includes(name as Type))
  if (named.length > 0) return new Set(named)
  if (Array.isArray(schema['enum'])) return new Set(schema['enum'].map(typeOf))
  if ('const' in schema) return new Set([typeOf(schema['const'])])
  const choices = [schema['anyOf'], schema['oneOf'], schema['allOf']].find(Array.isArray) as unknown[] | undefined
  return new Set((choices ?? []).flatMap((choice) => [...typesOf(choice, root, depth + 1)]))
}

function asNumber(text: string, type: 'integer' | 'number'): number | undefined {
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN
  return Number.isFinite(value) && (type === 'number' || Number.isInteger(value)) ? value : undefined
}

/** What a text is as one type; undefined when it is not. */
function asType(type: Type, text: string): unknown {
  switch (type) {
    case 'string':
      return text
    case 'null':
      return text === 'null' ? null : undefined
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : undefined
    case 'integer':
    case 'number':
      return asNumber(text, type)
    case 'array':
    case 'object': {
      const json = parseJson(text)
      return json.ok && typeOf(json.value) === type ? json.value : undefined
    }
  }
}

function itemsOf(given: unknown, root: unknown): unknown {
  const schema = follow(given, root)
  if (!isObject(schema)) return undefined
  if ('items' in schema) return schema['items']
  const choices = [schema['anyOf'], schema['oneOf']].find(Array.isArray) as unknown[] | undefined
  return choices?.map((choice) => itemsOf(choice, root)).find((items) => items !== undefined)
}

interface Place {
  readonly tool: string
  readonly key: string
  readonly root: unknown
}

/** One value; a word that is no JSON text counts as an element of a list. */
function convert(text: string, schema: unknown, place: Place): unknown {
  const types = typesOf(schema, place.root)
  if (types.size === 0) {
    // Nobody says what it is: numbers and the like are meant as such, everything else is text.
    const json = parseJson(text)
    return json.ok ? json.value : text
  }
  for (const type of TYPES) {
    const value = types.has(type) ? asType(type, text) : undefined
    if (value !== undefined) return value
  }
  if (types.has('array')) return [convert(text, itemsOf(schema, place.root), place)]
  const expected = [...types].join(' or ')
  throw invalid(
    `Invalid value ${quote(text)} for "${place.key}" of tool "${place.tool}": expected ${expected}`,
    expected === 'object' ? `Write JSON: -p '${place.key}={"name":"value"}'` : `Write: -p ${place.key}=<${expected}>`,
    { parameter: place.key, expected },
  )
}

interface Pair {
  readonly key: string
  readonly text: string
  readonly json: boolean
}

function parsePair(pair: string): Pair {
  const at = pair.indexOf('=')
  const json = pair[at - 1] === ':'
  const key = pair.slice(0, json ? at - 1 : at)
  if (at > 0 && key !== '') return { key, text: pair.slice(at + 1), json }
  throw invalid(`Not a parameter: ${quote(pair)}`, 'Write: -p name=value, or -p name:=JSON')
}

function parseInput(text: string): Json {
  const json = parseJson(text)
  if (!json.ok) throw invalid(`--input is not JSON: ${json.problem}`, `Write: --input '{"name":"value"}'`)
  if (isObject(json.value)) return json.value
  throw invalid(`--input is ${typeOf(json.value)}, expected an object`, `Write: --input '{"name":"value"}'`)
}

function valueOf(texts: readonly Pair[], schema: unknown, place: Place): unknown {
  const [first, ...more] = texts
  if (first === undefined) return undefined
  if (first.json && more.length === 0) {
    const json = parseJson(first.text)
    if (json.ok) return json.value
    throw invalid(`Not JSON after "${first.key}:=": ${json.problem}`, `Write: -p '${first.key}:={"name":"value"}'`)
  }
  if (more.length === 0) return convert(first.text, schema, place)
  const types = typesOf(schema, place.root)
  if (types.size > 0 && !types.has('array')) {
    throw invalid(`Parameter "${place.key}" of tool "${place.tool}" is given ${texts.length} times`, 'Give it once')
  }
  const items = itemsOf(schema, place.root)
  return texts.map(({ text }) => convert(text, items, place))
}

/** USAGE_INVALID names the parameter, what was found and what the tool expects. */
export function toolArguments({ tool, schema, pairs, input }: ArgumentsRequest): Json {
  const root = isObject(schema) ? schema : {}
  const properties = isObject(root['properties']) ? root['properties'] : {}
  const result = new Map<string, unknown>(Object.entries(input === null ? {} : parseInput(input)))
  const parsed = pairs.map(parsePair)
  for (const key of new Set(parsed.map((pair) => pair.key))) {
    const known = Object.hasOwn(properties, key)
    if (!known && root['additionalProperties'] === false) {
      const near = nearest(key, Object.keys(properties))
      throw invalid(
        `Tool "${tool}" has no parameter "${key}"`,
        near === null ? `It has: ${Object.keys(properties).join(', ') || 'none'}` : `Did you mean: -p ${near}=...`,
        { parameter: key, available: Object.keys(properties) },
      )
    }
    const texts = parsed.filter((pair) => pair.key === key)
    result.set(key, valueOf(texts, known ? properties[key] : undefined, { tool, key, root }))
  }
  const required = Array.isArray(root['required']) ? root['required'] : []
  const missing = required.filter((key): key is string => typeof key === 'string' && !result.has(key))
  if (missing.length > 0) {
    throw invalid(
      `Tool "${tool}" needs ${missing.map((key) => `"${key}"`).join(', ')}`,
      `Write: ploinky client tool ${tool} ${missing.map((key) => `-p ${key}=...`).join(' ')}`,
      { missing },
    )
  }
  return Object.fromEntries(result)
}

/** Arguments of a prompt are text. */
export function promptArguments(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map(parsePair).map(({ key, text }) => [key, text]))
}
