/** Writes into the terminal in the order in which things came, and says how far it has got. */
import { ACK_BYTES } from '../../src/features/terminals/protocol.ts'
import { createAcks } from './acks.ts'
import type { Size, TerminalView } from './terminal.ts'

/** Without more output for so long, what was drawn is told although it is little, ms. */
const IDLE_ACK_MS = 120

/** `screen`: where to write, when it is there. `acknowledge`: told how many bytes were drawn. */
export function createOutput(screen: () => TerminalView['screen'] | undefined, acknowledge: (bytes: number) => void) {
  const acks = createAcks(ACK_BYTES)
  let idle: ReturnType<typeof setTimeout> | undefined

  function drawn(count: () => void): void {
    count()
    const due = acks.due(false)
    if (due !== null) acknowledge(due)
    clearTimeout(idle)
    idle = setTimeout(() => {
      const rest = acks.due(true)
      if (rest !== null) acknowledge(rest)
    }, IDLE_ACK_MS)
  }
  const resize = ({ cols, rows }: Size): void => {
    // Behind what is still to be drawn: that was written for the size before.
    if (cols >= 1 && rows >= 1) screen()?.write('', () => screen()?.resize(cols, rows))
  }
  return {
    begin(bytes: number, size: Size): void {
      acks.begin(bytes)
      // RIS, and not reset(): it takes its turn after what was written before.
      screen()?.write('\x1bc')
      resize(size)
    },
    write(bytes: Uint8Array): void {
      const count = acks.arrived(bytes.length)
      screen()?.write(bytes, () => drawn(count))
    },
    resize,
  }
}
