/** Writes routing.json. Many agents become ready at once; their entries are written together. */
import { routingDocument, type RouteEntry, type Routing } from '../../config/documents.ts'
import type { Store } from '../../core/store.ts'

export interface RoutesWriter {
  read(): Promise<Routing>
  set(agent: string, entry: RouteEntry): Promise<void>
  remove(agents: readonly string[]): Promise<void>
  setStatic(agent: string | null): Promise<void>
}

export function createRoutesWriter(store: Store): RoutesWriter {
  let pending: ((routing: Routing) => Routing)[] = []
  let flushing: Promise<void> | null = null

  async function flush(): Promise<void> {
    const changes = pending
    pending = []
    flushing = null
    await store.update(routingDocument, (current) => changes.reduce((routing, change) => change(routing), current))
  }

  /** Changes asked for while a write is under way go together into the next one. */
  let tail: Promise<unknown> = Promise.resolve()
  function change(apply: (routing: Routing) => Routing): Promise<void> {
    pending.push(apply)
    if (flushing === null) {
      flushing = tail.then(flush)
      tail = flushing.catch(() => {})
    }
    return flushing
  }

  return {
    read: () => store.read(routingDocument),
    set: (agent, entry) => change((routing) => ({ ...routing, routes: { ...routing.routes, [agent]: entry } })),
    remove: (agents) =>
      change((routing) => ({
        ...routing,
        routes: Object.fromEntries(Object.entries(routing.routes).filter(([name]) => !agents.includes(name))),
      })),
    setStatic: (agent) => change((routing) => ({ ...routing, static: agent })),
  }
}
