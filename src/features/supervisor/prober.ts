/** The loop of one probe: looks one after the other, and tells when the result turns. */
import type { Probe } from '../../config/manifest/types.ts'
import { messageOf } from '../../core/error.ts'
import type { Check, ProbeTarget } from './check.ts'
import type { Clock } from './clock.ts'

export type ProbeResult = 'waiting' | 'passing' | 'failing'

export interface RunningProbe {
  readonly result: ProbeResult
  /** Why the last look failed; null after one that did not. */
  readonly reason: string | null
  stop(): void
}

export interface ProbeOptions {
  readonly probe: Probe
  readonly target: ProbeTarget
  readonly check: Check
  readonly clock: Clock
  /** The result is another one than before. */
  onTurn(result: ProbeResult): void
}

/** No two looks overlap: the pause begins when a look has ended. A probe that is not continuous ends with its first result. */
export function startProbe({ probe, target, check, clock, onTurn }: ProbeOptions): RunningProbe {
  const ended = new AbortController()
  let cancel = (): void => {}
  let successes = 0
  let failures = 0
  let result: ProbeResult = 'waiting'
  let reason: string | null = null

  function count(problem: string | null): void {
    reason = problem
    successes = problem === null ? successes + 1 : 0
    failures = problem === null ? 0 : failures + 1
    const before = result
    if (successes >= probe.successThreshold) result = 'passing'
    else if (failures >= probe.failureThreshold) result = 'failing'
    if (result !== before) onTurn(result)
  }

  async function look(): Promise<void> {
    const call = { action: probe.action, target, timeoutMs: probe.timeoutSeconds * 1000, signal: ended.signal }
    const problem = await check(call).catch((error: unknown) => messageOf(error))
    if (ended.signal.aborted) return
    count(problem)
    // Whoever was told may have stopped it.
    if (ended.signal.aborted || (!probe.continuous && result !== 'waiting')) return
    cancel = clock.after(probe.intervalSeconds * 1000, () => void look())
  }

  cancel = clock.after(probe.initialDelaySeconds * 1000, () => void look())
  return {
    get result() {
      return result
    },
    get reason() {
      return reason
    },
    stop() {
      cancel()
      ended.abort()
    },
  }
}
