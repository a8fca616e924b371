/** Streams of data over HTTP: one JSON value a line. */
import { errorText } from './error-response.ts'
import { delay } from '../core/time.ts'

/** Characters that wait for the client before whoever makes the items is held back. */
const MAX_WAITING = 256 * 1024
/** Items that come within this time (ms) leave together. */
const GATHER_MS = 8
/** An empty line after so much silence (ms): a client that went away is noticed, and nobody in between cuts the line. */
const SILENCE_MS = 15_000

interface Sink {
  write(text: string): Promise<unknown>
  readonly aborted: boolean
}

/** Ends with the items, or when nobody reads any more. An error in mid-stream is its last line, in the one shape of errors. */
export async function writeLines(out: Sink, items: AsyncIterable<unknown>, requestId: string): Promise<void> {
  const queue = openQueue(items, requestId)
  try {
    while (!out.aborted) {
      await queue.filled()
      const text = queue.take()
      if (text === null) return
      await out.write(text)
    }
  } finally {
    queue.close()
  }
}

function openQueue(items: AsyncIterable<unknown>, requestId: string) {
  let waiting: string[] = []
  let size = 0
  let isDone = false
  let isClosed = false
  let wake = (): void => {}
  let resume = (): void => {}

  const push = (text: string): void => {
    waiting.push(`${text}\n`)
    size += text.length
    wake()
  }
  const run = async (): Promise<void> => {
    try {
      for await (const item of items) {
        push(JSON.stringify(item))
        if (size >= MAX_WAITING) await new Promise<void>((resolve) => (resume = resolve))
        if (isClosed) break
      }
    } catch (error) {
      if (!isClosed) push(errorText(error, requestId))
    }
    isDone = true
    wake()
  }
  void run()

  return {
    /** Resolves when there is something to take, or nothing came for too long. */
    async filled(): Promise<void> {
      if (waiting.length === 0 && !isDone) {
        let timer: ReturnType<typeof setTimeout> | undefined
        await new Promise<void>((resolve) => {
          wake = resolve
          timer = setTimeout(resolve, SILENCE_MS)
        })
        clearTimeout(timer)
      }
      if (waiting.length > 0 && size < MAX_WAITING && !isDone) await delay(GATHER_MS)
    },
    /** All that waits; an empty line when nothing does; null at the end. */
    take(): string | null {
      if (waiting.length === 0) return isDone ? null : '\n'
      const text = waiting.join('')
      waiting = []
      size = 0
      resume()
      return text
    },
    close(): void {
      isClosed = true
      resume()
    },
  }
}
