/** Refusals of the gateway itself, as JSON-RPC. */
import { CODES } from '../../../core/mcp.ts'
import { asPloinkyError, isPloinkyError } from '../../../core/error.ts'

export type Id = string | number | null

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
  new RpcFailure(200, { code: CODES.invalidParams, message, ...(data === undefined ? {} : { data }) })

export const sessionNotFound = (): RpcFailure =>
  new RpcFailure(404, { code: CODES.sessionNotFound, message: 'Session not found: send "initialize" again' })

/** Whatever was thrown, as a failure: our own errors keep their code in `data`, bugs keep their text to the log. */
export function asFailure(thrown: unknown): RpcFailure {
  if (thrown instanceof RpcFailure) return thrown
  const { code, message, hint } = asPloinkyError(thrown)
  if (code === 'INTERNAL')
    return new RpcFailure(200, { code: CODES.internal, message: 'Internal error; the router log has the details' })
  const data = { code, ...(hint === undefined ? {} : { suggestion: hint }) }
  return new RpcFailure(200, { code: CODES.server, message, data })
}

export const isBug = (thrown: unknown): boolean => !(thrown instanceof RpcFailure) && !isPloinkyError(thrown)

export const errorMessage = (id: Id, error: RpcError): object => ({ jsonrpc: '2.0', id, error })
