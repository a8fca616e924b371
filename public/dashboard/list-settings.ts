/** How the list of agents looks and which keys it takes, kept in this browser. */
import { signal } from '@preact/signals'

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    // Storage can be forbidden by the browser's settings: then the usual holds.
    return null
  }
}
function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // As above: it lasts as long as the page.
  }
}

const DENSITY = 'ploinky.density'
const SINGLE_KEYS = 'ploinky.singleKeys'

export const isCompact = signal(kept(DENSITY) === 'compact')
/** WCAG 2.1.4: keys without a modifier can be switched off. */
export const singleKeys = signal(kept(SINGLE_KEYS) !== 'off')

export function setCompact(on: boolean): void {
  isCompact.value = on
  keep(DENSITY, on ? 'compact' : 'comfortable')
}
export function setSingleKeys(on: boolean): void {
  singleKeys.value = on
  keep(SINGLE_KEYS, on ? 'on' : 'off')
}
