/** What the gateway asks of each way to an agent. */
import type { McpExchange } from '../../http/mcp-exchange.ts'

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
