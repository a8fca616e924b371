/** The sections of the page. Each is a line here, a file in `views/` and a word in `strings.views`; it is loaded when it is opened. */
import type { ComponentType } from 'preact'
import type { IconName } from '../shared/icons.tsx'

export interface ViewProps {
  /** What the view is about (`#/agents/<param>`); null for all. */
  readonly param: string | null
  readonly query: URLSearchParams
}
export interface ViewModule {
  readonly View: ComponentType<ViewProps>
}
export interface ViewEntry {
  readonly id: string
  readonly group: 'use' | 'watch' | 'manage'
  readonly icon: IconName
  /** One of the few that fit into the bar at the bottom of a narrow screen. */
  readonly inBar?: true
  load(): Promise<ViewModule>
}

export const VIEWS = [
  { id: 'agents', group: 'use', icon: 'agents', inBar: true, load: () => import('./views/agents.tsx') },
  { id: 'catalog', group: 'use', icon: 'catalog', load: () => import('./views/catalog.tsx') },
  { id: 'tools', group: 'use', icon: 'tools', inBar: true, load: () => import('./views/tools.tsx') },
  { id: 'logs', group: 'watch', icon: 'logs', inBar: true, load: () => import('./views/logs.tsx') },
  { id: 'events', group: 'watch', icon: 'events', inBar: true, load: () => import('./views/events.tsx') },
  { id: 'charts', group: 'watch', icon: 'charts', load: () => import('./views/charts.tsx') },
  { id: 'topology', group: 'watch', icon: 'topology', load: () => import('./views/topology.tsx') },
  { id: 'access', group: 'manage', icon: 'access', load: () => import('./views/access.tsx') },
  { id: 'variables', group: 'manage', icon: 'variables', load: () => import('./views/variables.tsx') },
  { id: 'repositories', group: 'manage', icon: 'repositories', load: () => import('./views/repositories.tsx') },
  { id: 'profiles', group: 'manage', icon: 'profiles', load: () => import('./views/profiles.tsx') },
  { id: 'routes', group: 'manage', icon: 'routes', load: () => import('./views/routes.tsx') },
  { id: 'settings', group: 'manage', icon: 'settings', load: () => import('./views/settings.tsx') },
] as const satisfies readonly ViewEntry[]

export type ViewId = (typeof VIEWS)[number]['id']

export const viewOf = (id: string): (typeof VIEWS)[number] | undefined => VIEWS.find((view) => view.id === id)
