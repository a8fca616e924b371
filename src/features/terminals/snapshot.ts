/** The screen, its scrollback and its modes as bytes that make the same in a new terminal of the same size. */
import type { SerializeAddon } from '@xterm/addon-serialize'
import type { Terminal } from '@xterm/headless'

export function takeSnapshot(_terminal: Terminal, serializer: SerializeAddon): Uint8Array {
  return new TextEncoder().encode(serializer.serialize())
}
