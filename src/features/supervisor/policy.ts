/** When an instance is started again, and when no more. Pure: every time is given. */
import type { RestartPolicy } from '../../config/manifest/types.ts'

/** What the decisions of an agent depend on; kept over a restart of the router. */
export interface History {
  /** Restarts after crashes, ms since 1970, that are still in the window of the breaker. */
  readonly crashes: readonly number[]
  /** Restarts in a row without a stable run between them: decides the pause. */
  readonly attempts: number
  /** Restarts in a row because of the liveness probe. */
  readonly unhealthy: number
}

export const NO_HISTORY: History = { crashes: [], attempts: 0, unhealthy: 0 }

export interface End {
  /** 128 + n when ended by signal n; null when nobody knows. */
  readonly exitCode: number | null
  readonly oomKilled: boolean
  /** The container itself is gone. */
  readonly isGone: boolean
  /** It had been ready in this run. */
  readonly wasReady: boolean
  readonly ranMs: number
}

export type Verdict =
  | { readonly kind: 'restart'; readonly afterMs: number; readonly history: History }
  | { readonly kind: 'ended' }
  | { readonly kind: 'give-up'; readonly reason: string }

const SIGKILL = 137
const SIGTERM = 143
/** Pauses after a failed liveness probe: doubled from the first up to the longest; anew after a stable run. */
const UNHEALTHY_FIRST_MS = 10_000
const UNHEALTHY_LONGEST_MS = 300_000
const UNHEALTHY_RESET_MS = 600_000

const doubled = (firstMs: number, times: number, longestMs: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(times, 30))

/**
 * Somebody ended an instance that worked: killed or removed by hand, or the engine went down. The pause grows with it, but
 * the breaker is for programs that cannot run.
 */
const isFromOutside = ({ isGone, wasReady, oomKilled, exitCode }: End): boolean =>
  wasReady && !oomKilled && (isGone || exitCode === SIGKILL || exitCode === SIGTERM)

export function afterEnd(
  policy: RestartPolicy,
  { history, end, now }: { history: History; end: End; now: number },
): Verdict {
  const succeeded = end.exitCode === 0 && !end.isGone
  if (policy.policy === 'never')
    return succeeded ? { kind: 'ended' } : { kind: 'give-up', reason: 'its restart policy is "never"' }
  if (policy.policy === 'on-failure' && succeeded) return { kind: 'ended' }
  const isStable = end.ranMs >= policy.resetSeconds * 1000
  const attempts = isStable ? 0 : history.attempts
  const recent = isStable ? [] : history.crashes.filter((at) => at > now - policy.windowSeconds * 1000)
  if (!isFromOutside(end)) {
    if (recent.length >= policy.maxRestarts) {
      return { kind: 'give-up', reason: `restarted ${recent.length} times within ${policy.windowSeconds} s` }
    }
    recent.push(now)
  }
  return {
    kind: 'restart',
    afterMs: doubled(policy.backoffSeconds * 1000, attempts, policy.maxBackoffSeconds * 1000),
    history: { ...history, crashes: recent, attempts: attempts + 1 },
  }
}

/** The pause before an instance that runs and does not live is started again. */
export function afterUnhealthy(history: History, ranMs: number): { afterMs: number; history: History } {
  const times = ranMs >= UNHEALTHY_RESET_MS ? 0 : history.unhealthy
  return {
    afterMs: doubled(UNHEALTHY_FIRST_MS, times, UNHEALTHY_LONGEST_MS),
    history: { ...history, unhealthy: times + 1 },
  }
}
