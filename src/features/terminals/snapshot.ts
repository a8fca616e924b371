/** The screen, its scrollback and its modes as bytes that make the same in a new terminal of the same size. */
import type { SerializeAddon } from '@xterm/addon-serialize'
import type { Terminal } from '@xterm/headless'
import { bufferText, cellText, style } from './buffer-text.ts'
import { linkText } from './extended-style.ts'
import { type Charset, type Links, type Pen, rawState, type RawBuffer, type RawState } from './internals.ts'

/** `before`: what is not in the cells. */
export function takeSnapshot(terminal: Terminal, serializer: SerializeAddon, before: string): Uint8Array {
  const state = rawState(terminal)
  return new TextEncoder().encode(before + (state === null ? serializer.serialize() : snapshotText(terminal, state)))
}

function snapshotText(terminal: Terminal, state: RawState): string {
  const { normal, alternate, links, pen } = state
  const { cols } = terminal
  let text = bufferText(normal, cols, links) + tabsText(normal, cols)
  // The other screen keeps where the cursor was on this one, and in which colours.
  if (alternate !== null)
    text += `${savedText(normal, terminal)}\x1b[?1049h\x1b(B\x1b[0m\x1b[2J\x1b[H${bufferText(alternate, cols, links)}${tabsText(alternate, cols)}`
  const active = alternate ?? normal
  const { scrollTop, scrollBottom } = active
  text += asideText(active, terminal)
  if (scrollTop !== 0 || scrollBottom !== terminal.rows - 1) text += `\x1b[${scrollTop + 1};${scrollBottom + 1}r`
  if (terminal.modes.originMode) text += '\x1b[?6h'
  text += cursorText(terminal.modes.originMode ? { ...placeOf(active), top: scrollTop } : placeOf(active), cols)
  return text + charsetsText(state) + style(pen) + openLink(pen, links) + modesText(terminal, state)
}

/** What is written from now on belongs to it. */
const openLink = ({ extended }: Pen, links: Links): string =>
  extended._urlId === 0 ? '' : linkText(extended._urlId, links)

interface Place {
  readonly lines: RawBuffer['lines']
  readonly ybase: number
  readonly x: number
  readonly y: number
  /** The row that programs call the first. */
  readonly top?: number
}

const placeOf = ({ lines, ybase, x, y }: RawBuffer): Place => ({ lines, ybase, x, y })

/** DECSC's place, colours and letters become the present ones. */
function savedText(buffer: RawBuffer, { cols, rows }: Terminal): string {
  const { savedX, savedY, savedCurAttrData, savedCharset } = buffer
  const y = Math.min(Math.max(0, savedY - buffer.ybase), rows - 1)
  const cursor = cursorText({ ...placeOf(buffer), x: Math.min(savedX, cols), y }, cols)
  return cursor + style(savedCurAttrData) + (isDrawing(savedCharset) ? '\x1b(0' : '')
}

/** Puts aside what was put aside. */
function asideText(buffer: RawBuffer, terminal: Terminal): string {
  const { savedX, savedY, savedCurAttrData, savedCharset } = buffer
  const isPlain = savedCurAttrData.fg === 0 && savedCurAttrData.bg === 0 && !isDrawing(savedCharset)
  if (savedX === 0 && savedY <= buffer.ybase && isPlain) return ''
  return `${savedText(buffer, terminal)}\x1b7\x1b(B\x1b[0m`
}

const TAB = 8

function tabsText({ tabs }: RawBuffer, cols: number): string {
  const stops = Array.from({ length: cols }, (_, x) => x).filter((x) => tabs[x] === true)
  if (stops.every((x) => x % TAB === 0) && stops.length === Math.ceil(cols / TAB)) return ''
  return `\x1b[3g${stops.map((x) => `\x1b[1;${x + 1}H\x1bH`).join('')}`
}

/** The letters of DEC that draw lines; all others are as good as the usual ones. */
const isDrawing = (charset: Charset): boolean => charset?.['q'] === '─'
const DRAWS = ['\x1b(0', '\x1b)0', '\x1b*0', '\x1b+0'] as const
const IN_USE = ['', '\x0e', '\x1bn', '\x1bo'] as const

const charsetsText = ({ charsets, charsetInUse }: RawState): string =>
  DRAWS.map((sequence, index) => (isDrawing(charsets[index]) ? sequence : '')).join('') + (IN_USE[charsetInUse] ?? '')

/** Puts the cursor where it is; behind the last column only writing gets it there. */
function cursorText({ lines, ybase, x, y, top = 0 }: Place, cols: number): string {
  const row = y - top + 1
  if (x < cols) return `\x1b[${row};${x + 1}H`
  const line = lines.get(ybase + y)
  const isWide = cols > 1 && line !== undefined && (line._data[(cols - 1) * 3] ?? 0) >>> 22 === 0
  const column = isWide ? cols - 2 : cols - 1
  return `\x1b[${row};${column + 1}H${line === undefined ? '' : cellText(line, column)}`
}

const MOUSE = { none: '', x10: '\x1b[?9h', vt200: '\x1b[?1000h', drag: '\x1b[?1002h', any: '\x1b[?1003h' } as const
const ENCODING: Readonly<Record<string, string>> = { SGR: '\x1b[?1006h', SGR_PIXELS: '\x1b[?1016h' }
const CURSOR: Readonly<Record<string, number>> = { block: 2, underline: 4, bar: 6 }

function modesText({ modes }: Terminal, state: RawState): string {
  const { cursorStyle } = state
  const shape = cursorStyle === null ? undefined : CURSOR[cursorStyle]
  return [
    modes.applicationCursorKeysMode ? '\x1b[?1h' : '',
    modes.applicationKeypadMode ? '\x1b[?66h' : '',
    modes.bracketedPasteMode ? '\x1b[?2004h' : '',
    modes.insertMode ? '\x1b[4h' : '',
    modes.reverseWraparoundMode ? '\x1b[?45h' : '',
    modes.sendFocusMode ? '\x1b[?1004h' : '',
    modes.wraparoundMode ? '' : '\x1b[?7l',
    MOUSE[modes.mouseTrackingMode],
    ENCODING[state.mouseEncoding] ?? '',
    shape === undefined ? '' : `\x1b[${state.isCursorBlinking ? shape - 1 : shape} q`,
    state.isCursorHidden ? '\x1b[?25l' : '',
  ].join('')
}
