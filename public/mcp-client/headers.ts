/** Headers in which the stateless revision repeats what a body says; an intermediary decides by them without reading it. */
type Json = Record<string, unknown>

const NAMED_BY = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
])
const MAX_DEPTH = 16

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is no plain field value travels as base64 of its UTF-8. */
function encode(text: string): string {
  if (/^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text)) return text
  const bytes = new TextEncoder().encode(text)
  return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}?=`
}

export function nameHeader(method: string, params: Json): Record<string, string> {
  const name = params[NAMED_BY.get(method) ?? '']
  return typeof name === 'string' ? { 'mcp-name': encode(name) } : {}
}

/** Arguments that a tool's schema marks with `x-mcp-header`. */
export function mirroredHeaders(schema: unknown, args: unknown, depth = 0): Record<string, string> {
  const properties = isObject(schema) ? schema['properties'] : undefined
  if (!isObject(properties) || !isObject(args) || depth > MAX_DEPTH) return {}
  const headers: Record<string, string> = {}
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property) || !Object.hasOwn(args, name)) continue
    const header = property['x-mcp-header']
    const value = args[name]
    const isPlain = ['string', 'boolean', 'number'].includes(typeof value)
    if (typeof header === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(header) && isPlain)
      headers[`mcp-param-${header.toLowerCase()}`] = encode(String(value))
    Object.assign(headers, mirroredHeaders(property, value, depth + 1))
  }
  return headers
}
