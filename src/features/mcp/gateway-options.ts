/** What the gateway is given. */
import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import type { Principal } from '../../core/principal.ts'
import type { Store } from '../../core/store.ts'
import type { Platform } from '../../platform/index.ts'
import type { CallGate, CallPolicy } from '../callers/index.ts'
import type { Demand } from '../demand/index.ts'
import type { ToolGuard } from '../tool-lock/index.ts'
import type { PrefixMode } from './exchange.ts'
import type { ExecTarget } from './exec-runner.ts'
import type { OwnServer } from './own/server.ts'
import type { StdioTarget } from './stdio/program.ts'
import type { McpRoutes } from './types.ts'

export interface McpGatewayOptions {
  platform: Platform
  log: Logger
  version: string
  routes: McpRoutes
  store: Store
  events: EventBus
  demand: Demand
  /** Knows which tools are blocked. */
  guard: ToolGuard
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
