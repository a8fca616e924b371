/** What the router process is made with. */
import type { Hono } from 'hono'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import type { Command, Input } from '../../cli/command.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import type { Principal } from '../../core/principal.ts'
import type { Store } from '../../core/store.ts'
import type { Platform } from '../../platform/index.ts'
import type { HonoEnv } from '../../http/front.ts'
import type { McpGateway } from '../../http/mcp-exchange.ts'
import type { TerminalGateway } from '../../http/terminal-gateway.ts'
import type { Demand } from '../demand/index.ts'
import type { McpRoutes } from '../mcp/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Authenticator, LiveSessions } from '../auth/index.ts'
import type { openCallers } from './callers.ts'

export interface RouterHttp {
  /** Pages and API with what they need: a third of what a router loads, and agents can be reached without. */
  loadApp(): Promise<{
    createApp: typeof import('../../http/app.ts').createApp
    createStaticFiles: typeof import('../../http/static.ts').createStaticFiles
    features: readonly Hono[]
    apiFeatures: readonly Hono<HonoEnv>[]
  }>
  createFront: typeof import('../../http/front.ts').createFront
  createGuard: typeof import('../../http/guard.ts').createGuard
  createSites: typeof import('../../http/sites.ts').createSites
  createAgentGuard: typeof import('../../http/agent-guard.ts').createAgentGuard
  writeError: typeof import('../../http/error-response.ts').writeError
}

export interface RouterOptions<S> {
  platform: Platform
  paths: WorkspacePaths
  workspaceId: string
  settings: Settings
  store: Store
  events: EventBus
  log: Logger
  version: string
  http: RouterHttp
  authenticator(): Promise<Authenticator>
  readonly sessions: LiveSessions
  /** What the keys of agents follow from. */
  agentSecret(): Promise<string>
  commands: readonly Command<S>[]
  execute(
    command: Command<S>,
    input: Input,
    call: { principal: Principal; signal: AbortSignal },
  ): Promise<unknown> | AsyncIterable<unknown>
  status(): Promise<unknown>
  demand(routes: McpRoutes): Demand
  mcp(
    routes: McpRoutes,
    parts: { demand: Demand; callers: Pick<Awaited<ReturnType<typeof openCallers>>, 'gate' | 'policy' | 'vouch'> },
  ): Promise<McpGateway & { close(): Promise<void> }>
  terminals(parts: { demand: Demand; routes: McpRoutes }): TerminalGateway & { close(): Promise<void> }
  /** Follows the engines and cares for the agents until the signal aborts. */
  readonly supervisor: RouterSupervisor
  readonly metrics: Metrics
  /** Process that starts it again when it crashes. */
  readonly watchdog: number | null
}

export interface RouterSupervisor {
  /** `routed`: makes written routes count for requests; an agent is ready only after it. */
  run(signal: AbortSignal, routed: () => Promise<void>): Promise<void>
  /** Somebody changed something: looked at before that is told as done. */
  look(): Promise<void>
  refusal(agent: string): PloinkyError | null
}
