/** What the parts of the gateway have in common. */
import type { RouteEntry } from '../../config/documents.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { McpExchange } from '../../http/mcp-exchange.ts'

export interface McpRoutes {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
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
  close(): Promise<void>
}
