/** What commands and the router are given: the features of one workspace, wired by `compose.ts`. Types only. */
import type { WorkspacePaths } from './config/paths.ts'
import type { Explained, SettingName, Settings, SettingValue } from './config/settings.ts'
import type { EventBus } from './core/events.ts'
import type { Logger } from './core/log.ts'
import type { EnabledAgent, ExplainedPlan, Instances, Planner, Registry, Runtimes } from './features/agents/index.ts'
import type { Sessions } from './features/auth/index.ts'
import type { Grants } from './features/callers/index.ts'
import type { Consents } from './features/hooks/index.ts'
import type { Dependencies } from './features/dependencies/index.ts'
import type { CheckResult } from './features/doctor/index.ts'
import type { EventReader } from './features/events/index.ts'
import type { FileService } from './features/files/index.ts'
import type { LogService } from './features/logs/index.ts'
import type { ManifestService } from './features/manifests/index.ts'
import type { Endpoints } from './features/mcp/index.ts'
import type { Catalog, RepoService } from './features/repos/index.ts'
import type { Metrics } from './features/metrics/index.ts'
import type { RouterDaemon } from './features/router/index.ts'
import type { RouterClient } from './features/router/client.ts'
import type { Sandbox } from './features/sandbox/index.ts'
import type { Scaffold } from './features/scaffold/index.ts'
import type { SecretStore } from './features/secrets/index.ts'
import type { Skills } from './features/skills/index.ts'
import type { Variables } from './features/variables/index.ts'
import type { TaskList } from './features/mcp/task-list.ts'
import type { ToolLocks } from './features/tool-lock/index.ts'
import type { Starter, WorkspaceService } from './features/workspace/index.ts'
import type { Recordings, Terminals } from './features/terminals/index.ts'
import type { StatsService } from './features/supervisor/index.ts'
import type { Platform } from './platform/index.ts'

export interface SettingsService {
  readonly values: Settings
  explain(): readonly Explained[]
  /** USAGE_INVALID, with the nearest name, when no setting is called that. */
  checkName(name: string): SettingName
  /** Writes to the workspace; null removes. */
  set(name: string, value: SettingValue | null): Promise<Explained>
}

export interface TokenService {
  show(): Promise<string>
  rotate(): Promise<string>
}

export interface Services {
  readonly platform: Platform
  readonly paths: WorkspacePaths
  readonly workspaceId: string
  readonly version: string
  readonly log: Logger
  readonly events: EventBus
  readonly settings: SettingsService
  readonly workspace: WorkspaceService
  readonly catalog: Catalog
  readonly scaffold: Scaffold
  readonly skills: Skills
  readonly repos: RepoService
  readonly registry: Registry
  readonly instances: Instances
  readonly planner: Planner
  readonly starter: Starter
  readonly dependencies: Dependencies
  readonly manifests: ManifestService
  readonly mcpEndpoints: Endpoints
  readonly runtimes: Runtimes
  readonly sandbox: Sandbox
  readonly router: RouterDaemon
  readonly client: RouterClient
  readonly secrets: SecretStore
  readonly variables: Variables
  readonly grants: Grants
  readonly consents: Consents
  readonly token: TokenService
  readonly sessions: Sessions
  readonly files: FileService
  readonly logs: LogService
  readonly eventLog: EventReader
  readonly tasks: TaskList
  readonly toolLocks: ToolLocks
  readonly terminals: Terminals
  readonly recordings: Recordings
  /** Installs what an agent's package.json asks for; the folder, or null when nothing is needed. */
  prepareDependencies(
    agent: EnabledAgent,
    options: { progress: (text: string) => void; signal: AbortSignal },
  ): Promise<string | null>
  /** What would be run for an agent, enabled or not. Changes nothing. */
  explain(agent: string, profile: string | null): Promise<ExplainedPlan>
  readonly stats: StatsService
  /** Of the router process; null in every other. */
  readonly metrics: Metrics | null
  /** Removes what nobody needs any more from the runtimes in use: jobs whose starter is gone (or all), unused networks. */
  sweep(jobs: 'orphaned' | 'all'): Promise<void>
  doctor(): Promise<CheckResult[]>
  /** Runs the router in this process until `stopped` resolves; calls back when it listens. */
  serve(
    onReady: (info: { host: string; port: number }) => void,
    stopped: Promise<void>,
    /** Who starts it again when it crashes: a process id. */
    options?: { watchdog: number | null },
  ): Promise<void>
  /** The same workspace with other flags. The caller disposes of it. */
  withFlags(flags: Partial<Record<SettingName, SettingValue>>): Promise<Services>
  dispose(): Promise<void>
}
