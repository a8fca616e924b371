/** One JSON-RPC message of a client: read once, and rewritten only where a name has to change; every other byte stays. */
import { CODES, FIRST_MODERN, META, NAMED_BY, decodeHeader } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import { RpcFailure } from './failure.ts'
import type { Id } from './failure.ts'

export type Json = Readonly<Record<string, unknown>>

/** Newest first. */
export const LEGACY_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

export interface Message {
  readonly text: string
  readonly value: Json
  /** Undefined for answers. */
  readonly method: string | undefined
  /** Undefined for notifications. */
  readonly id: Id | undefined
  readonly params: Json
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** @throws RpcFailure what is not one JSON-RPC message. */
export function parseMessage(bytes: Uint8Array): Message {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    throw new RpcFailure(400, { code: CODES.parse, message: 'Parse error: the body is not JSON' })
  }
  const invalid = (message: string): RpcFailure => new RpcFailure(400, { code: CODES.invalidRequest, message })
  if (Array.isArray(value)) throw invalid('JSON-RPC batches are not accepted: send one message at a time')
  if (!isObject(value) || value['jsonrpc'] !== '2.0') throw invalid('The body is not a JSON-RPC 2.0 message')
  const { method, id } = value
  const isId = typeof id === 'string' || typeof id === 'number'
  if (id !== undefined && !isId && !('error' in value && id === null)) throw invalid('The id is no string or number')
  if (method !== undefined && typeof method !== 'string') throw invalid('The method is no string')
  if (method === undefined && !('result' in value || 'error' in value)) throw invalid('Neither a request nor an answer')
  return { text, value, method, id: id as Id | undefined, params: objectOf(value['params']) }
}

/** Place of a value in the text. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Where the value at a path of keys stands; null where there is none. The text is known to be JSON.
 * @throws RpcFailure a key that stands twice on the way: two readers could see two different messages.
 */
export function spanOf(text: string, path: readonly string[]): Span | null {
  let at = skipSpace(text, 0)
  let span: Span | null = null
  for (const key of path) {
    if (text[at] !== '{') return null
    span = member(text, at, key)
    if (span === null) return null
    at = span.start
  }
  return span
}

export interface Edit extends Span {
  readonly value: unknown
}

export function rewrite(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const { start, end, value } of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + JSON.stringify(value)
    at = end
  }
  return result + text.slice(at)
}

const skipSpace = (text: string, at: number): number => {
  while (' \t\r\n'.includes(text[at] ?? 'x')) at += 1
  return at
}

/** Index after the closing quote. */
function skipString(text: string, at: number): number {
  for (let end = at + 1; ; end += 1) {
    end = text.indexOf('"', end)
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return end + 1
  }
}

const BRACKET_OR_QUOTE = /["[\]{}]/g
const SCALAR_END = /[,\]}\s]|$/g

function skipValue(text: string, at: number): number {
  const first = text[at]
  if (first === '"') return skipString(text, at)
  if (first !== '{' && first !== '[') {
    SCALAR_END.lastIndex = at
    return SCALAR_END.exec(text)?.index ?? text.length
  }
  let depth = 0
  BRACKET_OR_QUOTE.lastIndex = at
  for (let found = BRACKET_OR_QUOTE.exec(text); found !== null; found = BRACKET_OR_QUOTE.exec(text)) {
    if (found[0] === '"') BRACKET_OR_QUOTE.lastIndex = skipString(text, found.index)
    else if (found[0] === '{' || found[0] === '[') depth += 1
    else if ((depth -= 1) === 0) return found.index + 1
  }
  return text.length
}

function member(text: string, object: number, wanted: string): Span | null {
  let result: Span | null = null
  const seen = new Set<unknown>()
  let at = skipSpace(text, object + 1)
  while (text[at] === '"') {
    const keyEnd = skipString(text, at)
    const key: unknown = JSON.parse(text.slice(at, keyEnd))
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1)
    const end = skipValue(text, start)
    if (seen.has(key))
      throw new RpcFailure(400, { code: CODES.invalidRequest, message: 'A key stands twice in one object' })
    seen.add(key)
    if (key === wanted) result = { start, end }
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return result
}

type Headers = (name: string) => string | undefined

const mismatch = (message: string): RpcFailure => new RpcFailure(400, { code: CODES.headerMismatch, message })

/**
 * Of which era a message is: `modern` (revision 2026-07-28, without sessions) when it says so by itself.
 * @throws RpcFailure when what it says is not consistent, in itself or with its headers.
 */
export function eraOf(message: Message, header: Headers): 'modern' | 'legacy' {
  const { method, id, params } = message
  const version = header('mcp-protocol-version')?.trim()
  const isModernHeader = version !== undefined && version >= FIRST_MODERN
  if (method === undefined) return 'legacy'
  const meta = objectOf(params['_meta'])
  const claimed = meta[META.version]
  if (claimed === undefined) {
    if (!isModernHeader) return 'legacy'
    if (id === undefined) return 'modern'
    if (method === 'initialize') throw mismatch('"initialize" does not exist in the revision that the header names')
    throw new RpcFailure(400, {
      code: CODES.invalidParams,
      message: `"_meta" lacks "${META.version}", which the header names`,
    })
  }
  if (method === 'initialize' && typeof claimed === 'string' && claimed < FIRST_MODERN) return 'legacy'
  if (id !== undefined) checkEnvelope(meta)
  checkHeaders(message, { header, version, claimed: String(claimed) })
  return 'modern'
}

function checkEnvelope(meta: Json): void {
  const wrong =
    typeof meta[META.version] !== 'string' ? META.version : isObject(meta[META.capabilities]) ? null : META.capabilities
  if (wrong === null) return
  throw new RpcFailure(400, { code: CODES.invalidParams, message: `"_meta" lacks a valid "${wrong}"` })
}

function checkHeaders(
  { method = '', id, params }: Message,
  { header, version, claimed }: { header: Headers; version: string | undefined; claimed: string },
): void {
  if (version !== undefined && version !== claimed)
    throw mismatch('The header MCP-Protocol-Version and the body name different revisions')
  const named = header('mcp-method')?.trim()
  if (named !== undefined && named !== method)
    throw mismatch('The header Mcp-Method and the body name different methods')
  if (claimed !== FIRST_MODERN)
    throw new RpcFailure(400, {
      code: CODES.unsupportedVersion,
      message: 'Unsupported protocol version',
      data: { supported: [FIRST_MODERN], requested: claimed },
    })
  if (id === undefined) return
  if (version === undefined) throw mismatch('The header MCP-Protocol-Version is missing')
  if (named === undefined) throw mismatch('The header Mcp-Method is missing')
  const key = NAMED_BY[method]
  const value = key === undefined ? undefined : textOf(params[key])
  if (value === undefined) return
  const given = header('mcp-name')?.trim()
  if (given === undefined) throw mismatch('The header Mcp-Name is missing')
  if (decodeHeader(given) !== value) throw mismatch(`The header Mcp-Name and "params.${key}" differ`)
}
