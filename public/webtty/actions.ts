/** What the keys of the page do. The buttons and the menu do the same. */
import { copyText } from '../shared/clipboard.ts'
import type { Action } from './keys.ts'
import { neighbourOf } from './layout.ts'
import { notify } from './notices.ts'
import { nextRegion } from './regions.ts'
import { changeSettings, clampFont, FONT_SIZES, settings } from './settings.ts'
import {
  closeTab,
  dialog,
  focusedSession,
  focusTerminal,
  guest,
  layout,
  likeOf,
  openTab,
  searching,
  select,
  toggleSplit,
} from './store.ts'
import { strings } from './strings.ts'

const ACTIONS: Readonly<Record<Action, () => void>> = {
  copy: () => void copySelection(),
  paste: () => void pasteClipboard(),
  search() {
    searching.value = focusedSession.value?.key ?? null
  },
  bigger: () => resizeText(1),
  smaller: () => resizeText(-1),
  normalSize: () => changeSettings({ fontSize: FONT_SIZES.normal }),
  nextRegion: () => nextRegion(1),
  previousRegion: () => nextRegion(-1),
  nextTab: () => goTo(neighbourOf(layout.value, 1)),
  previousTab: () => goTo(neighbourOf(layout.value, -1)),
  newTab() {
    const session = focusedSession.value
    if (session !== null && !guest.value) openTab(likeOf(session))
  },
  split() {
    if (!guest.value) toggleSplit()
  },
  closeTab() {
    const session = focusedSession.value
    if (session !== null && !guest.value) closeTab(session.key)
  },
  menu: () => document.getElementById('menu-button')?.click(),
  help() {
    dialog.value = { kind: 'help' }
  },
  palette() {
    if (guest.value) return
    import('./palette.tsx')
      .then(({ openPalette }) => openPalette())
      .catch(() => notify({ tone: 'bad', title: strings.noPalette }))
  },
}

/** Ctrl-K belongs to the program while a terminal has the focus; elsewhere it is what it is on the other pages. */
export function paletteKey(event: KeyboardEvent): void {
  const inTerminal = event.target instanceof Element && event.target.closest('.xterm') !== null
  const isPlain = (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey
  if (event.code !== 'KeyK' || !isPlain || inTerminal || dialog.value !== null) return
  event.preventDefault()
  ACTIONS.palette()
}

export const onAction = (action: Action): void => ACTIONS[action]()

const resizeText = (step: number): void => changeSettings({ fontSize: clampFont(settings.value.fontSize + step) })

function goTo(key: string | null): void {
  if (key !== null) select(key)
}

async function copySelection(): Promise<void> {
  const text = focusedSession.value?.terminal.value?.term.getSelection() ?? ''
  if (text === '') return
  await copyText(text)
  focusTerminal()
}

export async function pasteClipboard(): Promise<void> {
  const session = focusedSession.value
  try {
    const text = await navigator.clipboard.readText()
    session?.paste(text)
  } catch {
    notify({ tone: 'bad', title: strings.paste.noAccess })
  }
  focusTerminal()
}
