/**
 * HTTP headers of a message that came as a line. A line carries none, and since revision 2026-07-28 a server refuses a request
 * whose headers do not repeat what its body says: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports
 */
import { own } from '../../../core/id.ts'

export type Json = Readonly<Record<string, unknown>>

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
/** Which field of a request `Mcp-Name` repeats. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/
/** Levels of an inputSchema that are looked into. */
const MAX_DEPTH = 16

/** An argument of a tool that a header repeats (`x-mcp-header` in its inputSchema). */
export interface Mirrored {
  readonly header: string
  readonly path: readonly string[]
}

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The revision that a message of the stateless era names in itself; null for one of the era of sessions. */
export function versionOf(message: Json): string | null {
  const meta = isObject(message['params']) ? message['params']['_meta'] : undefined
  const version = isObject(meta) ? meta[VERSION_KEY] : undefined
  return typeof version === 'string' ? version : null
}

/** What is no plain field value travels as base64 of its UTF-8. */
export function headerValue(text: string): string {
  const isPlain = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/.test(text) && !/^=\?base64\?.*\?=$/.test(text)
  if (isPlain) return text
  const bytes = new TextEncoder().encode(text)
  return `=?base64?${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}?=`
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
    if (text !== null) headers[`mcp-param-${header.toLowerCase()}`] = headerValue(text)
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
    'mcp-protocol-version': headerValue(version),
    'mcp-method': headerValue(method),
    ...(typeof name === 'string' ? { 'mcp-name': headerValue(name) } : {}),
    ...(method === 'tools/call' && typeof name === 'string' ? mirroredHeaders(params, mirrored(name)) : {}),
  }
}
