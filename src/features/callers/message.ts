/**
 * What an agent asks of another one, read from a copy of its body. The bytes that are passed on are read again by somebody else,
 * perhaps by other rules: a message that two readers could take for two different requests is refused.
 */
import { CODES } from '../../core/mcp.ts'
import { isObject } from '../../core/json.ts'
import { duplicateKey } from './duplicate-key.ts'

export type Asked =
  /** Handshake, lists, notifications, answers: no harm without a further grant. */
  | { readonly kind: 'protocol'; readonly method: string | null }
  | { readonly kind: 'tool' | 'prompt' | 'resource'; readonly method: string; readonly name: string }
  /** Several resources at once: each has to be granted. */
  | { readonly kind: 'resources'; readonly method: string; readonly names: readonly string[] }
  | { readonly kind: 'unknown'; readonly method: string }

export type Message =
  | { readonly ok: true; readonly id: string | number | null; readonly asked: Asked }
  | { readonly ok: false; readonly id: string | number | null; readonly code: number; readonly problem: string }

const KEYS = new Set(['jsonrpc', 'id', 'method', 'params', 'result', 'error'])
const PROTOCOL = new Set(
  (
    'initialize ping server/discover logging/setLevel tools/list prompts/list resources/list resources/templates/list ' +
    'tasks/get tasks/update tasks/cancel tasks/result tasks/list'
  ).split(' '),
)
/** Which member names what is asked for. */
const NAMED: Readonly<Record<string, readonly ['tool' | 'prompt' | 'resource', 'name' | 'uri']>> = {
  'tools/call': ['tool', 'name'],
  'prompts/get': ['prompt', 'name'],
  'resources/read': ['resource', 'uri'],
  'resources/subscribe': ['resource', 'uri'],
  'resources/unsubscribe': ['resource', 'uri'],
}
const MAX_NAME = 4096

type Fields = Record<string, unknown>

/** The text and what it says; null: it is no JSON. */
function decode(bytes: Uint8Array): { text: string; value: unknown } | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { text, value: JSON.parse(text) }
  } catch {
    return null
  }
}

const idOf = ({ id }: Fields): string | number | null => (typeof id === 'string' || typeof id === 'number' ? id : null)

export function readMessage(bytes: Uint8Array): Message {
  const decoded = decode(bytes)
  if (decoded === null) return { ok: false, id: null, code: CODES.parse, problem: 'Parse error: the body is not JSON' }
  const { text, value } = decoded
  if (!isObject(value))
    return {
      ok: false,
      id: null,
      code: CODES.invalidRequest,
      problem: 'One message a request: batches are not passed on',
    }
  const id = idOf(value)
  const refuse = (problem: string, code: number = CODES.invalidRequest): Message => ({ ok: false, id, code, problem })
  const unknown = Object.keys(value).find((key) => !KEYS.has(key))
  if (unknown !== undefined)
    return refuse(`Not a member of a JSON-RPC message: ${JSON.stringify(unknown.slice(0, 80))}`)
  const twice = duplicateKey(text, 2)
  if (twice !== null) return refuse(`${JSON.stringify(twice.slice(0, 80))} is there twice`)
  const { method, params } = value
  if (method === undefined) {
    return 'result' in value || 'error' in value
      ? { ok: true, id, asked: { kind: 'protocol', method: null } }
      : refuse('Neither a request nor an answer')
  }
  if (typeof method !== 'string' || method === '' || method.length > 200) return refuse('No method')
  if (params !== undefined && !isObject(params)) return refuse('The parameters are no object', CODES.invalidParams)
  const asked = askedOf(method, params ?? {})
  return asked === null
    ? refuse(`${method} does not say what it asks for`, CODES.invalidParams)
    : { ok: true, id, asked }
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= MAX_NAME

function askedOf(method: string, params: Fields): Asked | null {
  if (PROTOCOL.has(method) || method.startsWith('notifications/')) return { kind: 'protocol', method }
  const named = Object.hasOwn(NAMED, method) ? NAMED[method] : undefined
  if (named !== undefined) {
    const [kind, member] = named
    const name = params[member]
    return isName(name) ? { kind, method, name } : null
  }
  if (method === 'completion/complete') return completionOf(method, params['ref'])
  if (method === 'subscriptions/listen') return listenOf(method, params)
  return { kind: 'unknown', method }
}

/** Completion reads a prompt or a resource, so it asks for as much as that. */
function completionOf(method: string, ref: unknown): Asked | null {
  if (!isObject(ref)) return null
  const { type, name, uri } = ref
  if (type === 'ref/prompt' && isName(name)) return { kind: 'prompt', method, name }
  return type === 'ref/resource' && isName(uri) ? { kind: 'resource', method, name: uri } : null
}

/** Changes of lists are for everybody who sees them, those of a resource for who may read it. */
function listenOf(method: string, params: Fields): Asked | null {
  const notifications = params['notifications'] ?? {}
  if (!isObject(notifications)) return null
  const names = notifications['resourceSubscriptions'] ?? []
  return Array.isArray(names) && names.every(isName) ? { kind: 'resources', method, names } : null
}
