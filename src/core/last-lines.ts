/** The last words of a program, for an error or an event. */
import { pause } from './time.ts'

/** Lines that are kept with an end, and how much of each. */
const LINES = 12
const LINE_LENGTH = 500
/** A log that cannot be read must not hold up what comes after it: a restart, an answer. */
const READ_MS = 2000

export type LogReader = (tail: number, signal: AbortSignal) => AsyncIterable<{ readonly text: string }>

/** At most twelve lines, those that came in time. Never throws: a container that was removed meanwhile has no log. */
export async function readLastLines(read: LogReader, { withinMs = READ_MS } = {}): Promise<string[]> {
  const lines: string[] = []
  const over = new AbortController()
  const reading = async (): Promise<void> => {
    for await (const { text } of read(LINES, over.signal)) lines.push(text.slice(0, LINE_LENGTH))
  }
  // The clock decides, and not only the signal: a reader may be stuck in a way that no signal ends.
  await Promise.race([reading().catch(() => {}), pause(withinMs, over.signal)])
  over.abort()
  return lines.slice(-LINES)
}
