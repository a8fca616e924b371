/** What goes into the program, in order: keys after the window's new size, and after the answers of our own terminal. */
import { createSequenceWatch } from './sequence-watch.ts'

/** CSI ... c, n, p, q, u, x, t; CSI ? ... S; ESC Z; DCS; OSC with "?": what `public/webtty/queries.ts` leaves to the router. */
const QUESTION = /\u001b(?:\[[<-?]?[0-9;:]*[ -/]*[cnpqutx]|\[\?[0-9;]*S|Z|P[$+]q|\][0-9;]*\?)/
const BEGUN = /\u001b(?:\[[<-?]?[0-9;:]*[ -/]*|P[$+]?|\][0-9;]*)?$/
/** No question that a terminal answers is longer. */
const MAX_QUESTION_BYTES = 64

/**
 * Tells whether output may have a question in it that the terminal answers (where the cursor is, what it can do), also one
 * that came in two parts. Sometimes yes where there is none; never no where there is one.
 */
export const createQuestionWatch = (): ((bytes: Uint8Array) => boolean) =>
  createSequenceWatch({ found: QUESTION, begun: BEGUN, maxLength: MAX_QUESTION_BYTES })

export interface Typing {
  write(data: Uint8Array): void
  /** What is written from now on waits for it. */
  hold(done: Promise<unknown>): void
}

export function createTyping(write: (data: Uint8Array) => void): Typing {
  let last: Promise<void> | null = null
  function after(done: Promise<unknown> | null, then: () => void): void {
    const step: Promise<void> = Promise.allSettled([last, done]).then(() => {
      if (last === step) last = null
      then()
    })
    last = step
    step.catch(() => {})
  }
  return {
    write(data) {
      if (last === null) write(data)
      else after(null, () => write(data))
    },
    hold: (done) => after(done, () => {}),
  }
}
