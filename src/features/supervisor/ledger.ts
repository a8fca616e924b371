/** What is held against an agent: kept over a restart of the router, forgotten when a person stops or starts it. */
import type { Supervised } from '../../config/documents.ts'
import type { LastExit } from '../../core/last-exit.ts'
import { type History, NO_HISTORY } from './policy.ts'

export interface Ledger {
  /** The run that the supervisor started last, and the run whose end it counted last. */
  launched: string | null
  ended: string | null
  /** Why it is not started again; null while it is. */
  failed: string | null
  restarts: number
  history: History
  lastExit: LastExit | null
  keep(): void
  /** A person started it: a clean record. How it ended before is still worth knowing. */
  pardon(): void
  clear(): void
}

export function createLedger(remembered: Supervised | undefined, write: (record: Supervised | null) => void): Ledger {
  let isKept = remembered !== undefined
  return {
    launched: remembered?.launched ?? null,
    ended: remembered?.ended ?? null,
    failed: remembered?.failed ?? null,
    restarts: remembered?.restarts ?? 0,
    history: remembered?.history ?? NO_HISTORY,
    lastExit: remembered?.lastExit ?? null,
    keep() {
      isKept = true
      const { launched, ended, failed, restarts, history, lastExit } = this
      write({
        ...{ launched, ended, failed, restarts },
        history: { ...history, crashes: [...history.crashes] },
        lastExit: lastExit && { ...lastExit, lines: [...lastExit.lines] },
      })
    },
    pardon() {
      if (this.failed === null && this.restarts === 0) return
      this.history = NO_HISTORY
      this.failed = null
      this.restarts = 0
      this.keep()
    },
    clear() {
      this.history = NO_HISTORY
      this.failed = this.ended = this.launched = null
      this.restarts = 0
      this.lastExit = null
      if (isKept) write(null)
      isKept = false
    },
  }
}
