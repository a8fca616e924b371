/** Events of a `text/event-stream` (https://html.spec.whatwg.org/multipage/server-sent-events.html), as they arrive. */
import { PloinkyError } from '../../../core/error.ts'

export interface ServerEvent {
  /** Null when the stream has named none so far. */
  readonly id: string | null
  /** `message` unless it says otherwise. */
  readonly type: string
  readonly data: string
  /** Milliseconds before coming back, once the stream asked for it. */
  readonly retryMs: number | null
}

/** Characters of one event; more is a fault or an attack. */
const MAX_EVENT = 64 * 1024 * 1024

interface Parser {
  id: string | null
  retryMs: number | null
  type: string
  data: string[]
  size: number
}

function field(parser: Parser, line: string): void {
  const colon = line.indexOf(':')
  const name = colon === -1 ? line : line.slice(0, colon)
  const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
  if (name === 'data') parser.data.push(value)
  else if (name === 'event') parser.type = value
  else if (name === 'id' && !value.includes('\0')) parser.id = value
  else if (name === 'retry' && /^\d{1,9}$/.test(value)) parser.retryMs = Number(value)
}

/** An empty line ends an event; one without data only says where the stream stands. */
function take(parser: Parser): ServerEvent {
  const { id, retryMs, type, data } = parser
  Object.assign(parser, { type: '', data: [], size: 0 })
  return { id, retryMs, type: type || 'message', data: data.join('\n') }
}

/** Comments are left out. An event that the end of the stream cuts off never happened. */
export async function* serverEvents(body: AsyncIterable<Uint8Array>): AsyncIterable<ServerEvent> {
  const decoder = new TextDecoder()
  const parser: Parser = { id: null, retryMs: null, type: '', data: [], size: 0 }
  let parts: string[] = []
  for await (const chunk of body) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n')
    parser.size += chunk.byteLength
    if (parser.size > MAX_EVENT) throw new PloinkyError('REQUEST_TOO_LARGE', `An event larger than ${MAX_EVENT} bytes`)
    for (const [index, text] of lines.entries()) {
      parts.push(text)
      // The last piece goes on in the next chunk.
      if (index === lines.length - 1) break
      const line = parts.join('').replace(/\r$/, '')
      parts = []
      if (line === '') yield take(parser)
      else field(parser, line)
    }
  }
}
