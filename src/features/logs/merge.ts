/** Lines of several logs as one. */
import { delay } from '../../core/time.ts'
import type { LogEntry } from './types.ts'

/** Logs that are followed count as read, at first, when nothing came for so long (ms); then they are put in order. */
const SETTLE_MS = 150
/** What arrives within this time (ms) is put in order: two logs never arrive in step. */
const WINDOW_MS = 40
/** Lines that wait for the reader before the logs are held back. */
const MAX_WAITING = 20_000

const timeOf = (entry: LogEntry): string => entry.at ?? ''

/** Logs that end, by time: exact, and one line of each in memory. */
export async function* mergeEnding(sources: readonly AsyncIterable<LogEntry>[]): AsyncGenerator<LogEntry> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]())
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()))
    for (;;) {
      let first = -1
      heads.forEach((head, index) => {
        const best = heads[first]
        if (head.done !== true && (best === undefined || best.done === true || timeOf(head.value) < timeOf(best.value)))
          first = index
      })
      const head = heads[first]
      const iterator = iterators[first]
      if (head === undefined || head.done === true || iterator === undefined) return
      yield head.value
      heads[first] = await iterator.next()
    }
  } finally {
    await Promise.all(iterators.map(async (iterator) => await iterator.return?.()))
  }
}

/** Logs that are followed: what was there before by time, then what comes, nearly by time. */
export async function* mergeFollowed(sources: readonly AsyncIterable<LogEntry>[]): AsyncGenerator<LogEntry> {
  const inbox = openInbox(sources)
  try {
    await inbox.settled()
    for (;;) {
      const batch = inbox.take()
      yield* batch.toSorted((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0))
      if (inbox.isDone()) return
      await inbox.some()
    }
  } finally {
    inbox.close()
  }
}

function openInbox(sources: readonly AsyncIterable<LogEntry>[]) {
  let waiting: LogEntry[] = []
  let open = sources.length
  let failure: { error: unknown } | null = null
  let isClosed = false
  let arrivals = 0
  let wake = (): void => {}
  let drain = (): void => {}
  let drained: Promise<void> | null = null

  async function pump(source: AsyncIterable<LogEntry>): Promise<void> {
    try {
      for await (const entry of source) {
        waiting.push(entry)
        arrivals += 1
        wake()
        if (waiting.length >= MAX_WAITING) await (drained ??= new Promise((resolve) => (drain = resolve)))
        if (isClosed) return
      }
    } catch (error) {
      failure ??= { error }
    } finally {
      open -= 1
      wake()
    }
  }
  for (const source of sources) void pump(source)

  const isFull = (): boolean => waiting.length >= MAX_WAITING
  const isEnded = (): boolean => open === 0 || failure !== null

  return {
    take(): LogEntry[] {
      const batch = waiting
      waiting = []
      drained = null
      drain()
      return batch
    },
    isDone(): boolean {
      if (waiting.length > 0) return false
      if (failure !== null) throw failure.error
      return open === 0
    },
    async settled(): Promise<void> {
      for (let before = -1; before !== arrivals && !isEnded() && !isFull();) {
        before = arrivals
        await delay(SETTLE_MS)
      }
    },
    async some(): Promise<void> {
      if (waiting.length === 0 && !isEnded()) await new Promise<void>((resolve) => (wake = resolve))
      if (!isEnded()) await delay(WINDOW_MS)
    },
    close(): void {
      isClosed = true
      drain()
    },
  }
}
