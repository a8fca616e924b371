/** Restarts: pauses, breaker, reset; as tables. */
import { describe, expect, it } from 'vitest'
import {
  afterEnd,
  afterUnhealthy,
  type End,
  type History,
  NO_HISTORY,
} from '../../../src/features/supervisor/policy.ts'
import { DEFAULT_RESTART } from '../../../src/config/manifest/index.ts'

const crash: End = { exitCode: 1, oomKilled: false, isGone: false, wasReady: true, ranMs: 100 }
const always = DEFAULT_RESTART

/** Ends one after the other, each right after the restart that the one before led to. */
function run(ends: readonly Partial<End>[], policy = always) {
  let history: History = NO_HISTORY
  let now = 1_000_000
  return ends.map((change) => {
    const end = { ...crash, ...change }
    now += end.ranMs
    const verdict = afterEnd(policy, { history, end, now })
    if (verdict.kind !== 'restart') return verdict.kind
    history = verdict.history
    now += verdict.afterMs
    return verdict.afterMs / 1000
  })
}

describe('afterEnd()', () => {
  it('doubles the pause, and gives up after five restarts within a minute', () => {
    expect(run(Array.from({ length: 6 }, () => ({})))).toEqual([1, 2, 4, 8, 16, 'give-up'])
  })

  it('goes on with the longest pause when the crashes are not that close', () => {
    const slow = { ...always, maxRestarts: 5, windowSeconds: 20 }
    expect(
      run(
        Array.from({ length: 9 }, () => ({})),
        slow,
      ),
    ).toEqual([1, 2, 4, 8, 16, 30, 30, 30, 30])
  })

  it('begins anew after a stable run', () => {
    expect(run([{}, {}, {}, { ranMs: 60_000 }, {}])).toEqual([1, 2, 4, 1, 2])
    expect(run([{}, {}, {}, { ranMs: 59_999 }, {}])).toEqual([1, 2, 4, 8, 16])
  })

  const outside: [what: string, end: Partial<End>][] = [
    ['killed', { exitCode: 137 }],
    ['told to end', { exitCode: 143 }],
    ['removed', { exitCode: null, isGone: true }],
  ]
  it.each(outside)('an instance that worked and was %s is always started again', (_what, end) => {
    expect(run(Array.from({ length: 8 }, () => end))).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
  })

  const inside: [what: string, end: Partial<End>][] = [
    ['out of memory', { exitCode: 137, oomKilled: true }],
    ['killed before it was ready', { exitCode: 137, wasReady: false }],
    ['ended by a fault of its own', { exitCode: 139 }],
    ['ended well, with the policy "always"', { exitCode: 0 }],
    ['of unknown end', { exitCode: null }],
  ]
  it.each(inside)('one that is %s again and again is given up', (_what, end) => {
    expect(run(Array.from({ length: 6 }, () => end)).at(-1)).toBe('give-up')
  })

  it('keeps to the policy', () => {
    const onFailure = { ...always, policy: 'on-failure' as const }
    expect(run([{ exitCode: 0 }], onFailure)).toEqual(['ended'])
    expect(run([{ exitCode: 3 }], onFailure)).toEqual([1])
    expect(run([{ exitCode: 0, isGone: true }], onFailure)).toEqual([1])
    const never = { ...always, policy: 'never' as const }
    expect([...run([{ exitCode: 0 }], never), ...run([{ exitCode: 3 }], never)]).toEqual(['ended', 'give-up'])
  })

  it('takes the numbers of the policy', () => {
    const own = { ...always, backoffSeconds: 3, maxBackoffSeconds: 10, maxRestarts: 2, resetSeconds: 1 }
    expect(run([{}, {}, {}], own)).toEqual([3, 6, 'give-up'])
    expect(run([{}, { ranMs: 1000 }, { ranMs: 1000 }], own)).toEqual([3, 3, 3])
  })
})

it('afterUnhealthy() waits ten seconds, doubled to five minutes, anew after ten minutes', () => {
  let history = NO_HISTORY
  const next = (ranMs: number): number => {
    const { afterMs, history: changed } = afterUnhealthy(history, ranMs)
    history = changed
    return afterMs / 1000
  }
  expect([0, 0, 0, 0, 0, 0, 599_999].map(next)).toEqual([10, 20, 40, 80, 160, 300, 300])
  expect([600_000, 0].map(next)).toEqual([10, 20])
})
