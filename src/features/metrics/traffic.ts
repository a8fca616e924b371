/** Requests to agents as the front sees them: counted where they pass, summed up once a slot. */
import { bucketOf, BUCKETS, quantile } from './histogram.ts'

/** Agents that are counted apart; more than a workspace has. */
const MAX_AGENTS = 5000
const FIRST_ERROR = 500

interface Counter {
  requests: number
  errors: number
  readonly times: Uint32Array
}

export interface Flow {
  readonly requests: number
  /** Answered with a status of 500 or more, or not at all. */
  readonly errors: number
  /** Milliseconds until the head of the answer; null without requests. */
  readonly p50: number | null
  readonly p95: number | null
}

export interface Traffic {
  /** On the path of every request: an addition, and no memory but for the first of an agent. */
  record(agent: string, status: number, milliseconds: number): void
  /** What came since the last call. */
  roll(): { agents: Map<string, Flow>; total: Flow }
}

export const NO_FLOW: Flow = { requests: 0, errors: 0, p50: null, p95: null }

const newCounter = (): Counter => ({ requests: 0, errors: 0, times: new Uint32Array(BUCKETS) })
const flowOf = ({ requests, errors, times }: Counter): Flow => ({
  ...{ requests, errors },
  p50: quantile(times, 0.5),
  p95: quantile(times, 0.95),
})

function clear(counter: Counter): void {
  counter.requests = 0
  counter.errors = 0
  counter.times.fill(0)
}

export function createTraffic(): Traffic {
  const counters = new Map<string, Counter>()
  const all = newCounter()

  function counterOf(agent: string): Counter | undefined {
    const known = counters.get(agent)
    if (known !== undefined || counters.size >= MAX_AGENTS) return known
    const made = newCounter()
    counters.set(agent, made)
    return made
  }

  return {
    record(agent, status, milliseconds) {
      const counter = counterOf(agent)
      if (counter === undefined) return
      const bucket = bucketOf(milliseconds)
      counter.requests += 1
      if (status >= FIRST_ERROR || status === 0) counter.errors += 1
      counter.times[bucket] = (counter.times[bucket] ?? 0) + 1
    },
    roll() {
      const agents = new Map<string, Flow>()
      for (const [agent, counter] of counters) {
        // Silent for a whole slot: made again with its next request.
        if (counter.requests === 0) {
          counters.delete(agent)
          continue
        }
        agents.set(agent, flowOf(counter))
        all.requests += counter.requests
        all.errors += counter.errors
        counter.times.forEach((count, bucket) => (all.times[bucket] = (all.times[bucket] ?? 0) + count))
        clear(counter)
      }
      const total = flowOf(all)
      clear(all)
      return { agents, total }
    },
  }
}
