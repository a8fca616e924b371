/** Which sessions this tab of the browser had open, so that a reload finds them again. */
import type { Direction } from './layout.ts'

export interface KeptTabs {
  readonly tabs: readonly { readonly agent: string; readonly session: string }[]
  /** Indexes of `tabs`. */
  readonly shown: readonly number[]
  readonly focused: number
  readonly direction: Direction
}

const KEY = 'ploinky.webtty.tabs'
const MAX_TABS = 30

export function keepTabs(tabs: KeptTabs): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(tabs))
  } catch {
    // Storage can be forbidden by the browser's settings; the address still has the session in front.
  }
}

export function readTabs(): KeptTabs | null {
  try {
    return parseTabs(sessionStorage.getItem(KEY))
  } catch {
    return null
  }
}

/** Null for what is no such list. */
export function parseTabs(text: string | null): KeptTabs | null {
  let kept: Partial<KeptTabs> | null = null
  try {
    kept = JSON.parse(text ?? 'null') as Partial<KeptTabs> | null
  } catch {
    return null
  }
  if (kept === null || typeof kept !== 'object' || !Array.isArray(kept.tabs) || !Array.isArray(kept.shown)) return null
  const tabs = (kept.tabs as Partial<KeptTabs['tabs'][number]>[]).flatMap((tab) =>
    typeof tab?.agent === 'string' && typeof tab.session === 'string'
      ? [{ agent: tab.agent, session: tab.session }]
      : [],
  )
  const shown = (kept.shown as unknown[]).filter(
    (index): index is number => typeof index === 'number' && tabs[index] !== undefined,
  )
  if (tabs.length === 0 || tabs.length > MAX_TABS) return null
  return {
    tabs,
    shown: [...new Set(shown.length === 0 ? [0] : shown)].slice(0, 2),
    focused: kept.focused === 1 && shown.length > 1 ? 1 : 0,
    direction: kept.direction === 'column' ? 'column' : 'row',
  }
}
