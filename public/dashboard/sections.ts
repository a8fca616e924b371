/** The sections of the page. Each is a line here, a file in `views/`, a line in `views.ts` and a word in `strings.views`. */
import type { IconName } from '../shared/icons.tsx'

export interface Section {
  readonly id: string
  readonly group: 'use' | 'watch' | 'manage'
  readonly icon: IconName
  /** One of the few that fit into the bar at the bottom of a narrow screen. */
  readonly inBar?: true
}

export const SECTIONS = [
  { id: 'agents', group: 'use', icon: 'agents', inBar: true },
  { id: 'catalog', group: 'use', icon: 'catalog' },
  { id: 'tools', group: 'use', icon: 'tools', inBar: true },
  { id: 'logs', group: 'watch', icon: 'logs', inBar: true },
  { id: 'events', group: 'watch', icon: 'events', inBar: true },
  { id: 'charts', group: 'watch', icon: 'charts' },
  { id: 'topology', group: 'watch', icon: 'topology' },
  { id: 'access', group: 'manage', icon: 'access' },
  { id: 'variables', group: 'manage', icon: 'variables' },
  { id: 'repositories', group: 'manage', icon: 'repositories' },
  { id: 'profiles', group: 'manage', icon: 'profiles' },
  { id: 'routes', group: 'manage', icon: 'routes' },
  { id: 'settings', group: 'manage', icon: 'settings' },
] as const satisfies readonly Section[]

export type SectionId = (typeof SECTIONS)[number]['id']

export const sectionOf = (id: string): (typeof SECTIONS)[number] | undefined =>
  SECTIONS.find((section) => section.id === id)
