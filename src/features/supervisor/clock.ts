/** Time as the supervisor sees it: a test turns the hands itself. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back once after `ms`; the result calls it off. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    // Nothing of this keeps a router alive that is told to end.
    timer.unref?.()
    return () => clearTimeout(timer)
  },
}
