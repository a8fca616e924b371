/** start, stop, shutdown, destroy, restart and status of a workspace. Takes and returns data; prints nothing. */
import { basename } from 'node:path'
import { routingDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Settings } from '../../config/settings.ts'
import type { Store } from '../../core/store.ts'
import type { RuntimeId } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import {
  type AgentStatus,
  agentStatuses,
  type EnabledAgent,
  type Instances,
  needsOf,
  type Registry,
  type Runtimes,
  stopInOrder,
  stopOrder,
  unlinkFolders,
} from '../agents/index.ts'
import type { Grants } from '../callers/index.ts'
import type { RouterDaemon, RouterInfo } from '../router/index.ts'
import { ownRepos, removeAllBut } from './own-work.ts'
import { type AgentResult, errorData, type Starter, type StartInput, type StartResult } from './start-agents.ts'

/** Another command may be pulling an image; wait for it rather than fail. */
const CHANGE_WAIT_MS = 10 * 60_000

export interface StartReport {
  readonly agents: readonly AgentResult[]
  readonly notices: readonly string[]
  readonly router: { readonly host: string; readonly port: number; readonly pid?: number } | null
  readonly url?: string
  /** Signs a browser in, once. */
  readonly login: string | null
  readonly stopped?: boolean
}

export interface WorkspaceStatus {
  readonly workspace: { readonly name: string; readonly root: string; readonly id: string }
  readonly router: {
    readonly running: boolean
    readonly version: string
    readonly host: string
    readonly port: number
    readonly pid: number | null
    readonly uptimeSeconds: number | null
  }
  readonly profile: string
  readonly agents: readonly AgentStatus[]
}

export interface WorkspaceService {
  exists(): Promise<boolean>
  /** Idempotent; true when it was made now. */
  init(): Promise<boolean>
  startAgents(input: StartInput): Promise<StartResult>
  stopAgents(agent: string | null, signal?: AbortSignal): Promise<readonly AgentResult[]>
  removeAgents(signal?: AbortSignal): Promise<readonly AgentResult[]>
  /** What `destroy` would remove, and what it would keep because it holds files that are nowhere else. */
  destroyPlan(): Promise<{ remove: string[]; keep: string[] }>
  destroyFiles(withData: boolean): Promise<{ removed: string[]; kept: string[] }>
  status(): Promise<WorkspaceStatus>
  /** One change at a time for a workspace, over all processes. */
  exclusive<T>(what: string, run: () => Promise<T>): Promise<T>
  /** Looks for the engine already; whoever asks for it next finds it. */
  warm(): void
  /** PORT_TAKEN before anything is started, when a stranger listens. */
  checkPort(): Promise<void>
}

export interface WorkspaceOptions {
  platform: Platform
  paths: WorkspacePaths
  workspaceId: string
  settings: Settings
  store: Store
  registry: Registry
  instances: Instances
  runtimes: Runtimes
  starter: Starter
  router: RouterDaemon
  grants: Grants
  version: string
}

export function createWorkspaceService(options: WorkspaceOptions): WorkspaceService {
  const { platform, paths, registry, instances, settings } = options
  const { fs } = platform

  async function init(): Promise<boolean> {
    const isNew = (await fs.stat(paths.dir)) === null
    await fs.mkdir(paths.dir)
    await Promise.all([paths.repos, paths.running, paths.logs].map((path) => fs.mkdir(path)))
    // State, secrets and clones of a workspace do not belong into anybody's repository.
    if (isNew) await fs.writeAtomic(`${paths.dir}/.gitignore`, '*\n')
    return isNew
  }

  async function selected(agent: string | null): Promise<EnabledAgent[]> {
    return agent === null ? await registry.list() : [await registry.get(agent)]
  }

  async function one(
    agent: EnabledAgent,
    run: (agent: EnabledAgent) => Promise<boolean>,
    outcome: string,
  ): Promise<AgentResult> {
    const began = Date.now()
    const base = { agent: agent.name, runtime: agent.runtime }
    try {
      const changed = await run(agent)
      const milliseconds = Date.now() - began
      return { ...base, state: 'stopped', outcome: changed ? outcome : 'unchanged', milliseconds }
    } catch (error) {
      const milliseconds = Date.now() - began
      return { ...base, state: 'failed', outcome: 'failed', milliseconds, error: errorData(error) }
    }
  }

  /** What others need goes after them. */
  async function each(
    agents: readonly EnabledAgent[],
    run: (agent: EnabledAgent) => Promise<boolean>,
    outcome: string,
  ): Promise<AgentResult[]> {
    const needs = agents.length < 2 ? [] : await Promise.all(agents.map((agent) => needsOf(agent, instances.load)))
    return await stopInOrder(agents, stopOrder(needs), (agent) => one(agent, run, outcome))
  }

  async function isEmptyTree(path: string): Promise<boolean> {
    return (await fs.list(path)).length === 0
  }

  return {
    init,
    exists: async () => (await fs.stat(paths.dir)) !== null,
    exclusive: (what, run) => platform.lock(paths.changeLock, { waitMs: CHANGE_WAIT_MS, what }, run),
    warm() {
      const found =
        settings.runtime === 'auto'
          ? options.runtimes.firstEngine()
          : options.runtimes.use(settings.runtime as RuntimeId)
      // Whoever needs it is told.
      found.catch(() => {})
    },
    async checkPort() {
      if (
        (await options.router.info()) !== null ||
        !(await platform.net.isListening(settings.host, settings.port, 500))
      )
        return
      // Listening on it would fail later with the same error; nothing is started for a port that cannot be had.
      const server = await platform.net.serve(
        { host: settings.host, port: settings.port },
        { request: (_in, out) => void out.end(), upgrade: (_in, socket) => void socket.destroy() },
      )
      await server.close(0)
    },
    startAgents: options.starter.start,
    async stopAgents(agent, signal) {
      return await each(await selected(agent), (item) => instances.stop(item, signal), 'stopped')
    },
    async removeAgents(signal) {
      return await each(await registry.list(), (item) => instances.remove(item, signal), 'removed')
    },
    async destroyPlan() {
      const keep: string[] = await ownRepos(fs, paths, options.store)
      for (const { name } of await registry.list())
        if (!(await isEmptyTree(paths.agentWork(name)))) keep.push(paths.agentWork(name))
      return { remove: [paths.dir, paths.agentCode('.'), paths.agentSkills('.')], keep }
    },
    async destroyFiles(withData) {
      const kept: string[] = []
      const removed: string[] = []
      const drop = async (path: string): Promise<void> => {
        await fs.remove(path)
        removed.push(path)
      }
      for (const { name } of await registry.list()) {
        const work = paths.agentWork(name)
        await unlinkFolders(fs, paths, name)
        if (withData || (await isEmptyTree(work))) await drop(work)
        else kept.push(work)
      }
      // Only folders that are empty now: others may hold something that is not ours.
      for (const folder of [paths.agentCode('.'), paths.agentSkills('.'), paths.agentWork('.')]) {
        if ((await fs.stat(folder)) !== null && (await isEmptyTree(folder))) await drop(folder)
      }
      const own = withData ? [] : await ownRepos(fs, paths, options.store)
      if (own.length === 0) await drop(paths.dir)
      else await removeAllBut(fs, paths, own)
      return { removed, kept: [...kept, ...own] }
    },
    async status() {
      const [agents, routing, router] = await Promise.all([
        registry.list(),
        options.store.read(routingDocument),
        options.router.info(),
      ])
      const deps = {
        net: platform.net,
        runtimes: options.runtimes,
        workspaceId: options.workspaceId,
        load: instances.load,
      }
      return {
        workspace: { name: basename(paths.root), root: paths.root, id: options.workspaceId },
        router: routerStatus(router, options),
        profile: settings.profile,
        agents: await agentStatuses(deps, { agents, routing, grants: await options.grants.list(agents) }),
      }
    },
  }
}

function routerStatus(info: RouterInfo | null, options: WorkspaceOptions): WorkspaceStatus['router'] {
  if (info === null) {
    return {
      running: false,
      version: options.version,
      host: options.settings.host,
      port: options.settings.port,
      pid: null,
      uptimeSeconds: null,
    }
  }
  const uptimeSeconds = Math.max(0, Math.round((Date.now() - Date.parse(info.startedAt)) / 1000))
  return { running: true, version: info.version, host: info.host, port: info.port, pid: info.pid, uptimeSeconds }
}
