/** Something that wants to look at the clock now and then. */
export interface Sweepable {
  /** `now` is a monotonic time in ms. */
  sweep(now: number): void
}

/**
 * One coarse clock for every timeout that does not need precision. A timer per request would cost more than parsing
 * the request; a router without traffic has no timer at all.
 */
export class Sweeper {
  private readonly periodMs: number
  private readonly items = new Set<Sweepable>()
  private timer: ReturnType<typeof setInterval> | null = null

  constructor(periodMs: number) {
    this.periodMs = periodMs
  }

  add(item: Sweepable): void {
    this.items.add(item)
    if (this.timer) return
    this.timer = setInterval(() => this.tick(), this.periodMs)
    this.timer.unref()
  }

  delete(item: Sweepable): void {
    this.items.delete(item)
  }

  close(): void {
    this.items.clear()
    this.stop()
  }

  private tick(): void {
    const now = performance.now()
    for (const item of this.items) item.sweep(now)
    if (this.items.size === 0) this.stop()
  }

  private stop(): void {
    if (this.timer) clearInterval(this.timer)
    this.timer = null
  }
}
