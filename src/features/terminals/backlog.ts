/**
 * Bytes that wait to be drawn, in order, with jobs between them.
 *
 * When too many wait, lines that nobody could ever see are dropped. In a run of plain text every line end moves the whole
 * screen up by a line (`scrollsPlainly`); after as many of them as the terminal keeps lines, plus the screen, nothing is left
 * of what was there before, and the cursor is in the last line. So of a longer run, only its end matters: it begins behind
 * a CR LF, where the column is known too. Colours, modes and tab stops do not change in plain text.
 */
import { afterLineEnd, plainness, type Plain } from './plain-text.ts'

type BytesEntry = { readonly kind: 'bytes'; bytes: Uint8Array; plain: Plain | null }
type Entry<J> = BytesEntry | { readonly kind: 'job'; readonly job: J }

export interface Backlog<J> {
  /** Bytes that wait. */
  readonly size: number
  /** Jobs that wait. */
  readonly jobs: number
  /** Bytes are next, not a job. */
  readonly hasBytes: boolean
  /** Line ends after which nothing is left of what was before. */
  keepLines: number
  push(bytes: Uint8Array): void
  pushJob(job: J): void
  /** The job at the front, taken; null: bytes are before it, or there is none. */
  job(): J | null
  /** Up to `limit` bytes from the front, none of them behind a job. */
  take(limit: number): Uint8Array | null
  /** All bytes that wait, left where they are. */
  bytes(): readonly Uint8Array[]
  /**
   * Drops lines of the run at the front that could not be seen; gives how many bytes. What is drawn so far must scroll
   * plainly.
   */
  compact(): number
  clear(): void
}

export function createBacklog<J>({ keepLines }: { keepLines: number }): Backlog<J> {
  let entries: Entry<J>[] = []
  let size = 0
  let jobs = 0

  /** The entries at the front that are plain text. */
  function plainRun(): BytesEntry[] {
    const run: BytesEntry[] = []
    for (const entry of entries) {
      if (entry.kind !== 'bytes') break
      entry.plain ??= plainness(entry.bytes)
      if (!entry.plain.isPlain) break
      run.push(entry)
    }
    return run
  }

  return {
    keepLines,
    get size() {
      return size
    },
    get jobs() {
      return jobs
    },
    get hasBytes() {
      return entries[0]?.kind === 'bytes'
    },
    push(bytes) {
      entries.push({ kind: 'bytes', bytes, plain: null })
      size += bytes.byteLength
    },
    pushJob(job) {
      entries.push({ kind: 'job', job })
      jobs += 1
    },
    job() {
      const first = entries[0]
      if (first?.kind !== 'job') return null
      entries.shift()
      jobs -= 1
      return first.job
    },
    take(limit) {
      const first = entries[0]
      if (first?.kind !== 'bytes' || limit <= 0) return null
      const { bytes } = first
      const part = bytes.byteLength <= limit ? bytes : bytes.subarray(0, limit)
      if (part === bytes) entries.shift()
      else Object.assign(first, { bytes: bytes.subarray(limit), plain: null })
      size -= part.byteLength
      return part
    },
    bytes: () => entries.flatMap((entry) => (entry.kind === 'bytes' ? [entry.bytes] : [])),
    compact() {
      const run = plainRun()
      let lines = 0
      let first = run.length
      while (first > 0 && lines < this.keepLines) {
        first -= 1
        lines += run[first]?.plain?.lineFeeds ?? 0
      }
      // One entry more, in which the kept part begins behind a line end.
      const start = first - 1
      const from = run[start]
      if (lines < this.keepLines || from === undefined || start < 1) return 0
      const cut = afterLineEnd(from.bytes)
      if (cut < 0) return 0
      const dropped = run.slice(0, start).reduce((sum, { bytes }) => sum + bytes.byteLength, cut)
      entries.splice(0, start)
      Object.assign(from, { bytes: from.bytes.subarray(cut), plain: null })
      size -= dropped
      return dropped
    },
    clear() {
      entries = []
      size = 0
      jobs = 0
    },
  }
}
