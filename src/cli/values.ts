/** Values of params: from text (command line) or JSON (HTTP) to typed, checked input. */
import { PloinkyError } from '../core/error.ts'
import { nearest } from '../core/id.ts'
import type { Command, Input, Param } from './command.ts'
import { quoted } from './text.ts'

type Scalar = string | number | boolean
type ValueResult = { readonly value: Scalar } | { readonly expected: string; readonly near?: string }

/** One value of a param from its text; for `rest`, of one element. */
export function readValue(param: Param, text: string): ValueResult {
  if (param.choices !== undefined && !param.choices.includes(text)) {
    const near = nearest(text, param.choices)
    return { expected: `one of ${param.choices.join(', ')}`, ...(near === null ? {} : { near }) }
  }
  switch (param.type) {
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { expected: '"true" or "false"' }
    case 'integer':
    case 'port':
      return readInteger(param, text)
    case 'string':
    case 'rest':
      return { value: text }
  }
}

/** Limits of a number, the type's own included. */
function rangeOf(param: Param): { min: number; max: number; what: string } {
  const port = param.type === 'port'
  const min = param.min ?? (port ? 1 : Number.MIN_SAFE_INTEGER)
  const max = param.max ?? (port ? 65_535 : Number.MAX_SAFE_INTEGER)
  const what = port ? 'a port number' : 'a whole number'
  if (min === Number.MIN_SAFE_INTEGER && max === Number.MAX_SAFE_INTEGER) return { min, max, what }
  if (max === Number.MAX_SAFE_INTEGER) return { min, max, what: `${what}, ${min} or more` }
  if (min === Number.MIN_SAFE_INTEGER) return { min, max, what: `${what}, ${max} or less` }
  return { min, max, what: `${what} from ${min} to ${max}` }
}

function readInteger(param: Param, text: string): ValueResult {
  const { min, max, what } = rangeOf(param)
  const value = Number(text)
  const fits = /^[+-]?\d{1,17}$/.test(text) && Number.isSafeInteger(value) && value >= min && value <= max
  return fits ? { value } : { expected: what }
}

/** What a param takes, for help: `1..65535`, or the choices. */
export function rangeText(param: Param): string {
  if (param.choices !== undefined) return param.choices.join(', ')
  if (param.type !== 'integer' && param.type !== 'port') return ''
  if (param.min === undefined && param.max === undefined) return param.type === 'port' ? '1..65535' : ''
  const { min, max } = rangeOf(param)
  return `${min === Number.MIN_SAFE_INTEGER ? '' : min}..${max === Number.MAX_SAFE_INTEGER ? '' : max}`
}

/**
 * Checks values that came as JSON or query text (HTTP, MCP) against the params of a command.
 * Throws REQUEST_INVALID naming the field, what was found and what was expected.
 */
export function inputFromRecord(
  command: Pick<Command<never>, 'name' | 'params'>,
  record: Readonly<Record<string, unknown>>,
): Input {
  const params = new Map(Object.entries(command.params ?? {}))
  const input: Record<string, Scalar | readonly string[]> = {}
  for (const [key, raw] of Object.entries(record)) {
    const param = params.get(key)
    if (param === undefined) throw unknownField(command.name, key, [...params.keys()])
    if (raw === undefined || raw === null) continue
    input[key] = param.type === 'rest' ? readList(key, param, raw) : readField(key, param, raw)
  }
  for (const [key, param] of params) {
    if (param.required === true && input[key] === undefined) {
      throw invalidField(key, 'nothing', param.summary || 'a value')
    }
  }
  return input
}

function readField(key: string, param: Param, raw: unknown): Scalar {
  const isScalar = typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean'
  const result = isScalar ? readValue(param, String(raw)) : { expected: `a ${param.type}` }
  if ('value' in result) return result.value
  throw invalidField(key, isScalar ? quoted(String(raw)) : typeof raw, result.expected)
}

function readList(key: string, param: Param, raw: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(raw) ? raw : [raw]
  return list.map((item, index) => {
    if (typeof item !== 'string') throw invalidField(`${key}[${index}]`, typeof item, 'a string')
    return String(readField(`${key}[${index}]`, param, item))
  })
}

function invalidField(key: string, found: string, expected: string): PloinkyError {
  return new PloinkyError('REQUEST_INVALID', `Invalid field ${quoted(key)}: found ${found}, expected ${expected}`, {
    details: { field: key, expected },
  })
}

function unknownField(command: string, key: string, known: readonly string[]): PloinkyError {
  const near = nearest(key, known)
  return new PloinkyError('REQUEST_INVALID', `Unknown field ${quoted(key)} for "${command}"`, {
    details: { field: key, known },
    hint: near === null ? `Known fields: ${known.join(', ') || 'none'}` : `Did you mean "${near}"?`,
  })
}
