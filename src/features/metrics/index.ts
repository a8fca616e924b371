/**
 * What agents use and how they answer, over the last hour. Requests are counted as they pass. Processor and memory are
 * asked for in every slot while somebody looks, and seldom while nobody does; in no case does asking take more than its share.
 */
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { createHistory, type Point, type Series } from './history.ts'
import { createTraffic, type Flow, NO_FLOW, type Traffic } from './traffic.ts'

export type { Measure, Point, Series } from './history.ts'
export type { Traffic } from './traffic.ts'

export const SLOT_SECONDS = 10
const HOUR_SECONDS = 3600
/** Between two looks at what agents use, when nobody watches. */
const IDLE_MS = 60_000
/** Asking takes at most this share of the time. */
const SHARE_WATCHED = 0.2
const SHARE_IDLE = 0.02
/** Name of the sum in the rings; no agent has it. */
const TOTAL = ''

export interface Usage {
  readonly agent: string
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
}

/** One slot, as it is told to those who watch. */
export interface Sample {
  /** End of the slot, ISO 8601. */
  readonly at: string
  readonly slotSeconds: number
  readonly total: Point
  readonly agents: Readonly<Record<string, Point>>
}

export interface MetricsReport {
  /** End of the last slot, ISO 8601. */
  readonly at: string
  /** Seconds that one value stands for. */
  readonly stepSeconds: number
  readonly total: Series | null
  readonly agents: readonly ({ readonly agent: string } & Series)[]
}

export interface Metrics {
  readonly traffic: Pick<Traffic, 'record'>
  /** Calls back with each slot, soon with the first one; watching makes it exact. Returns the way out. */
  watch(listener: (sample: Sample) => void): () => void
  /** `agents` null: all of them. */
  read(query: { agents: readonly string[] | null; stepSeconds: number }): MetricsReport
  close(): void
}

export interface MetricsOptions {
  readonly log: Logger
  usage(signal: AbortSignal): Promise<readonly Usage[]>
  readonly now?: () => number
  readonly slotSeconds?: number
}

const pointOf = (flow: Flow, usage: Pick<Usage, 'cpuPercent' | 'memoryBytes'> | undefined): Point => ({
  cpuPercent: usage?.cpuPercent ?? null,
  memoryBytes: usage?.memoryBytes ?? null,
  ...{ requests: flow.requests, errors: flow.errors, p50Ms: flow.p50, p95Ms: flow.p95 },
})

function sumOf(used: readonly Usage[]): Pick<Usage, 'cpuPercent' | 'memoryBytes'> {
  const add = (values: (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0)
  }
  return {
    cpuPercent: add(used.map(({ cpuPercent }) => cpuPercent)),
    memoryBytes: add(used.map(({ memoryBytes }) => memoryBytes)),
  }
}

export function createMetrics(options: MetricsOptions): Metrics {
  const { now = Date.now, slotSeconds = SLOT_SECONDS, log } = options
  const slotMs = slotSeconds * 1000
  const traffic = createTraffic()
  const history = createHistory(Math.floor(HOUR_SECONDS / slotSeconds))
  const listeners = new Set<(sample: Sample) => void>()
  const ended = new AbortController()
  let askedAt = Number.NEGATIVE_INFINITY
  let costMs = 0
  let asking = false
  let last: Sample | null = null
  let lastSlot = slotAt()

  function slotAt(): number {
    return Math.floor(now() / slotMs)
  }

  /** Empty when it is not time to ask yet. */
  async function ask(): Promise<readonly Usage[]> {
    const isWatched = listeners.size > 0
    const pause = Math.max(isWatched ? 0 : IDLE_MS, costMs / (isWatched ? SHARE_WATCHED : SHARE_IDLE))
    if (now() - askedAt < pause - slotMs / 2) return []
    askedAt = now()
    const used = await options.usage(ended.signal)
    costMs = now() - askedAt
    return used
  }

  async function tick(): Promise<void> {
    if (asking || ended.signal.aborted) return
    asking = true
    try {
      const used = await ask()
      const flows = traffic.roll()
      const usage = new Map(used.map((item) => [item.agent, item]))
      const names = new Set([...usage.keys(), ...flows.agents.keys()])
      const points = new Map<string, Point>()
      for (const name of names) points.set(name, pointOf(flows.agents.get(name) ?? NO_FLOW, usage.get(name)))
      const total = pointOf(flows.total, sumOf(used))
      lastSlot = slotAt()
      history.write(lastSlot, new Map([[TOTAL, total], ...points]))
      last = { at: new Date(now()).toISOString(), slotSeconds, total, agents: Object.fromEntries(points) }
      for (const listener of listeners) listener(last)
    } catch (error) {
      if (!ended.signal.aborted) log.warn('agents not measured', { error: messageOf(error) })
    } finally {
      asking = false
    }
  }

  const timer = setInterval(() => void tick(), slotMs)
  timer.unref?.()

  return {
    traffic,
    watch(listener) {
      listeners.add(listener)
      if (last !== null) listener(last)
      // The first one who looks does not wait for the end of the slot.
      if (listeners.size === 1) void tick()
      return () => void listeners.delete(listener)
    },
    read({ agents, stepSeconds }) {
      const join = Math.max(1, Math.round(stepSeconds / slotSeconds))
      const series = (name: string): Series | null => history.read(name, lastSlot, join)
      const names = agents ?? history.names().filter((name) => name !== TOTAL)
      return {
        at: last?.at ?? new Date(now()).toISOString(),
        stepSeconds: join * slotSeconds,
        total: series(TOTAL),
        agents: names.flatMap((agent) => {
          const found = agent === TOTAL ? null : series(agent)
          return found === null ? [] : [{ agent, ...found }]
        }),
      }
    },
    close() {
      clearInterval(timer)
      ended.abort()
      listeners.clear()
    },
  }
}
