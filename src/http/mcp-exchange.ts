/** What the front hands over for requests at MCP addresses, once the caller is known. */
import type { Principal } from '../core/principal.ts'
import type { IncomingMessage, ServerResponse } from '../platform/index.ts'

export type McpEndpoint =
  /** `/mcps/<agent>/mcp` */
  | { readonly kind: 'agent'; readonly agent: string }
  /** `/mcps/<agent>/getTaskStatus` and the like */
  | { readonly kind: 'tasks'; readonly agent: string }
  /** `/mcp` */
  | { readonly kind: 'aggregate' }
  /** `/mcp/<name>` */
  | { readonly kind: 'virtual'; readonly name: string }

/** What is sent to an agent instead of what the client sent. */
export interface RelayChange {
  /** Read already; sent instead of what is still to come. */
  readonly body?: Buffer
  /** Each replaces whatever the client sent under that name. */
  readonly headers?: readonly (readonly [string, string])[]
}

export interface McpExchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly endpoint: McpEndpoint
  readonly principal: Principal
  readonly requestId: string
  /** What else is known of a call of an agent, beside its principal; absent for people. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Largest body that is accepted, in bytes. */
  readonly bodyLimit: number
  /** Passes the request on to the endpoint of an agent whose container speaks HTTP, byte for byte but for `change`. Throws what a caller is told. */
  relay(agent: string, change?: RelayChange): void
  /** Answers with an error, in the one shape; nothing happens when an answer has begun. */
  fail(error: unknown): void
}

export interface McpGateway {
  /** False: nothing to do here but pass the bytes on. Throws, or calls `fail`, for what is refused. */
  handle(exchange: McpExchange): boolean
}
