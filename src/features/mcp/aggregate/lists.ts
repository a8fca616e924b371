/** What agents offer: their lists, page by page, kept as long as they allow it. */
import { CODES, META } from '../../../core/mcp.ts'
import { isObject } from '../../../core/json.ts'
import type { AgentAccess } from '../access.ts'
import { callModern, type Caller } from './call.ts'
import { RpcFailure } from './failure.ts'
import { type Json, textOf } from './message.ts'

export const KINDS = {
  tools: { method: 'tools/list', field: 'tools', key: 'name' },
  prompts: { method: 'prompts/list', field: 'prompts', key: 'name' },
  resources: { method: 'resources/list', field: 'resources', key: 'uri' },
  templates: { method: 'resources/templates/list', field: 'resourceTemplates', key: 'uriTemplate' },
} as const
export type Kind = keyof typeof KINDS

export interface Listing {
  readonly items: readonly Json[]
  /** How long it may be used again, and by others than who asked. */
  readonly ttlMs: number
  readonly isPublic: boolean
}

const MAX_PAGES = 200
const MAX_ITEMS = 20_000
/** Longest time that a list is kept, whatever its agent says. */
const MAX_TTL_MS = 3_600_000
const MAX_KEPT = 2000

/** A list from its first page to its last. An agent without the method has nothing of the kind. */
export async function readPages(kind: Kind, ask: (method: string, params: Json) => Promise<Json>): Promise<Listing> {
  const { method, field, key } = KINDS[kind]
  const items: Json[] = []
  const seen = new Set<string>()
  let ttlMs = MAX_TTL_MS
  let isPublic = true
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES && items.length < MAX_ITEMS; page += 1) {
    let result: Json
    try {
      result = await ask(method, cursor === undefined ? {} : { cursor })
    } catch (error) {
      if (page > 0 || !(error instanceof RpcFailure) || error.error.code !== CODES.methodNotFound) throw error
      return { items: [], ttlMs: 0, isPublic: false }
    }
    const found = result[field]
    if (Array.isArray(found)) items.push(...found.filter((item) => isObject(item) && textOf(item[key]) !== undefined))
    ttlMs = Math.min(ttlMs, typeof result['ttlMs'] === 'number' ? Math.max(0, result['ttlMs']) : 0)
    isPublic &&= result['cacheScope'] === 'public'
    cursor = textOf(result['nextCursor'])
    // A cursor that comes again would go round for ever.
    if (cursor === undefined || seen.has(cursor)) break
    seen.add(cursor)
  }
  return { items, ttlMs, isPublic }
}

export interface Lists {
  /** The list of an agent of the modern era, perhaps a kept one. */
  modern(agent: string, kind: Kind, caller: Caller): Promise<Listing>
  /** Forgets what is kept of an agent; of all without a name. */
  drop(agent?: string): void
  /** Agents of which something is kept. */
  kept(): ReadonlySet<string>
}

export function createLists(access: AgentAccess, now: () => number = () => performance.now()): Lists {
  const entries = new Map<string, { agent: string; until: number; listing: Listing }>()
  /** Counts what was dropped: an answer that was on its way then is not kept. */
  let generation = 0

  const keyOf = (agent: string, kind: Kind, whose: string): string =>
    JSON.stringify([agent, access.instance(agent), kind, whose])
  /** What the answer may depend on. */
  const privateTo = ({ principal, meta }: Caller): string =>
    JSON.stringify([principal.id, meta[META.capabilities] ?? null])

  function find(key: string): Listing | null {
    const entry = entries.get(key)
    if (entry === undefined) return null
    if (entry.until > now()) return { ...entry.listing, ttlMs: Math.floor(entry.until - now()) }
    entries.delete(key)
    return null
  }

  return {
    async modern(agent, kind, caller) {
      const kept = find(keyOf(agent, kind, 'public')) ?? find(keyOf(agent, kind, privateTo(caller)))
      if (kept !== null && access.keeps(agent) && access.obstacle(agent) === null) return kept
      const began = generation
      const listing = await readPages(kind, (method, params) => callModern(access, agent, { method, params, caller }))
      if (listing.ttlMs > 0 && began === generation && access.keeps(agent)) {
        const first = entries.keys().next().value
        if (entries.size >= MAX_KEPT && first !== undefined) entries.delete(first)
        const key = keyOf(agent, kind, listing.isPublic ? 'public' : privateTo(caller))
        entries.set(key, { agent, until: now() + listing.ttlMs, listing })
      }
      return listing
    },
    drop(agent) {
      generation += 1
      for (const [key, entry] of entries) if (agent === undefined || entry.agent === agent) entries.delete(key)
    },
    kept: () => new Set([...entries.values()].map(({ agent }) => agent)),
  }
}

/** Names of what agents offer, as last seen: only for finding out whose a name without prefix is. */
export interface Index {
  learn(agent: string, kind: Kind, items: readonly Json[]): void
  /** Null: never seen, or the agent changed since. */
  names(agent: string, kind: Kind): readonly string[] | null
  drop(agent?: string): void
  /** True at most once a second: asking all agents again because of a name that nobody has. */
  mayRefresh(kind: Kind): boolean
}

const REFRESH_MS = 1000

export function createIndex(access: AgentAccess, now: () => number = () => performance.now()): Index {
  const known = new Map<string, readonly string[]>()
  const refreshed = new Map<Kind, number>()
  const keyOf = (agent: string, kind: Kind): string => JSON.stringify([agent, kind, access.instance(agent)])
  return {
    learn(agent, kind, items) {
      known.set(
        keyOf(agent, kind),
        items.map((item) => String(item[KINDS[kind].key])),
      )
    },
    names: (agent, kind) => known.get(keyOf(agent, kind)) ?? null,
    drop(agent) {
      for (const key of known.keys())
        if (agent === undefined || (JSON.parse(key) as string[])[0] === agent) known.delete(key)
    },
    mayRefresh(kind) {
      const last = refreshed.get(kind)
      if (last !== undefined && now() - last < REFRESH_MS) return false
      refreshed.set(kind, now())
      return true
    },
  }
}
