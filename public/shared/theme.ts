/** The colour scheme that a person chose, kept in this browser. */
import { keep, kept } from './storage.ts'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'ploinky.theme'

export function savedTheme(): Theme {
  const saved = kept(KEY)
  return THEMES.find((theme) => theme === saved) ?? 'auto'
}

export function applyTheme(theme: Theme): void {
  const root = document.documentElement
  if (theme === 'auto') delete root.dataset['theme']
  else root.dataset['theme'] = theme
}

export function saveTheme(theme: Theme): void {
  applyTheme(theme)
  keep(KEY, theme)
}
