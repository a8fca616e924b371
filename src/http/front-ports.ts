/** What the front asks of the features. Types only. */
import type { RouteEntry } from '../config/documents.ts'
import type { PloinkyError } from '../core/error.ts'
import type { Principal } from '../core/principal.ts'

export interface RouteTable {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
  /** Reads the table again; for names that were not found, since the change may be newer than the notification of it. */
  reload(): Promise<void>
  /** The agent whose files are served at `/`; null: none. */
  staticAgent(): string | null
}

/** Agents that are started by the first call. */
export interface StartsOnDemand {
  has(agent: string): boolean
  wake(agent: string, waitMs: number): Promise<void>
  use(agent: string): () => void
}

export interface SessionHolds {
  /** Calls back when the session by which a principal came ends; returns the way out. */
  hold(principal: Principal | null, onEnd: () => void): () => void
}
