/** Changes that the supervisor wants: under the workspace's lock, together, so that it never works against a person. */
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { Clock } from './clock.ts'
import type { ChangeKind } from './types.ts'

/** Containers that are started at the same time. */
const AT_ONCE = 4
/** After a lock that could not be had, ms. */
const AGAIN_MS = 5000

export interface ChangesOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  exclusive<T>(what: string, run: () => Promise<T>): Promise<T>
  perform(agent: string, kind: ChangeKind): Promise<void>
}

export function createChanges(options: ChangesOptions) {
  const { clock, log, signal } = options
  const due = new Map<string, ChangeKind>()
  let isBusy = false
  let isPerforming = false

  async function performAll(): Promise<void> {
    isPerforming = true
    const batch = [...due]
    due.clear()
    const worker = async (): Promise<void> => {
      for (let item = batch.shift(); item !== undefined && !signal.aborted; item = batch.shift())
        await options.perform(...item)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker)).finally(() => (isPerforming = false))
  }

  async function work(): Promise<void> {
    if (isBusy) return
    isBusy = true
    try {
      while (due.size > 0 && !signal.aborted) await options.exclusive('the router restarts agents', performAll)
    } catch (error) {
      log.warn('agents not restarted', { error: messageOf(error) })
      clock.after(AGAIN_MS, () => void work())
    } finally {
      isBusy = false
    }
  }

  return {
    isBusy: () => isPerforming,
    request(agent: string, kind: ChangeKind): void {
      due.set(agent, kind)
      void work()
    },
  }
}
