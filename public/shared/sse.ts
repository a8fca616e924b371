/** The parser of `text/event-stream` (WHATWG HTML, section 9.2.6), fed with text as it arrives. */
export interface SseMessage {
  readonly id: string
  readonly event: string
  readonly data: string
}

export interface SseParser {
  push(text: string): SseMessage[]
  /** The last `id` seen, for `Last-Event-ID`. */
  readonly lastId: string
  /** The server's `retry:`, in milliseconds. */
  readonly retryMs: number | null
}

/** More than this in one unfinished event is no event of ours: the stream is given up. */
const MAX_EVENT_CHARS = 1024 * 1024

/** Throws RangeError when one event grows beyond `maxChars`. */
export function createSseParser(lastEventId = '', maxChars = MAX_EVENT_CHARS): SseParser {
  let buffer = ''
  let afterCarriageReturn = false
  let data: string[] = []
  let size = 0
  let event = ''
  const state = { lastId: lastEventId, retryMs: null as number | null }

  function field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') data.push(value)
    else if (name === 'event') event = value
    else if (name === 'id' && !value.includes('\0')) state.lastId = value
    else if (name === 'retry' && /^\d{1,7}$/.test(value)) state.retryMs = Number(value)
  }

  function line(text: string, out: SseMessage[]): void {
    size += text.length
    if (size > maxChars) throw new RangeError('Event too large')
    if (text !== '') return field(text)
    if (data.length > 0) out.push({ id: state.lastId, event: event || 'message', data: data.join('\n') })
    data = []
    event = ''
    size = 0
  }

  return {
    push(text) {
      const out: SseMessage[] = []
      for (const part of text.split(/(\r\n|\r|\n)/)) {
        // "\r" at the end of one chunk and "\n" at the start of the next are one line end.
        if (part === '\n' && afterCarriageReturn && buffer === '') afterCarriageReturn = false
        else if (part === '\r\n' || part === '\r' || part === '\n') {
          line(buffer, out)
          buffer = ''
          afterCarriageReturn = part === '\r'
        } else if (part !== '') {
          buffer += part
          afterCarriageReturn = false
          if (buffer.length > maxChars) throw new RangeError('Event too large')
        }
      }
      return out
    },
    get lastId() {
      return state.lastId
    },
    get retryMs() {
      return state.retryMs
    },
  }
}
