/** What agents use now. */
import { supervisorDocument } from '../../config/documents.ts'
import { own, workloadName } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import { delay } from '../../core/time.ts'
import type { RuntimeAdapter, WorkloadStats } from '../../../runtimes/adapter.ts'
import type { EnabledAgent, Runtimes } from '../agents/index.ts'

export interface AgentStats {
  readonly agent: string
  readonly state: string
  /** Of one processor; null when nobody can tell. */
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
  readonly pids: number | null
  readonly uptimeSeconds: number | null
  /** By the supervisor, since a person started it. */
  readonly restarts: number
}

export interface StatsService {
  /** Processor time is a difference: the first answer about an agent may take half a second. */
  of(agents: readonly EnabledAgent[], signal?: AbortSignal): Promise<AgentStats[]>
  /** The same for who asks again and again: one sample each, a few at a time; processor time is since the last one. */
  glance(agents: readonly EnabledAgent[], signal: AbortSignal): Promise<Glance[]>
}

export type Glance = Pick<AgentStats, 'agent' | 'cpuPercent' | 'memoryBytes'>

export interface StatsOptions {
  readonly runtimes: Pick<Runtimes, 'use'>
  readonly store: Store
  readonly workspaceId: string
}

const WINDOW_MS = 500
/** Engines that are asked for many at once answer all of them late. */
const AT_ONCE = 4

export function createStatsService({ runtimes, store, workspaceId }: StatsOptions): StatsService {
  const nameOf = (agent: EnabledAgent): string => workloadName(workspaceId, agent.name)

  async function measure(adapter: RuntimeAdapter, name: string, options: { signal?: AbortSignal }) {
    const first = await adapter.stats(name, options)
    if (first === null || first.cpuPercent !== null) return first
    await delay(WINDOW_MS, options.signal)
    return (await adapter.stats(name, options)) ?? first
  }

  async function one(agent: EnabledAgent, options: { signal?: AbortSignal }): Promise<Omit<AgentStats, 'restarts'>> {
    const nothing: WorkloadStats = { cpuPercent: null, memoryBytes: null, pids: null }
    const base = { agent: agent.name, uptimeSeconds: null, ...nothing }
    if (agent.runtime === null) return { ...base, state: 'stopped' }
    const adapter = await runtimes.use(agent.runtime).catch(() => null)
    if (adapter === null) return { ...base, state: 'lost' }
    const workload = await adapter.inspect(nameOf(agent), options)
    if (workload === null || (workload.state !== 'running' && workload.state !== 'paused'))
      return { ...base, state: 'stopped' }
    const used = (await measure(adapter, nameOf(agent), options)) ?? nothing
    const { startedAt, state } = workload
    const uptimeSeconds =
      startedAt === null ? null : Math.max(0, Math.round((Date.now() - Date.parse(startedAt)) / 1000))
    return { ...base, state, ...used, uptimeSeconds }
  }

  /** Those that run, of one runtime; nothing when it cannot be asked. */
  async function glanceAt(agents: readonly EnabledAgent[], options: { signal: AbortSignal }): Promise<Glance[]> {
    const [first] = agents
    if (first === undefined || first.runtime === null) return []
    const adapter = await runtimes.use(first.runtime).catch(() => null)
    const found = (await adapter?.list({ workspace: workspaceId }, options).catch(() => [])) ?? []
    const running = new Set(found.filter(({ state }) => state === 'running').map(({ name }) => name))
    const waiting = agents.filter((agent) => running.has(nameOf(agent)))
    const seen: Glance[] = []
    const work = async (): Promise<void> => {
      for (let agent = waiting.shift(); agent !== undefined; agent = waiting.shift()) {
        const used = await adapter?.stats(nameOf(agent), options).catch(() => null)
        if (used) seen.push({ agent: agent.name, cpuPercent: used.cpuPercent, memoryBytes: used.memoryBytes })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return seen
  }

  return {
    async glance(agents, signal) {
      const used = [...new Set(agents.map(({ runtime }) => runtime))]
      const groups = used.map((id) => agents.filter(({ runtime }) => runtime === id))
      return (await Promise.all(groups.map((group) => glanceAt(group, { signal })))).flat()
    },
    async of(agents, signal) {
      const options = signal === undefined ? {} : { signal }
      // All at the same time: each may wait for its second sample.
      const [found, counted] = await Promise.all([
        Promise.all(agents.map((agent) => one(agent, options))),
        store.read(supervisorDocument).catch(() => supervisorDocument.empty()),
      ])
      return found.map((item) => ({ ...item, restarts: own(counted.agents, item.agent)?.restarts ?? 0 }))
    },
  }
}
