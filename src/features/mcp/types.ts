/** What the parts of the gateway have in common. */
import type { RouteEntry } from '../../config/documents.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { UpstreamAnswer, UpstreamCall } from './upstream.ts'

export interface McpRoutes {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
  /** Of all enabled agents. */
  names(): readonly string[]
  /** Reads the table again. */
  reload(): Promise<void>
}

/** The agent's own name beside the exchange: `Backend`s serve agents only. */
export interface AgentExchange extends McpExchange {
  readonly agent: string
}

/** A way to the MCP server of an agent. */
export interface Backend {
  /** Answers a request of a client; errors go to `exchange.fail`. */
  serve(exchange: AgentExchange): void
  /** The answer to a request that was read, or made, by the router. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  close(): Promise<void>
}

/** By the kind of a route; `own`: our commands. */
export type Backends = Readonly<Partial<Record<Exclude<RouteEntry['mcp'], 'container' | 'none'> | 'own', Backend>>>
