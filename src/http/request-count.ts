/** Counts what agents are asked, for the charts: how many, how long, how many failed. */
import type { Exchange } from './exchange.ts'

/** Requests to all agents as one; no agent is called so. */
const AGGREGATE = '/mcp'

export interface CountParts {
  routes: { find(agent: string): unknown }
  /** `ms`: from the request's head to the head of its answer. Status 0: none came. */
  record(agent: string, status: number, ms: number): void
}

export type Count = (exchange: Exchange, status: number) => void

/** By whichever is told first: the head of a relayed answer, or the end of one of ours. */
export function createCount({ routes, record }: CountParts): Count {
  return (exchange, status) => {
    if (exchange.isCounted) return
    exchange.isCounted = true
    const agent = exchange.caller.site ?? exchange.target.agent?.name ?? AGGREGATE
    // Names that nobody has would each take the memory of an agent.
    if (agent !== AGGREGATE && routes.find(agent) === null) return
    record(agent, status, performance.now() - exchange.began)
  }
}
