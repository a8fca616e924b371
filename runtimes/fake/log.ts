/** Logs of an instance in memory: the newest lines, for any number of readers. */
import type { LogLine, LogOptions } from '../adapter.ts'

/** Memory that one instance's logs may take; the oldest lines go first. */
const MAX_CHARACTERS = 16 * 1024 * 1024
/** Longer lines are cut into pieces, so that a program that never ends its line is bounded too. */
const MAX_LINE = 65_536

export interface FakeLog {
  readonly size: number
  append(stream: LogLine['stream'], bytes: Uint8Array): void
  /** Writes what is left without a line end. */
  flush(): void
  /** No more lines until `reopen`: followers end. */
  close(): void
  reopen(): void
  read(options: LogOptions, ended: AbortSignal): AsyncIterable<LogLine>
}

export function createFakeLog(): FakeLog {
  let lines: LogLine[] = []
  /** Number of lines that were dropped from the front. */
  let dropped = 0
  let size = 0
  let closed = false
  const listeners = new Set<() => void>()
  const pending = { stdout: '', stderr: '' }
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  const notify = (): void => listeners.forEach((listener) => listener())

  function push(stream: LogLine['stream'], text: string): void {
    lines.push({ stream, at: new Date().toISOString(), text })
    size += text.length
    if (size <= MAX_CHARACTERS) return
    // Far enough below the limit that moving the rest is rare.
    let excess = 0
    while (size > MAX_CHARACTERS * 0.9) size -= lines[excess++]?.text.length ?? size
    lines = lines.slice(excess)
    dropped += excess
  }

  async function* read(options: LogOptions, ended: AbortSignal): AsyncGenerator<LogLine> {
    const since = options.since === undefined ? null : Date.parse(options.since)
    const wanted = (line: LogLine): boolean => since === null || Date.parse(line.at ?? '') >= since
    const first = lines.findIndex(wanted)
    let next = dropped + (first < 0 ? lines.length : first)
    if (options.tail !== undefined) next = Math.max(next, dropped + lines.length - options.tail)
    for (;;) {
      next = Math.max(next, dropped)
      const line = lines[next - dropped]
      if (ended.aborted) return
      if (line !== undefined) {
        next += 1
        yield line
      } else if (!options.follow || closed) {
        return
      } else {
        await changed(ended)
      }
    }
  }

  function changed(ended: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        listeners.delete(done)
        ended.removeEventListener('abort', done)
        resolve()
      }
      listeners.add(done)
      ended.addEventListener('abort', done, { once: true })
    })
  }

  return {
    get size() {
      return size
    },
    append(stream, bytes) {
      const parts = (pending[stream] + decoders[stream].decode(bytes, { stream: true })).split('\n')
      let rest = parts.pop() ?? ''
      for (const text of parts) push(stream, text)
      for (; rest.length > MAX_LINE; rest = rest.slice(MAX_LINE)) push(stream, rest.slice(0, MAX_LINE))
      pending[stream] = rest
      notify()
    },
    flush() {
      for (const stream of ['stdout', 'stderr'] as const) {
        if (pending[stream] !== '') push(stream, pending[stream])
        pending[stream] = ''
      }
    },
    close() {
      closed = true
      notify()
    },
    reopen() {
      closed = false
    },
    read,
  }
}
