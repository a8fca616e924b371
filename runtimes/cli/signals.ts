/** Abort signals as our own error. */
import { PloinkyError } from '../../src/core/error.ts'

export const interrupted = (): PloinkyError => new PloinkyError('INTERRUPTED', 'Interrupted')

/** Throws INTERRUPTED when the signal was aborted already. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw interrupted()
}
