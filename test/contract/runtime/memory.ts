/** Memory of this process while bytes flow through it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'

const MB = 1024 * 1024
const SAMPLE_EVERY = 5_000_000
/** Resident memory also holds pages that the allocator has not given back; live bytes do not. */
const MAX_RSS_GROWTH = 64 * MB
const MAX_LIVE_GROWTH = 24 * MB

let collectGarbage: (() => void) | null = null
function collect(): void {
  if (collectGarbage === null) {
    setFlagsFromString('--expose-gc')
    collectGarbage = runInNewContext('gc') as () => void
  }
  collectGarbage()
}

const now = (): { rss: number; live: number } => {
  collect()
  // Freed buffers are counted until a thread of the collector has been given time to free them: 26 MB of nothing
  // were measured on a busy machine. A second collection waits for the first one's thread.
  collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, live: heapUsed + external }
}

export interface MemoryWatch {
  /** Measures now and then, by the number of bytes that have passed. */
  sample(bytes: number): void
  measure(): void
  expectFlat(): void
}

export function createMemoryWatch(): MemoryWatch {
  const start = now()
  let last = 0
  const peak = { rss: 0, live: 0 }
  const measure = (): void => {
    const seen = now()
    peak.rss = Math.max(peak.rss, seen.rss - start.rss)
    peak.live = Math.max(peak.live, seen.live - start.live)
  }
  return {
    sample(bytes) {
      if (bytes - last < SAMPLE_EVERY) return
      last = bytes
      measure()
    },
    measure,
    expectFlat() {
      measure()
      expect(peak.live, 'growth of live bytes').toBeLessThan(MAX_LIVE_GROWTH)
      expect(peak.rss, 'growth of resident memory').toBeLessThan(MAX_RSS_GROWTH)
    },
  }
}
