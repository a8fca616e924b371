import type { ErrorCode } from './types.ts'

export class AgentClientError extends Error {
  override readonly name = 'AgentClientError'
  readonly code: ErrorCode
  /** Code of a JSON-RPC error. */
  readonly rpcCode: number | undefined
  /** HTTP status of the answer. */
  readonly status: number | undefined
  readonly data: unknown

  constructor(
    code: ErrorCode,
    message: string,
    details: { rpcCode?: number | undefined; status?: number | undefined; data?: unknown; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.rpcCode = details.rpcCode
    this.status = details.status
    this.data = details.data
  }
}
