/** What a person chose for terminals, kept in this browser. */
import { signal } from '@preact/signals'
import { keep, kept } from '../shared/storage.ts'
import type { PaletteName } from './palettes.ts'
import { PALETTE_NAMES } from './palettes.ts'

export interface Settings {
  /** Pixels. */
  readonly fontSize: number
  readonly palette: PaletteName
  readonly copyOnSelect: boolean
  readonly screenReader: boolean
  readonly webgl: boolean
  /** Least contrast of text; 1 leaves the program's colours as they are. */
  readonly contrast: number
}

const KEY = 'ploinky.webtty'
export const FONT_SIZES = { least: 8, normal: 14, most: 32 } as const
export const CONTRASTS = [1, 4.5, 7] as const
const DEFAULTS: Settings = {
  fontSize: FONT_SIZES.normal,
  palette: 'page',
  copyOnSelect: false,
  screenReader: false,
  webgl: false,
  contrast: 4.5,
}

/** Settings from what was stored; anything that does not fit is as by default. */
export function parseSettings(text: string | null): Settings {
  let stored: unknown = null
  try {
    stored = JSON.parse(text ?? 'null')
  } catch {
    // Written by something else: as by default.
  }
  const given: Record<string, unknown> = typeof stored === 'object' && stored !== null ? { ...stored } : {}
  const flag = (name: 'copyOnSelect' | 'screenReader' | 'webgl'): boolean =>
    typeof given[name] === 'boolean' ? given[name] : DEFAULTS[name]
  return {
    fontSize: clampFont(Number(given['fontSize'] ?? DEFAULTS.fontSize)),
    palette: PALETTE_NAMES.find((name) => name === given['palette']) ?? DEFAULTS.palette,
    copyOnSelect: flag('copyOnSelect'),
    screenReader: flag('screenReader'),
    webgl: flag('webgl'),
    contrast: CONTRASTS.find((ratio) => ratio === given['contrast']) ?? DEFAULTS.contrast,
  }
}

export function clampFont(size: number): number {
  return Number.isFinite(size)
    ? Math.min(FONT_SIZES.most, Math.max(FONT_SIZES.least, Math.round(size)))
    : FONT_SIZES.normal
}

export const settings = signal<Settings>(parseSettings(kept(KEY)))

export function changeSettings(change: Partial<Settings>): void {
  settings.value = { ...settings.value, ...change }
  keep(KEY, JSON.stringify(settings.value))
}
