/** The screen, its scrollback and its modes as bytes that make the same in a new terminal of the same size. */
import type { SerializeAddon } from '@xterm/addon-serialize'
import type { Terminal } from '@xterm/headless'
import { bufferText, cellText, style } from './buffer-text.ts'
import { rawState, type RawBuffer, type RawState } from './internals.ts'

export function takeSnapshot(terminal: Terminal, serializer: SerializeAddon): Uint8Array {
  const state = rawState(terminal)
  return new TextEncoder().encode(state === null ? serializer.serialize() : snapshotText(terminal, state))
}

function snapshotText(terminal: Terminal, state: RawState): string {
  const { normal, alternate } = state
  const { cols } = terminal
  let text = bufferText(normal, cols)
  if (alternate !== null) text += `${cursorText(normal, cols)}\x1b[?1049h\x1b[H${bufferText(alternate, cols)}`
  const active = alternate ?? normal
  const { scrollTop, scrollBottom } = active
  if (scrollTop !== 0 || scrollBottom !== terminal.rows - 1) text += `\x1b[${scrollTop + 1};${scrollBottom + 1}r`
  text += cursorText(active, cols)
  return text + style(state.pen.fg, state.pen.bg) + modesText(terminal, state)
}

/** Puts the cursor where it is; behind the last column only writing gets it there. */
function cursorText({ lines, ybase, x, y }: RawBuffer, cols: number): string {
  if (x < cols) return `\x1b[${y + 1};${x + 1}H`
  const line = lines.get(ybase + y)
  const isWide = cols > 1 && line !== undefined && (line._data[(cols - 1) * 3] ?? 0) >>> 22 === 0
  const column = isWide ? cols - 2 : cols - 1
  return `\x1b[${y + 1};${column + 1}H${line === undefined ? '' : cellText(line, column)}`
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
