/** Refusals of the gateway itself, as JSON-RPC. */
import { asPloinkyError, isPloinkyError } from '../../../core/error.ts'

export type Id = string | number | null

export const PARSE_ERROR = -32700
export const INVALID_REQUEST = -32600
export const METHOD_NOT_FOUND = -32601
export const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603
/** Ours: the agent cannot be reached, the caller may not call it. `data.code` says which. */
export const GATEWAY_ERROR = -32000
const SESSION_NOT_FOUND = -32001
export const HEADER_MISMATCH = -32020
export const UNSUPPORTED_VERSION = -32022

export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** What a caller is told. With a status other than 200 the message was not a well-formed request of the protocol. */
export class RpcFailure extends Error {
  readonly status: number
  readonly error: RpcError

  constructor(status: number, error: RpcError) {
    super(error.message)
    this.name = 'RpcFailure'
    this.status = status
    this.error = error
  }
}

export const invalidParams = (message: string, data?: unknown): RpcFailure =>
  new RpcFailure(200, { code: INVALID_PARAMS, message, ...(data === undefined ? {} : { data }) })

export const sessionNotFound = (): RpcFailure =>
  new RpcFailure(404, { code: SESSION_NOT_FOUND, message: 'Session not found: send "initialize" again' })

/** Whatever was thrown, as a failure: our own errors keep their code in `data`, bugs keep their text to the log. */
export function asFailure(thrown: unknown): RpcFailure {
  if (thrown instanceof RpcFailure) return thrown
  const { code, message, hint } = asPloinkyError(thrown)
  if (code === 'INTERNAL')
    return new RpcFailure(200, { code: INTERNAL_ERROR, message: 'Internal error; the router log has the details' })
  const data = { code, ...(hint === undefined ? {} : { suggestion: hint }) }
  return new RpcFailure(200, { code: GATEWAY_ERROR, message, data })
}

export const isBug = (thrown: unknown): boolean => !(thrown instanceof RpcFailure) && !isPloinkyError(thrown)

export const errorMessage = (id: Id, error: RpcError): object => ({ jsonrpc: '2.0', id, error })
