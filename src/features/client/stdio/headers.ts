/**
 * HTTP headers of a message that came as a line. A line carries none, and since revision 2026-07-28 a server refuses a request
 * whose headers do not repeat what its body says: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
 */
import { META, NAMED_BY, encodeHeader } from '../../../core/mcp.ts'
import { isObject } from '../../../core/json.ts'
import { own } from '../../../core/id.ts'

export type Json = Readonly<Record<string, unknown>>

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/
/** Levels of an inputSchema that are looked into. */
const MAX_DEPTH = 16

/** An argument of a tool that a header repeats (`x-mcp-header` in its inputSchema). */
export interface Mirrored {
  readonly header: string
  readonly path: readonly string[]
}

/** The revision that a message of the stateless era names in itself; null for one of the era of sessions. */
export function versionOf(message: Json): string | null {
  const meta = isObject(message['params']) ? message['params']['_meta'] : undefined
  const version = isObject(meta) ? meta[META.version] : undefined
  return typeof version === 'string' ? version : null
}

/** The mirrored arguments of a tool, from the schema that its server listed. */
export function mirroredOf(schema: unknown, path: readonly string[] = []): Mirrored[] {
  const properties = isObject(schema) ? schema['properties'] : undefined
  if (!isObject(properties) || path.length > MAX_DEPTH) return []
  return Object.entries(properties).flatMap(([name, property]) => {
    const header = isObject(property) ? property['x-mcp-header'] : undefined
    const here = [...path, name]
    const own_ = typeof header === 'string' && TOKEN.test(header) ? [{ header, path: here }] : []
    return [...own_, ...mirroredOf(property, here)]
  })
}

function primitive(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  const isNumber = typeof value === 'number' && Number.isFinite(value)
  return isNumber && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : null
}

function mirroredHeaders(params: Json, mirrored: readonly Mirrored[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { header, path } of mirrored) {
    let value: unknown = params['arguments']
    for (const key of path) value = isObject(value) ? own(value, key) : undefined
    const text = primitive(value)
    if (text !== null) headers[`mcp-param-${header.toLowerCase()}`] = encodeHeader(text)
  }
  return headers
}

/** Headers of a message of the stateless era. */
export function statelessHeaders(
  message: Json,
  version: string,
  mirrored: (tool: string) => readonly Mirrored[],
): Record<string, string> {
  const method = typeof message['method'] === 'string' ? message['method'] : ''
  const params = isObject(message['params']) ? message['params'] : {}
  const name = params[own(NAMED_BY, method) ?? '']
  return {
    'mcp-protocol-version': encodeHeader(version),
    'mcp-method': encodeHeader(method),
    ...(typeof name === 'string' ? { 'mcp-name': encodeHeader(name) } : {}),
    ...(method === 'tools/call' && typeof name === 'string' ? mirroredHeaders(params, mirrored(name)) : {}),
  }
}
