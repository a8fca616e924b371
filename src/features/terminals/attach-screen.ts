/** This terminal as the screen of a session: it counts what was drawn, and is left as a shell expects it. */
import type { RawTerminal } from '../../platform/index.ts'
import { ACK_BYTES } from './protocol.ts'
import { RESTORE_COLOURS } from './redefined-colours.ts'
import { createSequenceWatch } from './sequence-watch.ts'

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * What a program may have left on: letters that draw, colours, the other screen (1047: without moving the cursor), a region and
 * its origin, keys of applications, the mouse, focus, pasting, insertion, no wrapping, no cursor or one of another shape.
 */
const RESET = [
  ...['\u001b(B\u000f\u001b[0m\u001b[?1047l\u001b[r\u001b[?6l\u001b[?1l\u001b>'],
  ...[9, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026].map((mode) => `\u001b[?${mode}l`),
  ...['\u001b[4l\u001b[?45l\u001b[?7h\u001b[?25h\u001b[0 q'],
  // Below all that was drawn.
  ...['\u001b[999;1H\r\n'],
].join('')

/** OSC 4, 10, 11, 12: a program that sets (or asks for) a colour. Without it, those that a person chose for this terminal stay. */
const COLOUR = { found: /\u001b\](?:4|1[012]);/, begun: /\u001b(?:\](?:4|1[012]?)?)?$/, maxLength: 8 }

/** `acknowledge`: so many bytes of output are drawn. The router sends no more than this terminal can show. */
export function createScreenWriter(raw: Pick<RawTerminal, 'write'>, acknowledge: (bytes: number) => void) {
  let ofSnapshot = 0
  let drawn = 0
  let told = 0
  let epoch = 0
  let hasColours = false
  const setsColour = createSequenceWatch(COLOUR)
  return {
    /** A new screen of so many bytes comes; this one is emptied. */
    begin(bytes: number): void {
      ofSnapshot = bytes
      drawn = 0
      told = 0
      epoch += 1
      raw.write(bytesOf('\u001bc'), () => {})
    },
    output(bytes: Uint8Array): void {
      const counted = bytes.byteLength - Math.min(ofSnapshot, bytes.byteLength)
      ofSnapshot -= bytes.byteLength - counted
      const now = epoch
      hasColours ||= setsColour(bytes)
      raw.write(bytes, () => {
        if (now !== epoch) return
        drawn += counted
        if (drawn - told < ACK_BYTES / 2) return
        told = drawn
        acknowledge(drawn)
      })
    },
    /** A line of our own; the next screen takes it away. */
    say(text: string): void {
      raw.write(bytesOf(`\r\n\u001b[0m[ploinky: ${text}]\r\n`), () => {})
    },
    /** Resolves when this terminal is as it was before. */
    end: (): Promise<void> =>
      new Promise((resolve) =>
        raw.write(bytesOf(epoch === 0 ? '' : `${hasColours ? RESTORE_COLOURS : ''}${RESET}`), resolve),
      ),
  }
}
