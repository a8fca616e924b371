/** Where each section's code is; loaded when it is opened. */
import type { SectionId } from './sections.ts'
import type { ViewModule } from './view.ts'
import { View as Agents } from './views/agents.tsx'

/** What most visits open first comes with the page. */
export const FIRST = { id: 'agents', View: Agents } as const

export const LOADERS: Readonly<Record<Exclude<SectionId, typeof FIRST.id>, () => Promise<ViewModule>>> = {
  catalog: () => import('./views/catalog.tsx'),
  tools: () => import('./views/tools.tsx'),
  logs: () => import('./views/logs.tsx'),
  events: () => import('./views/events.tsx'),
  charts: () => import('./views/charts.tsx'),
  topology: () => import('./views/topology.tsx'),
  access: () => import('./views/access.tsx'),
  variables: () => import('./views/variables.tsx'),
  repositories: () => import('./views/repositories.tsx'),
  profiles: () => import('./views/profiles.tsx'),
  routes: () => import('./views/routes.tsx'),
  settings: () => import('./views/settings.tsx'),
}
