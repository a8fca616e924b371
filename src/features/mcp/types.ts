/** What the parts of the gateway have in common. */
import type { RouteEntry } from '../../config/documents.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { Backend } from './exchange.ts'

export type { AgentExchange, Backend } from './exchange.ts'

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

/** By the kind of a route; `own`: our commands. */
export type Backends = Readonly<Partial<Record<Exclude<RouteEntry['mcp'], 'container' | 'none'> | 'own', Backend>>>
