/** Words of the Model Context Protocol that several parts of the router need: revisions, reserved keys, codes, headers. */

/** The first revision without sessions. Revisions are dates, so they compare as text. */
export const FIRST_MODERN = '2026-07-28'
/** The last one with them. */
export const LAST_LEGACY = '2025-11-25'

/** Keys of `_meta` that the protocol reserves (revision 2026-07-28). */
export const META = {
  version: 'io.modelcontextprotocol/protocolVersion',
  capabilities: 'io.modelcontextprotocol/clientCapabilities',
  client: 'io.modelcontextprotocol/clientInfo',
  server: 'io.modelcontextprotocol/serverInfo',
  subscription: 'io.modelcontextprotocol/subscriptionId',
  logLevel: 'io.modelcontextprotocol/logLevel',
} as const

/** Codes of JSON-RPC and of the protocol. */
export const CODES = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Of implementations: what the protocol has no code for. */
  server: -32000,
  sessionNotFound: -32001,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

/** Which member of the parameters `Mcp-Name` repeats (2026-07-28, Streamable HTTP; `tasks/*`: the Tasks extension). */
export const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
}

const BEFORE = '=?base64?'
const AFTER = '?='

/** Text of a header value, which may be encoded; null when the encoding is broken. */
export function decodeHeader(value: string): string | null {
  const text = value.replace(/^[ \t]+|[ \t]+$/g, '')
  if (!text.startsWith(BEFORE) || !text.endsWith(AFTER) || text.length < BEFORE.length + AFTER.length) return text
  const encoded = text.slice(BEFORE.length, -AFTER.length)
  const bytes = Buffer.from(encoded, 'base64')
  // Decoders skip what they do not know; only the one canonical text of these bytes is taken.
  if (bytes.toString('base64') !== encoded) return null
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

/** A text as the value of a header: as it is when it is visible ASCII, else base64 of its UTF-8. */
export function encodeHeader(text: string): string {
  if (/^[!-~](?:[ -~]*[!-~])?$/.test(text) && !text.startsWith(BEFORE)) return text
  return `${BEFORE}${Buffer.from(text, 'utf8').toString('base64')}${AFTER}`
}
