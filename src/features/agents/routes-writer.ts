/** Writes routing.json. Many agents become ready at once; their entries are written together. */
import { routingDocument, type RouteEntry, type Routing } from '../../config/documents.ts'
import { createBatch } from '../../core/batch.ts'
import type { Store } from '../../core/store.ts'

export interface RoutesWriter {
  read(): Promise<Routing>
  set(agent: string, entry: RouteEntry): Promise<void>
  remove(agents: readonly string[]): Promise<void>
  setStatic(agent: string | null): Promise<void>
}

export function createRoutesWriter(store: Store): RoutesWriter {
  const change = createBatch(store, routingDocument)
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
