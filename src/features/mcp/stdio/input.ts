/** What waits to be read by a program: a queue of lines that becomes its standard input. */

/** Waiting for the program, above which no more is taken from clients. */
const HIGH_WATER_BYTES = 1024 * 1024
const LINE_FEED = Buffer.from('\n')

export interface Input {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Takes a line in every case; ask `room` before. */
  push(line: Uint8Array): void
  /** Null when there is room, otherwise resolves when there is, or when nothing is read any more. */
  room(): Promise<void> | null
  end(): void
}

export function createInput(): Input {
  let waiting: Uint8Array[] = []
  /** Not yet read, also what was handed over last: it is asked for more when that is written. */
  let size = 0
  let ended = false
  let wake = (): void => {}
  let isWaking = false
  let wakeWriters: (() => void)[] = []

  function drained(): void {
    const woken = wakeWriters
    wakeWriters = []
    for (const wake of woken) wake()
  }

  /** After this turn of the event loop: what other clients send in the same turn goes with it, in one write. */
  function wakeReader(): void {
    if (isWaking) return
    isWaking = true
    setImmediate(() => {
      isWaking = false
      wake()
    })
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        if (waiting.length > 0) {
          const chunk = Buffer.concat(waiting)
          waiting = []
          yield chunk
          size -= chunk.length
          if (size < HIGH_WATER_BYTES) drained()
        } else if (ended) {
          return
        } else {
          await new Promise<void>((resolve) => (wake = resolve))
        }
      }
    } finally {
      ended = true
      drained()
    }
  }

  return {
    bytes: read(),
    push(line) {
      if (ended) return
      waiting.push(line, LINE_FEED)
      size += line.byteLength + LINE_FEED.length
      wakeReader()
    },
    room: () => (ended || size < HIGH_WATER_BYTES ? null : new Promise<void>((resolve) => wakeWriters.push(resolve))),
    end() {
      ended = true
      wakeReader()
      drained()
    },
  }
}
