/**
 * Sequences that say how often something is done: a program may ask for two thousand million times, and nothing else would
 * happen in the meantime. What is more than the screen makes no difference to what is seen.
 */
import type { Terminal } from '@xterm/headless'

type Repeat = (params: { readonly params: readonly number[]; readonly length: number }) => unknown

/** Final character -> the method of xterm that does it as often as it is told to. */
const LINES = { L: 'insertLines', M: 'deleteLines', S: 'scrollUp', T: 'scrollDown' } as const
const TABS = { I: 'cursorForwardTab', Z: 'cursorBackwardTab' } as const
const CHARACTERS = { b: 'repeatPrecedingCharacter' } as const

/** Bounds them. Without the method, a sequence that asks for too much is left out. */
export function boundRepeats(terminal: Terminal): void {
  const core = (terminal as unknown as { _core?: { _inputHandler?: Record<string, Repeat | undefined> } })._core
  const bound = (methods: Readonly<Record<string, string>>, most: () => number): void => {
    for (const [final, method] of Object.entries(methods)) {
      terminal.parser.registerCsiHandler({ final }, (params) => {
        const [asked] = params
        if (typeof asked !== 'number' || asked <= most()) return false
        const handler = core?._inputHandler
        handler?.[method]?.call(handler, { params: [most()], length: 1 })
        return true
      })
    }
  }
  bound(LINES, () => terminal.rows)
  bound(TABS, () => terminal.cols)
  bound(CHARACTERS, () => terminal.cols * terminal.rows)
}
