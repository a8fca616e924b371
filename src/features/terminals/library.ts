/** The server-side terminal: `@xterm/headless` with what it needs, loaded with the first session. */
import type { Terminal } from '@xterm/headless'
import type { SerializeAddon } from '@xterm/addon-serialize'
import type { Unicode11Addon } from '@xterm/addon-unicode11'
import { boundRepeats } from './bounded.ts'
import { answerAboutPictures } from './pictures.ts'

export interface TerminalLibrary {
  create(options: { cols: number; rows: number; scrollback: number }): {
    terminal: Terminal
    serializer: SerializeAddon
  }
}

/** CommonJS modules come with their exports beside `default`, or only in it. */
const exportsOf = <T extends object>(loaded: T): T => (loaded as { default?: T }).default ?? loaded

export async function loadTerminalLibrary(): Promise<TerminalLibrary> {
  const [headless, serialize, unicode] = await Promise.all([
    import('@xterm/headless'),
    import('@xterm/addon-serialize'),
    import('@xterm/addon-unicode11'),
  ])
  const Screen = exportsOf(headless).Terminal
  const Serializer = exportsOf(serialize).SerializeAddon
  const Unicode = exportsOf(unicode).Unicode11Addon
  return {
    create({ cols, rows, scrollback }) {
      const terminal = new Screen({ cols, rows, scrollback, allowProposedApi: true, logLevel: 'off' })
      const serializer: SerializeAddon = new Serializer()
      const widths: Unicode11Addon = new Unicode()
      // Their types are those of the browser's terminal, of which this one is the half without a display.
      const load = terminal.loadAddon.bind(terminal) as (addon: unknown) => void
      load(serializer)
      load(widths)
      terminal.unicode.activeVersion = '11'
      boundRepeats(terminal)
      answerAboutPictures(terminal)
      return { terminal, serializer }
    },
  }
}
