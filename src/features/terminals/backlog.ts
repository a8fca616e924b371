/** Bytes that wait to be drawn, in order, with jobs between them. */

type Entry<J> = { readonly kind: 'bytes'; bytes: Uint8Array } | { readonly kind: 'job'; readonly job: J }

export interface Backlog<J> {
  /** Bytes that wait. */
  readonly size: number
  /** Jobs that wait. */
  readonly jobs: number
  /** Bytes are next, not a job. */
  readonly hasBytes: boolean
  keepLines: number
  push(bytes: Uint8Array): void
  pushJob(job: J): void
  /** The job at the front, taken; null: bytes are before it, or there is none. */
  job(): J | null
  /** Up to `limit` bytes from the front, none of them behind a job. */
  take(limit: number): Uint8Array | null
  /** All bytes that wait, left where they are. */
  bytes(): readonly Uint8Array[]
  clear(): void
}

export function createBacklog<J>({ keepLines }: { keepLines: number }): Backlog<J> {
  let entries: Entry<J>[] = []
  let size = 0
  let jobs = 0
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
      entries.push({ kind: 'bytes', bytes })
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
      if (first?.kind !== 'bytes') return null
      const { bytes } = first
      const part = bytes.byteLength <= limit ? bytes : bytes.subarray(0, limit)
      if (part === bytes) entries.shift()
      else first.bytes = bytes.subarray(limit)
      size -= part.byteLength
      return part
    },
    bytes: () => entries.flatMap((entry) => (entry.kind === 'bytes' ? [entry.bytes] : [])),
    clear() {
      entries = []
      size = 0
      jobs = 0
    },
  }
}
