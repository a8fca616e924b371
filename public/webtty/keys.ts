/** Keys of the page itself, and what the keys of the bar on a phone send. */
export type Action =
  | 'copy'
  | 'paste'
  | 'search'
  | 'bigger'
  | 'smaller'
  | 'normalSize'
  | 'nextRegion'
  | 'previousRegion'
  | 'nextTab'
  | 'previousTab'
  | 'newTab'
  | 'split'
  | 'closeTab'
  | 'menu'
  | 'help'
  | 'palette'

export interface Key {
  readonly key: string
  readonly code: string
  readonly ctrlKey: boolean
  readonly shiftKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
}

/** Name of the key (`code` for letters, which hold on any layout), with modifiers in this order. */
const ACTIONS: Readonly<Record<string, Action>> = {
  'Ctrl+Shift+KeyC': 'copy',
  'Ctrl+Shift+KeyV': 'paste',
  'Ctrl+Shift+KeyF': 'search',
  'Ctrl+Shift+Equal': 'bigger',
  'Ctrl+Shift+NumpadAdd': 'bigger',
  'Ctrl+Shift+Minus': 'smaller',
  'Ctrl+Shift+NumpadSubtract': 'smaller',
  'Ctrl+Shift+Digit0': 'normalSize',
  'Ctrl+F6': 'nextRegion',
  'Ctrl+Shift+F6': 'previousRegion',
  'Alt+Shift+ArrowRight': 'nextTab',
  'Alt+Shift+ArrowLeft': 'previousTab',
  'Alt+Shift+KeyN': 'newTab',
  'Alt+Shift+KeyD': 'split',
  'Alt+Shift+KeyW': 'closeTab',
  'Shift+F10': 'menu',
  'Alt+Shift+KeyH': 'help',
  // Not Ctrl+Shift+P: Firefox keeps it for itself.
  'Alt+Shift+KeyP': 'palette',
}

/** For the list of keys; the order is the one of usefulness. */
export const SHOWN_KEYS: Readonly<Partial<Record<Action, string>>> = {
  nextRegion: 'Ctrl+F6',
  previousRegion: 'Ctrl+Shift+F6',
  menu: 'Shift+F10',
  copy: 'Ctrl+Shift+C',
  paste: 'Ctrl+Shift+V',
  search: 'Ctrl+Shift+F',
  newTab: 'Alt+Shift+N',
  nextTab: 'Alt+Shift+→',
  previousTab: 'Alt+Shift+←',
  closeTab: 'Alt+Shift+W',
  split: 'Alt+Shift+D',
  bigger: 'Ctrl+Shift++',
  smaller: 'Ctrl+Shift+-',
  normalSize: 'Ctrl+Shift+0',
  help: 'Alt+Shift+H',
  palette: 'Alt+Shift+P',
}

export function actionOf(event: Key): Action | null {
  if (event.metaKey) return null
  const parts = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.shiftKey && 'Shift', event.code]
  return ACTIONS[parts.filter(Boolean).join('+')] ?? null
}

export type BarKey = 'escape' | 'tab' | 'up' | 'down' | 'left' | 'right' | 'home' | 'end' | 'pageUp' | 'pageDown'

export interface Modifiers {
  readonly ctrl: boolean
  readonly alt: boolean
}

const ARROWS: Readonly<Partial<Record<BarKey, string>>> = {
  up: 'A',
  down: 'B',
  right: 'C',
  left: 'D',
  home: 'H',
  end: 'F',
}

/** What a key of the bar sends; `application` is the cursor keys' mode (DECCKM). As xterm encodes them. */
export function bytesOf(key: BarKey, { ctrl, alt }: Modifiers, application: boolean): string {
  const modifier = 1 + (alt ? 2 : 0) + (ctrl ? 4 : 0)
  const letter = ARROWS[key]
  if (letter !== undefined) {
    if (modifier > 1) return `\x1b[1;${modifier}${letter}`
    return application ? `\x1bO${letter}` : `\x1b[${letter}`
  }
  if (key === 'pageUp' || key === 'pageDown') {
    const number = key === 'pageUp' ? 5 : 6
    return modifier > 1 ? `\x1b[${number};${modifier}~` : `\x1b[${number}~`
  }
  return (alt ? '\x1b' : '') + (key === 'escape' ? '\x1b' : '\t')
}

/** Typed text while Ctrl or Alt of the bar is held: Ctrl makes a letter a control character, Alt puts an escape before it. */
export function withModifiers(text: string, { ctrl, alt }: Modifiers): string {
  const code = text.length === 1 ? text.toUpperCase().charCodeAt(0) : 0
  const controlled =
    ctrl && code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : ctrl && text === ' ' ? '\0' : text
  return alt ? `\x1b${controlled}` : controlled
}
