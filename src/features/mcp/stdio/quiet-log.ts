/** What a program says beside its messages goes to the log, as much of it as a person would read. */
import type { Logger } from '../../../core/log.ts'

const LINES_PER_PERIOD = 20
const PERIOD_MS = 10_000
const MAX_CHARACTERS = 1000

export interface QuietLog {
  line(what: string, text: string): void
}

export function createQuietLog(log: Logger, now: () => number = Date.now): QuietLog {
  let since = 0
  let said = 0
  let unsaid = 0
  return {
    line(what, text) {
      if (now() - since >= PERIOD_MS) {
        if (unsaid > 0) log.info('lines of the program not logged', { count: unsaid })
        since = now()
        said = 0
        unsaid = 0
      }
      if (said >= LINES_PER_PERIOD) {
        unsaid += 1
        return
      }
      said += 1
      // Control characters would be commands to the terminal of whoever reads the log.
      log.info(what, { text: text.slice(0, MAX_CHARACTERS).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '\u{fffd}') })
    },
  }
}
