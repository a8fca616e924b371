/** How the list of agents looks and which keys it takes, kept in this browser. */
import { signal } from '@preact/signals'
import { keep, kept } from '../shared/storage.ts'

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
