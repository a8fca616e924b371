/** Bounded buffers between a program's output and its reader. */

/** Held for a reader before the program is held back. */
const HIGH_WATER_BYTES = 256 * 1024

export interface BufferedBytes {
  /** One reader. Leaving early means: the rest is not wanted. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** From now on, what comes is thrown away: a program that is to end must not be held back by its own output. */
  discard(): void
  /** Resolves when the source has ended and all of it was seen. */
  readonly ended: Promise<void>
}

/**
 * Reads `source` at once, so that nothing is lost before the reader comes, and stops reading while `HIGH_WATER_BYTES`
 * are waiting. `see` is called with every chunk.
 */
export function bufferBytes(
  source: AsyncIterable<Uint8Array>,
  see: (chunk: Uint8Array) => void = () => {},
): BufferedBytes {
  const waiting: Uint8Array[] = []
  let size = 0
  let ended = false
  let discarding = false
  let failure: unknown
  let wakeReader = (): void => {}
  let wakeWriter = (): void => {}
  const pump = async (): Promise<void> => {
    try {
      for await (const chunk of source) {
        see(chunk)
        if (discarding) continue
        waiting.push(chunk)
        size += chunk.byteLength
        wakeReader()
        while (size > HIGH_WATER_BYTES && !discarding) {
          await new Promise<void>((resolve) => {
            wakeWriter = resolve
          })
        }
      }
    } catch (error) {
      failure = error
    }
    ended = true
    wakeReader()
  }
  const whenEnded = pump()
  const discard = (): void => {
    discarding = true
    wakeWriter()
  }
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = waiting.shift()
        if (chunk !== undefined) {
          size -= chunk.byteLength
          if (size <= HIGH_WATER_BYTES / 2) wakeWriter()
          yield chunk
        } else if (ended) {
          if (failure !== undefined) throw failure
          return
        } else {
          await new Promise<void>((resolve) => {
            wakeReader = resolve
          })
        }
      }
    } finally {
      discard()
    }
  }
  return { bytes: read(), discard, ended: whenEnded }
}

const LINE_FEED = 10

/** Lines of a stream as text, without their ends. A line longer than `maxBytes` is an error: it is not of this protocol. */
export async function* textLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
    if (rest.length > maxBytes) throw new Error(`line longer than ${maxBytes} characters`)
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

/** Index of the next line feed from `start`, or -1. */
export const nextLineFeed = (bytes: Uint8Array, start: number): number => bytes.indexOf(LINE_FEED, start)
