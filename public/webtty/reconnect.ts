/** What to do after a connection ended. */
import { CLOSE } from '../../src/features/terminals/protocol.ts'
import { backoffMs } from '../shared/live.ts'

/** `incomplete`: a part of the page itself is missing. */
export type FinalReason =
  'ended' | 'invalid' | 'signedOut' | 'denied' | 'notFound' | 'unavailable' | 'tooMany' | 'incomplete'
export type Verdict =
  { readonly kind: 'retry'; readonly waitMs: number } | { readonly kind: 'final'; readonly reason: FinalReason }

const FINAL: ReadonlyMap<number, FinalReason> = new Map([
  [CLOSE.ended, 'ended'],
  [CLOSE.invalid, 'invalid'],
  [CLOSE.unauthenticated, 'signedOut'],
  [CLOSE.denied, 'denied'],
  [CLOSE.notFound, 'notFound'],
  [CLOSE.unavailable, 'unavailable'],
  [CLOSE.tooMany, 'tooMany'],
])

/** `attempt` counts from 0 since the last connection that worked; `random` is in [0, 1). */
export function verdictOf(closeCode: number, attempt: number, random: number): Verdict {
  const reason = FINAL.get(closeCode)
  return reason === undefined ? { kind: 'retry', waitMs: backoffMs(attempt, random) } : { kind: 'final', reason }
}
