/** Time that stands still until a test turns the hands. */
import type { Clock } from '../../../src/features/supervisor/clock.ts'

export interface ManualClock extends Clock {
  /** Runs what is due, in its order, and lets it come to rest. */
  advance(ms: number): Promise<void>
}

const rest = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

export function createManualClock(): ManualClock {
  let now = Date.now()
  const timers = new Set<{ at: number; run: () => void }>()
  return {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const [first] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (first === undefined) break
        timers.delete(first)
        now = Math.max(now, first.at)
        first.run()
        await rest()
      }
      now = end
      await rest()
    },
  }
}
