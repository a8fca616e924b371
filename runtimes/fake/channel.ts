/** A bounded pipe in memory: a writer waits for its reader, as it does at a real pipe. */
export interface ByteChannel extends AsyncIterable<Uint8Array> {
  /** Resolves when the reader has caught up, or when nobody will ever read. Data after `close` is dropped. */
  write(chunk: Uint8Array): Promise<void>
  close(): void
}

/** Size of a pipe on Linux. */
const CAPACITY = 65_536

export function createByteChannel(): ByteChannel {
  const chunks: Uint8Array[] = []
  let size = 0
  let closed = false
  let wakeReader = (): void => {}
  let wakeWriters: (() => void)[] = []
  const drained = (): void => {
    const waiting = wakeWriters
    wakeWriters = []
    for (const wake of waiting) wake()
  }

  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = chunks.shift()
        if (chunk !== undefined) {
          size -= chunk.byteLength
          if (size < CAPACITY) drained()
          yield chunk
        } else if (closed) {
          return
        } else {
          await new Promise<void>((resolve) => {
            wakeReader = resolve
          })
        }
      }
    } finally {
      // The reader left: like a broken pipe, writing goes nowhere and holds nobody up.
      closed = true
      chunks.length = 0
      drained()
    }
  }
  const reader = read()

  return {
    async write(chunk) {
      if (closed || chunk.byteLength === 0) return
      chunks.push(chunk)
      size += chunk.byteLength
      wakeReader()
      while (size >= CAPACITY && !closed) {
        await new Promise<void>((resolve) => wakeWriters.push(resolve))
      }
    },
    close() {
      closed = true
      wakeReader()
      drained()
    },
    [Symbol.asyncIterator]: () => reader,
  }
}
