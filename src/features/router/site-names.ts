/** Which agents have an origin of their own: `http://<agent>.localhost:<port>/`. Host names know no case. */
import type { RouteTableHandle } from './table.ts'

/** What a browser takes for a host name. */
const LABEL = /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*$/

export interface SiteNames {
  /** Null: no enabled agent is called that, or two are, but for case. */
  agentOf(label: string): string | null
  hasSite(agent: string): boolean
}

export function createSiteNames(table: Pick<RouteTableHandle, 'names'>): SiteNames {
  function agentOf(label: string): string | null {
    const [only, second] = table.names().filter((name) => name.toLowerCase() === label)
    return only !== undefined && second === undefined && LABEL.test(label) ? only : null
  }
  return { agentOf, hasSite: (agent) => agentOf(agent.toLowerCase()) === agent }
}
