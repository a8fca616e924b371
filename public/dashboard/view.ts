/** What a section of the page is made of. */
import type { ComponentType } from 'preact'

export interface ViewProps {
  /** What the view is about (`#/agents/<param>`); null for all. */
  readonly param: string | null
  readonly query: URLSearchParams
}

export interface ViewModule {
  readonly View: ComponentType<ViewProps>
}
