/** The route table in memory: read once, kept fresh by watching the files and the engine. No request reads a disk. */
import {
  type AgentRecord,
  agentsDocument,
  type Granted,
  grantsDocument,
  type RouteEntry,
  routingDocument,
  type Routing,
} from '../../config/documents.ts'
import { messageOf } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import { sharedRead } from '../../core/shared-read.ts'
import type { Store } from '../../core/store.ts'

export interface RouteTableHandle {
  find(agent: string): RouteEntry | 'stopped' | null
  /** Of all enabled agents, running or not; the same array until the table changes. */
  names(): readonly string[]
  routing(): Routing
  /** The enabled agents by name. */
  agents(): Readonly<Record<string, AgentRecord>>
  /** What the workspace lets agents call, by caller. */
  grants(): Readonly<Record<string, Granted>>
  reload(): Promise<void>
  close(): void
}

export interface RouteTableOptions {
  store: Store
  log: Logger
  /** Told about each entry that changed or went, so that kept sockets are let go. */
  onGone(entry: RouteEntry): void
  onChange(): void
}

const same = (a: RouteEntry | undefined, b: RouteEntry | undefined): boolean =>
  a?.hostPort === b?.hostPort && a?.hostIp === b?.hostIp && a?.container === b?.container

export async function createRouteTable({ store, log, onGone, onChange }: RouteTableOptions): Promise<RouteTableHandle> {
  let current: Routing = routingDocument.empty()
  let agents: Readonly<Record<string, AgentRecord>> = {}
  let grants: Readonly<Record<string, Granted>> = {}
  /** Enabled agents that have no route are stopped. */
  let places: ReadonlyMap<string, RouteEntry | 'stopped'> = new Map()
  let names: readonly string[] = []

  async function readAgain(): Promise<void> {
    try {
      const [routing, enabled] = await Promise.all([store.read(routingDocument), store.read(agentsDocument)])
      const before = current
      current = routing
      agents = enabled.agents
      const known = new Map<string, RouteEntry | 'stopped'>(Object.entries(routing.routes))
      for (const agent of Object.keys(agents)) if (!known.has(agent)) known.set(agent, 'stopped')
      places = known
      names = [...places.keys()]
      for (const [agent, entry] of Object.entries(before.routes))
        if (!same(entry, own(routing.routes, agent))) onGone(entry)
      onChange()
    } catch (error) {
      // The last good table stays in force; a broken file must not take working agents down.
      log.error('routing not reloaded', { error: messageOf(error) })
    }
  }

  const reload = sharedRead(readAgain)

  async function readGrants(): Promise<void> {
    try {
      grants = (await store.read(grantsDocument)).grants
    } catch (error) {
      log.error('grants not reloaded', { error: messageOf(error) })
    }
  }

  const readAll = async (): Promise<void> => {
    await Promise.all([reload(), readGrants()])
  }
  const stops = [
    store.watch(routingDocument, () => void reload()),
    store.watch(agentsDocument, () => void reload()),
    store.watch(grantsDocument, () => void readGrants()),
  ]
  await readAll()
  return {
    find: (agent) => places.get(agent) ?? null,
    names: () => names,
    routing: () => current,
    agents: () => agents,
    grants: () => grants,
    reload: readAll,
    close: () => stops.forEach((stop) => stop()),
  }
}
