/** Tabs, and which of them are in sight: one, or two side by side or one above the other. Pure. */
export type Direction = 'row' | 'column'

export interface Layout {
  readonly tabs: readonly string[]
  /** One or two of the tabs. Empty only when there are no tabs. */
  readonly shown: readonly string[]
  /** Index in `shown`. */
  readonly focused: number
  readonly direction: Direction
}

export const EMPTY: Layout = { tabs: [], shown: [], focused: 0, direction: 'row' }

export const focusedTab = (layout: Layout): string | null => layout.shown[layout.focused] ?? null

/** A new tab, after the one that has the focus, in its place. */
export function addTab(layout: Layout, key: string): Layout {
  const focused = focusedTab(layout)
  const at = focused === null ? layout.tabs.length : layout.tabs.indexOf(focused) + 1
  const tabs = [...layout.tabs.slice(0, at), key, ...layout.tabs.slice(at)]
  return selectTab({ ...layout, tabs }, key)
}

/** Brings a tab into the pane that has the focus; a tab that is in sight takes the focus instead. */
export function selectTab(layout: Layout, key: string): Layout {
  if (!layout.tabs.includes(key)) return layout
  const place = layout.shown.indexOf(key)
  if (place >= 0) return { ...layout, focused: place }
  if (layout.shown.length === 0) return { ...layout, shown: [key], focused: 0 }
  return { ...layout, shown: layout.shown.map((shown, index) => (index === layout.focused ? key : shown)) }
}

/** A second pane with this tab. */
export function split(layout: Layout, key: string, direction: Direction): Layout {
  const tabs = layout.tabs.includes(key) ? layout.tabs : [...layout.tabs, key]
  const first = focusedTab(layout)
  if (first === null || first === key) return selectTab({ ...layout, tabs, direction }, key)
  return { tabs, shown: [first, key], focused: 1, direction }
}

/** Back to one pane: the one with the focus. */
export function unsplit(layout: Layout): Layout {
  const key = focusedTab(layout)
  return key === null ? layout : { ...layout, shown: [key], focused: 0 }
}

export function closeTab(layout: Layout, key: string): Layout {
  const at = layout.tabs.indexOf(key)
  if (at < 0) return layout
  const tabs = layout.tabs.filter((tab) => tab !== key)
  const shown = layout.shown.filter((tab) => tab !== key)
  if (shown.length > 0) {
    const focused = Math.min(layout.focused, shown.length - 1)
    return { ...layout, tabs, shown, focused }
  }
  const neighbour = tabs[Math.min(at, tabs.length - 1)]
  return { ...layout, tabs, shown: neighbour === undefined ? [] : [neighbour], focused: 0 }
}

/** The tab `step` further, round the end. */
export function neighbourOf(layout: Layout, step: 1 | -1): string | null {
  const current = focusedTab(layout)
  const { tabs } = layout
  if (current === null) return null
  return tabs[(tabs.indexOf(current) + step + tabs.length) % tabs.length] ?? null
}
