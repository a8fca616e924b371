/** The event log, newest first, a page at a time: read backwards, so that the newest cost no more when the log is long. */
import { concat } from '../../core/bytes.ts'
import { PloinkyError } from '../../core/error.ts'
import { pause } from '../../core/time.ts'
import type { FileSystem } from '../../platform/index.ts'
import { createLogTail, rotatedFiles } from '../logs/index.ts'
import { type EventFilter, type EventRecord, matches, readRecord } from './record.ts'

/** Read at a time, and for one page at most: whoever looks for what is rare asks again. */
const CHUNK_BYTES = 256 * 1024
const MAX_PAGE_BYTES = 16 * 1024 * 1024
/** A longer line is none of ours. */
const MAX_LINE_BYTES = 1024 * 1024
const NEWLINE = 10
const FOLLOW_MS = 250

export interface EventPage {
  readonly events: readonly EventRecord[]
  /** Where the next page begins; null: that was all. */
  readonly next: string | null
}

export interface EventReader {
  /** At most `limit` events before `cursor`, newest first. REQUEST_INVALID for a cursor that is none of ours. */
  page(query: { filter: EventFilter; limit: number; cursor?: string }): Promise<EventPage>
  /** The last ones, oldest first, then those that come, until the signal aborts. */
  follow(filter: EventFilter, options: { last: number; signal: AbortSignal }): AsyncIterable<EventRecord>
}

/** A place in the log: number of the file (of the present one, the number that it will have), bytes before which to read. */
interface Place {
  readonly file: number
  readonly offset: number
}

function parseCursor(cursor: string): Place {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(cursor)
  if (match === null)
    throw new PloinkyError('REQUEST_INVALID', `Invalid place in the event log: "${cursor.slice(0, 40)}"`, {
      hint: 'Give "before" as the answer before gave it in "next"',
    })
  return { file: Number(match[1]), offset: Number(match[2]) }
}

export function createEventReader(fs: FileSystem, path: string): EventReader {
  /** Files with their numbers, newest first. */
  async function files(): Promise<{ number: number; path: string }[]> {
    const rotated = (await rotatedFiles(fs, path)).map((name) => ({
      number: Number(name.slice(path.length + 1)),
      path: name,
    }))
    return [...rotated, { number: (rotated.at(-1)?.number ?? 0) + 1, path }].reverse()
  }

  /** Lines before a place, newest first, each with its own place. */
  async function* linesBefore(start: Place | null): AsyncGenerator<{ text: string; place: string }> {
    for (const file of await files()) {
      if (start !== null && file.number > start.file) continue
      const size = (await fs.stat(file.path))?.size ?? 0
      const from = start?.file === file.number ? Math.min(start.offset, size) : size
      for await (const { text, offset } of linesBackwards(fs, file.path, from))
        yield { text, place: `${file.number}-${offset}` }
    }
  }

  async function page({ filter, limit, cursor }: Parameters<EventReader['page']>[0]): Promise<EventPage> {
    const events: EventRecord[] = []
    let budget = MAX_PAGE_BYTES
    for await (const { text, place } of linesBefore(cursor === undefined ? null : parseCursor(cursor))) {
      const record = readRecord(text)
      budget -= text.length
      if (record !== null) {
        // What came before the wanted time is older still further back.
        if (filter.since !== undefined && record.at < filter.since) break
        if (matches(record, filter)) events.push(record)
      }
      if (events.length >= limit || budget <= 0) return { events, next: place }
    }
    return { events, next: null }
  }

  return {
    page,
    async *follow(filter, { last, signal }) {
      const tail = createLogTail(fs, path, { fromEnd: true })
      const fresh = async function* (): AsyncGenerator<EventRecord> {
        for await (const line of tail.next()) {
          const record = readRecord(line)
          if (record !== null && matches(record, filter)) yield record
        }
      }
      try {
        // Opened before the past is read: nothing falls between the two, and what is in both is told once.
        const early: EventRecord[] = []
        for await (const record of fresh()) early.push(record)
        const { events } = await page({ filter, limit: last })
        const told = new Set(events.map(({ id }) => id))
        yield* events.toReversed()
        yield* early.filter(({ id }) => !told.has(id))
        while (!signal.aborted) {
          for await (const record of fresh()) if (!told.has(record.id)) yield record
          await pause(FOLLOW_MS, signal)
        }
      } finally {
        await tail.close()
      }
    },
  }
}

/** Whole lines that end before `end`, last first, each with the place of its first byte. */
async function* linesBackwards(
  fs: FileSystem,
  path: string,
  end: number,
): AsyncGenerator<{ text: string; offset: number }> {
  const decoder = new TextDecoder()
  let rest = new Uint8Array()
  for (let at = end; at > 0;) {
    const start = Math.max(0, at - CHUNK_BYTES)
    const chunk = await bytesOf(fs, path, { start, end: at - 1 })
    const joined = concat([chunk, rest])
    let lineEnd = joined.length
    for (let index = joined.lastIndexOf(NEWLINE); index >= 0; index = joined.lastIndexOf(NEWLINE, index - 1)) {
      if (index + 1 < lineEnd)
        yield { text: decoder.decode(joined.subarray(index + 1, lineEnd)), offset: start + index + 1 }
      lineEnd = index
      if (index === 0) break
    }
    rest = joined.slice(0, lineEnd)
    if (rest.length > MAX_LINE_BYTES) rest = new Uint8Array()
    if (start === 0 && rest.length > 0) yield { text: decoder.decode(rest), offset: 0 }
    at = start
  }
}

/** Empty when the file is gone, or was rotated away under its name. */
async function bytesOf(fs: FileSystem, path: string, range: { start: number; end: number }): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of fs.readStream(path, range)) chunks.push(chunk)
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
  }
  return concat(chunks)
}
