/** What the parts of the gateway have in common. */
import type { RouteEntry } from '../../config/documents.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import type { Principal } from '../../core/principal.ts'
import type { Store } from '../../core/store.ts'
import type { Platform } from '../../platform/index.ts'
import type { CallGate, CallPolicy } from '../callers/index.ts'
import type { Demand } from '../demand/index.ts'
import type { Backend, PrefixMode } from './exchange.ts'
import type { ExecTarget } from './exec-runner.ts'
import type { OwnServer } from './own/server.ts'
import type { StdioTarget } from './stdio/program.ts'

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

export interface McpGatewayOptions {
  platform: Platform
  log: Logger
  version: string
  routes: McpRoutes
  store: Store
  events: EventBus
  demand: Demand
  /** Decides on what agents ask of agents. */
  calls: CallGate
  /** What they may ask for. */
  policy: CallPolicy
  /** The router's word to an agent on who is calling; null: the agent cannot check it. */
  vouch(principal: Principal, agent: string): string | null
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<ExecTarget & StdioTarget>
  /** Folder for the records of an agent's tasks. */
  tasksDir(agent: string): string
  /** Changes when what an agent offers may have changed: its manifest and its configuration. */
  stampOf(agent: string): Promise<string>
  /** How names at `/mcp` are made. */
  prefix: PrefixMode
  /** Our own commands as an agent. */
  ownServer(): Promise<OwnServer>
}
