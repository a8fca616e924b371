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
  let of: readonly string[] | null = null
  /** By label; null: more than one agent is called that. */
  let sites = new Map<string, string | null>()

  function index(names: readonly string[]): void {
    of = names
    sites = new Map()
    for (const name of names) {
      const label = name.toLowerCase()
      if (LABEL.test(label)) sites.set(label, sites.has(label) ? null : name)
    }
  }

  function agentOf(label: string): string | null {
    const names = table.names()
    if (names !== of) index(names)
    return sites.get(label) ?? null
  }
  return { agentOf, hasSite: (agent) => agentOf(agent.toLowerCase()) === agent }
}
