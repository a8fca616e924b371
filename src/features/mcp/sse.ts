/** Server-sent events: read one by one, with their text, so that those that need no change pass as they came. */
import { PloinkyError } from '../../core/error.ts'

export interface SseEvent {
  /** The lines as they came, without the empty one that ends them. */
  readonly raw: string
  readonly id: string | undefined
  /** Null: a comment, or an event without data. */
  readonly data: string | null
  /** Milliseconds to wait before the stream is opened again. */
  readonly retry: number | undefined
}

/** Largest event, in characters. */
const MAX_EVENT = 32 * 1024 * 1024
/** An empty line: two ends of a line, each one of three kinds. */
const END = /(?:\r\n|\n|\r(?!\n)){2}/g
const LONGEST_END = 4

export async function* readEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    // What was looked at already is not looked at again: an event may come in a thousand pieces.
    let from = Math.max(0, rest.length - LONGEST_END)
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > MAX_EVENT) throw new PloinkyError('UPSTREAM_UNREACHABLE', 'An event of the agent is too large')
    for (;;) {
      END.lastIndex = from
      const end = END.exec(rest)
      if (end === null) break
      const raw = rest.slice(0, end.index)
      rest = rest.slice(end.index + end[0].length)
      from = 0
      yield parseEvent(raw)
    }
  }
}

function parseEvent(raw: string): SseEvent {
  let id: string | undefined
  let retry: number | undefined
  const data: string[] = []
  for (const line of raw.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'data') data.push(value)
    else if (name === 'id') id = value
    else if (name === 'retry' && /^\d+$/.test(value)) retry = Number(value)
  }
  return { raw, id, retry, data: data.length === 0 ? null : data.join('\n') }
}

/** The same event with another id, or with other data (one line of JSON). */
export function changeEvent({ raw }: SseEvent, change: { id?: string; data?: string }): string {
  let isDone = false
  const lines = raw.split(/\r\n|\n|\r/).flatMap((line) => {
    if (change.id !== undefined && /^id(?::|$)/.test(line)) return [`id: ${change.id}`]
    if (change.data === undefined || !/^data(?::|$)/.test(line)) return [line]
    if (isDone) return []
    isDone = true
    return [`data: ${change.data}`]
  })
  return lines.join('\n')
}

export const messageEvent = (message: unknown): string => `event: message\ndata: ${JSON.stringify(message)}`
