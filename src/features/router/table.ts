/** The route table in memory: read once, kept fresh by watching the files and the engine. No request reads a disk. */
import { agentsDocument, type RouteEntry, routingDocument, type Routing } from '../../config/documents.ts'
import { messageOf } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import type { Store } from '../../core/store.ts'

export interface RouteTableHandle {
  find(agent: string): RouteEntry | 'stopped' | null
  /** Of all enabled agents, running or not. */
  names(): readonly string[]
  routing(): Routing
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
  let enabled = new Set<string>()

  /** One read serves all that ask before it begins. One that is under way may have seen the files as they were before. */
  let reading: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null
  const reload = (): Promise<void> => {
    next ??= reading.then(() => {
      next = null
      reading = readAgain()
      return reading
    })
    return next
  }

  async function readAgain(): Promise<void> {
    try {
      const [routing, agents] = await Promise.all([store.read(routingDocument), store.read(agentsDocument)])
      const before = current
      current = routing
      enabled = new Set(Object.keys(agents.agents))
      for (const [agent, entry] of Object.entries(before.routes))
        if (!same(entry, own(routing.routes, agent))) onGone(entry)
      onChange()
    } catch (error) {
      // The last good table stays in force; a broken file must not take working agents down.
      log.error('routing not reloaded', { error: messageOf(error) })
    }
  }

  await reload()
  const stops = [store.watch(routingDocument, () => void reload()), store.watch(agentsDocument, () => void reload())]
  return {
    find: (agent) => own(current.routes, agent) ?? (enabled.has(agent) ? 'stopped' : null),
    names: () => [...new Set([...Object.keys(current.routes), ...enabled])],
    routing: () => current,
    reload,
    close: () => stops.forEach((stop) => stop()),
  }
}
