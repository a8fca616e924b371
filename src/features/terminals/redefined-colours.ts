/** Colours that a program gave another value. Pages draw with them; the router's terminal, which draws nothing, forgets them. */
import type { Terminal } from '@xterm/headless'
import { colourEvents } from './internals.ts'

/** `common/Types.ts` of xterm: what an event is about. */
const [SET, RESTORE] = [1, 2]
/** Behind the 256 of the palette: text, background, cursor. */
const SPECIAL = 256
const OSC_OF_SPECIAL = [10, 11, 12] as const

const osc = (text: string): string => `\x1b]${text}\x1b\\`
/** All colours as they are without a program. */
export const RESTORE_COLOURS = [104, 110, 111, 112].map((code) => osc(String(code))).join('')

const hex = (color: readonly number[]): string =>
  `#${color.map((part) => (part & 0xff).toString(16).padStart(2, '0')).join('')}`

export interface RedefinedColours {
  /** Makes a terminal have the same ones; empty while no program has changed any. */
  text(): string
}

export function followColours(terminal: Terminal): RedefinedColours {
  const colours = new Map<number, string>()
  let wereChanged = false
  colourEvents(terminal, (events) => {
    for (const { type, index, color } of events) {
      if (type === SET && index !== undefined && color !== undefined) {
        wereChanged = true
        colours.set(index, hex(color))
      } else if (type === RESTORE) {
        // Without an index: all of the palette.
        for (const known of index === undefined ? [...colours.keys()].filter((key) => key < SPECIAL) : [index])
          colours.delete(known)
      }
    }
  })
  return {
    text() {
      if (!wereChanged) return ''
      const sets = [...colours].map(([index, value]) =>
        osc(index < SPECIAL ? `4;${index};${value}` : `${OSC_OF_SPECIAL[index - SPECIAL] ?? 10};${value}`),
      )
      return RESTORE_COLOURS + sets.join('')
    },
  }
}
