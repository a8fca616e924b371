/**
 * Pictures that programs draw: sixel, and the inline images of iTerm2. What decodes them is loaded with the first of them,
 * and what comes from there on waits for that, in its order. Without it xterm leaves them out.
 */
import type { Terminal } from '@xterm/xterm'
import { createSequenceWatch } from '../../src/features/terminals/sequence-watch.ts'

/** DCS ... q, and OSC 1337 with a file. */
const PICTURE = /\u001b(?:P[0-9;]*q|\]1337;File=)/
const BEGUN = /\u001b(?:P[0-9;]*|\][0-9]{0,4}(?:;[A-Za-z]{0,4})?)?$/
/** A sixel picture begins with three numbers. */
const MAX_LENGTH = 64

type Write = Terminal['write']

export function createPictureWriter(term: Pick<Terminal, 'write'>, load: () => Promise<void>): { write: Write } {
  const isPicture = createSequenceWatch({ found: PICTURE, begun: BEGUN, maxLength: MAX_LENGTH })
  const waiting: Parameters<Write>[] = []
  let state: 'none' | 'loading' | 'done' = 'none'

  function flush(): void {
    state = 'done'
    for (const parts of waiting.splice(0)) term.write(...parts)
  }

  return {
    write(data, done) {
      if (state === 'none' && isPicture(data)) {
        state = 'loading'
        // Not loaded: the page goes on without pictures.
        load()
          .catch(() => {})
          .then(flush, () => {})
      }
      if (state === 'loading') waiting.push([data, done])
      else term.write(data, done)
    },
  }
}
