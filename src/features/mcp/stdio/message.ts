/** JSON-RPC messages as the bridge looks at them: enough to know where they belong, the bytes stay what they were. */
import { CODES, FIRST_MODERN } from '../../../core/mcp.ts'
import { isObject } from '../../../core/json.ts'

export const isVersion = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text)
export const isModern = (version: string): boolean => isVersion(version) && version >= FIRST_MODERN

export type Id = string | number
export type Fields = Readonly<Record<string, unknown>>

export interface Message {
  readonly kind: 'request' | 'notification' | 'response'
  /** Null for notifications, and for answers to something that could not be read. */
  readonly id: Id | null
  /** Empty for responses. */
  readonly method: string
  readonly params: Fields
  readonly meta: Fields
  readonly result: Fields | null
  readonly error: { readonly code: number; readonly data: unknown } | null
}

const NOTHING: Fields = Object.freeze({})

export const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : NOTHING)
const isId = (value: unknown): value is Id => typeof value === 'string' || typeof value === 'number'

/** Null when it is no message of JSON-RPC 2.0. Throws SyntaxError when it is no JSON. */
export function readMessage(bytes: Buffer): Message | null {
  const value: unknown = JSON.parse(bytes.toString('utf8'))
  if (!isObject(value) || value['jsonrpc'] !== '2.0') return null
  const { id, method, params } = value
  if (method !== undefined) {
    if (typeof method !== 'string' || (id !== undefined && !isId(id))) return null
    if (params !== undefined && !isObject(params)) return null
    const given = fieldsOf(params)
    const common = { method, params: given, meta: fieldsOf(given['_meta']), result: null, error: null }
    return id === undefined ? { ...common, kind: 'notification', id: null } : { ...common, kind: 'request', id }
  }
  return readResponse(value)
}

function readResponse({ id, result, error }: Fields): Message | null {
  if (!isId(id) && id !== undefined && id !== null) return null
  if ((result === undefined) === (error === undefined)) return null
  const { code, data } = fieldsOf(error)
  return {
    kind: 'response',
    id: id ?? null,
    method: '',
    params: NOTHING,
    meta: NOTHING,
    result: error === undefined ? fieldsOf(result) : null,
    error: error === undefined ? null : { code: typeof code === 'number' ? code : CODES.internal, data },
  }
}

/** As a key of a map: 1 and "1" are two ids. */
export const idKey = (id: Id): string => (typeof id === 'number' ? `n${id}` : `s${id}`)

export const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** `id`: as a value, or the bytes of the client's own text for it. */
export function errorMessage(id: Id | Buffer | null, error: RpcError): Buffer {
  const text = Buffer.isBuffer(id) ? id.toString('utf8') : JSON.stringify(id)
  return Buffer.from(`{"jsonrpc":"2.0","id":${text},"error":${JSON.stringify(error)}}`)
}

export const requestMessage = (id: string, method: string, params: object): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
export const notificationMessage = (method: string, params: object): Buffer =>
  Buffer.from(JSON.stringify({ jsonrpc: '2.0', method, params }))
