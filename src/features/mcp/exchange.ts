/** A request to one agent, and what serves it. */
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { UpstreamAnswer, UpstreamCall } from './upstream.ts'

/** The agent's own name beside the exchange: `Backend`s serve agents only. */
export interface AgentExchange extends McpExchange {
  readonly agent: string
  /** Headers with the router's word on an agent that calls, good for this request once; absent for people. */
  vouch?(): readonly (readonly [string, string])[]
}

/** A way to the MCP server of an agent. */
export interface Backend {
  /** Answers a request of a client; errors go to `exchange.fail`. */
  serve(exchange: AgentExchange): void
  /** The answer to a request that was read, or made, by the router. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/** Names at `/mcp`. `always`: every one has a prefix. `collisions`: only those that two agents have. */
export type PrefixMode = 'always' | 'collisions'
