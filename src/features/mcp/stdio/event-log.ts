/** Events of a session, kept for a client that lost its connection: bounded, the oldest go first. */

const MAX_EVENTS = 1000
const MAX_BYTES = 1024 * 1024

export interface KeptEvent {
  readonly stream: number
  readonly number: number
  readonly line: Buffer
}

export interface EventLog {
  /** Keeps an event of a stream and gives its id. */
  add(stream: number, line: Buffer): string
  /** An id for nothing but the place in a stream. */
  place(stream: number): string
  /** Number of the newest event that is no longer kept. */
  dropped(): number
  /** What followed; null when some of it is no longer kept, or never was. */
  after(stream: number, number: number): readonly KeptEvent[] | null
}

export const parseEventId = (id: string): { stream: number; number: number } | null => {
  const match = /^(\d{1,9})-(\d{1,15})$/.exec(id)
  return match === null ? null : { stream: Number(match[1]), number: Number(match[2]) }
}

export function createEventLog(): EventLog {
  const events: KeptEvent[] = []
  let size = 0
  /** Numbers go through all streams of the session, so that what was dropped is known from one number. */
  let last = 0
  let dropped = 0
  return {
    add(stream, line) {
      last += 1
      // A copy: a line is a part of a larger chunk, which would be kept with it.
      events.push({ stream, number: last, line: Buffer.from(line) })
      size += line.length
      while (events.length > MAX_EVENTS || (size > MAX_BYTES && events.length > 1)) {
        const oldest = events.shift()
        if (oldest === undefined) break
        size -= oldest.line.length
        dropped = oldest.number
      }
      return `${stream}-${last}`
    },
    dropped: () => dropped,
    place: (stream) => `${stream}-${last}`,
    after(stream, number) {
      if (number > last || number < dropped) return null
      return events.filter((event) => event.stream === stream && event.number > number)
    },
  }
}
