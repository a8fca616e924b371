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
}

export interface StatsOptions {
  readonly runtimes: Pick<Runtimes, 'use'>
  readonly store: Store
  readonly workspaceId: string
}

const WINDOW_MS = 500

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

  return {
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
