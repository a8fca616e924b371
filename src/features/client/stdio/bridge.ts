/**
 * Standard input and output as an MCP transport over the router's HTTP endpoint: each line is posted as it is, and each
 * message of an answer or a stream becomes a line. Both eras; only copies of messages are looked at.
 */
import { pause } from '../../../core/time.ts'
import { CODES } from '../../../core/mcp.ts'
import { isPloinkyError, messageOf, PloinkyError } from '../../../core/error.ts'
import { parseJson, isObject } from '../../../core/json.ts'
import { type Json, type Mirrored, mirroredOf, statelessHeaders, versionOf } from './headers.ts'
import { type Answer, type Link } from './link.ts'
import { createSession, type Session } from './session.ts'
import { serverEvents } from './sse.ts'

export interface BridgeOptions {
  readonly link: Link
  readonly input: AsyncIterable<string>
  /** Ends everything at once. */
  readonly signal: AbortSignal
  /** One line, without its end. */
  writeLine(line: string): void
  /** For a person who reads the client's log. */
  note(text: string): void
}

const ACCEPT = 'application/json, text/event-stream'
/** Milliseconds that calls in flight may still take when nobody sends any more. */
const GRACE_MS = 30_000
const RECONNECT_MS = 1000
const MAX_RESUMES = 10
/** Of a server's own making: JSON-RPC leaves -32000 to -32099 to implementations, and MCP takes those from -32020 on. */
const GATEWAY_ERROR = -32000

interface Flight {
  readonly abort: AbortController
  readonly stateless: boolean
}

interface Sent {
  readonly message: Json
  readonly line: string
  readonly version: string | null
  readonly signal: AbortSignal
}

const idOf = (message: Json): string | number | null => {
  const { id } = message
  return typeof id === 'string' || typeof id === 'number' ? id : null
}
const isRequest = (message: Json): boolean => typeof message['method'] === 'string' && idOf(message) !== null

const unreachable = (message: string): PloinkyError => new PloinkyError('UPSTREAM_UNREACHABLE', message)

/** What stood in the way, for the client. */
const told = (error: unknown): PloinkyError =>
  isPloinkyError(error) ? error : unreachable(`The connection to the router was lost: ${messageOf(error)}`)

function errorLine(id: string | number | null, error: PloinkyError): string {
  const { code, message, hint } = error
  const data = { code, ...(hint === undefined ? {} : { suggestion: hint }) }
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code: GATEWAY_ERROR, message, data } })
}

export function createBridge(options: BridgeOptions) {
  const { link, note } = options
  const ended = new AbortController()
  const signal = AbortSignal.any([options.signal, ended.signal])
  const flights = new Map<string | number, Flight>()
  const working = new Set<Promise<void>>()
  const tools = new Map<string, readonly Mirrored[]>()
  // A line break inside a message can only stand between its tokens.
  const write = (text: string): void => options.writeLine(text.replace(/[\r\n]+/g, ' '))
  const session: Session = createSession({ link, signal, write, note })

  async function post({ message, line, version, signal: aborted }: Sent): Promise<Answer> {
    for (let again = false; ; again = true) {
      const era =
        version === null ? session.headers() : statelessHeaders(message, version, (name) => tools.get(name) ?? [])
      const headers = { accept: ACCEPT, 'content-type': 'application/json', ...era }
      const answer = await link.send({ method: 'POST', headers, body: line, signal: aborted })
      if (again || version !== null || !(await session.renewed(answer, era))) return answer
    }
  }

  /** Hands a message of an answer on. True when it is the answer itself. */
  function deliver(text: string, { message, version }: Sent, answer: Answer): boolean {
    const json = parseJson(text)
    const found = json.ok && isObject(json.value) ? json.value : null
    const isAnswer = found !== null && found['method'] === undefined && found['id'] === message['id']
    if (isAnswer && message['method'] === 'initialize' && found['error'] === undefined) session.began(answer, found)
    if (isAnswer && message['method'] === 'tools/list' && version !== null) noteTools(found)
    write(text)
    return isAnswer
  }

  function noteTools({ result }: Json): void {
    const list = isObject(result) && Array.isArray(result['tools']) ? (result['tools'] as unknown[]) : []
    for (const tool of list.filter(isObject)) {
      const mirrored = mirroredOf(tool['inputSchema'])
      if (mirrored.length > 0) tools.set(String(tool['name']), mirrored)
    }
  }

  interface Stream {
    lastId: string | null
    retryMs: number
    answered: boolean
  }

  async function pump(answer: Answer, sent: Sent, stream: Stream): Promise<void> {
    for await (const { id, data, retryMs } of serverEvents(answer.body)) {
      stream.lastId = id
      stream.retryMs = retryMs ?? stream.retryMs
      if (data !== '' && deliver(data, sent, answer)) stream.answered = true
    }
  }

  /** The stream of an answer; a server of the era of sessions may close it and be asked again (`Last-Event-ID`). */
  async function pumpToAnswer(answer: Answer, sent: Sent): Promise<void> {
    const stream: Stream = { lastId: null, retryMs: RECONNECT_MS, answered: false }
    await pump(answer, sent, stream).catch((error: unknown) => {
      if (stream.lastId === null || sent.version !== null) throw error
    })
    for (let tries = 0; !stream.answered && stream.lastId !== null && sent.version === null; tries += 1) {
      if (tries >= MAX_RESUMES || sent.signal.aborted) break
      await pause(stream.retryMs, sent.signal)
      const headers = { accept: 'text/event-stream', ...session.headers(), 'last-event-id': stream.lastId }
      const more = await link.send({ method: 'GET', headers, signal: sent.signal })
      if (more.status >= 400) break
      await pump(more, sent, stream).catch(() => {})
    }
    if (!stream.answered)
      write(errorLine(idOf(sent.message), unreachable('The connection ended before the answer came')))
  }

  /** An HTTP error is an answer to the request, or a note for a person. */
  function refuse({ status, refusal, problem }: Answer, { message }: Sent): void {
    const id = idOf(message)
    const json = parseJson(problem)
    const body = json.ok && isObject(json.value) ? json.value : null
    const { jsonrpc, error } = body ?? {}
    if (!isRequest(message)) return note(`a message was refused with HTTP ${status}: ${problem.slice(0, 300)}`)
    // Servers leave out the id of what they refuse early; a client would wait for ever.
    if (jsonrpc !== undefined) return write(body?.['id'] === id ? problem : JSON.stringify({ jsonrpc, id, error }))
    write(errorLine(id, refusal ?? unreachable(`The agent answered with HTTP ${status}`)))
  }

  async function exchange(sent: Sent): Promise<void> {
    const answer = await post(sent)
    if (answer.status >= 400) return refuse(answer, sent)
    if ((answer.headers['content-type'] ?? '').startsWith('text/event-stream')) return await pumpToAnswer(answer, sent)
    const text = await answer.text()
    if (text.trim() !== '') deliver(text.trim(), sent, answer)
  }

  async function request(sent: Omit<Sent, 'signal'>): Promise<void> {
    const id = idOf(sent.message)
    const abort = new AbortController()
    if (id !== null) flights.set(id, { abort, stateless: sent.version !== null })
    try {
      await exchange({ ...sent, signal: AbortSignal.any([signal, abort.signal]) })
    } catch (error) {
      if (!abort.signal.aborted && !signal.aborted) write(errorLine(id, told(error)))
    } finally {
      if (id !== null) flights.delete(id)
    }
  }

  /** What needs no answer is accepted before the next line is sent: the order of the client's lines is kept. */
  async function tell(sent: Omit<Sent, 'signal'>): Promise<void> {
    const params = isObject(sent.message['params']) ? sent.message['params'] : {}
    const target = flights.get(params['requestId'] as string | number)
    const cancels = sent.message['method'] === 'notifications/cancelled' && target !== undefined
    // Without sessions, closing the stream of a call is its cancellation.
    if (cancels && target.stateless) return target.abort.abort()
    try {
      await exchange({ ...sent, signal })
      // With sessions it is not; but once it was told, no answer will come.
      if (cancels) target.abort.abort()
      if (sent.message['method'] === 'notifications/initialized' && sent.version === null) void session.listen()
    } catch (error) {
      if (!signal.aborted) note(told(error).message)
    }
  }

  async function accept(line: string): Promise<void> {
    if (line.trim() === '') return
    const json = parseJson(line)
    if (!json.ok) {
      const error = { code: CODES.parse, message: `Parse error: ${json.problem}` }
      return write(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
    }
    const message = isObject(json.value) ? json.value : {}
    session.noteSent(message, line)
    const sent = { message, line, version: versionOf(message) }
    // Batches (an array) belong to a revision that few ever spoke: they pass, too.
    if (!isRequest(message) && !Array.isArray(json.value)) return await tell(sent)
    const work = request(sent).finally(() => working.delete(work))
    working.add(work)
    // Nothing may overtake the beginning of a session.
    if (message['method'] === 'initialize') await work
  }

  return {
    /** Until the input ends and what it asked for is answered, or the signal comes. */
    async run(): Promise<void> {
      const lines = options.input[Symbol.asyncIterator]()
      const stopped = new Promise<null>((resolve) => {
        if (signal.aborted) resolve(null)
        signal.addEventListener('abort', () => resolve(null), { once: true })
      })
      for (;;) {
        const next = await Promise.race([lines.next(), stopped])
        if (next === null || next.done === true) break
        await Promise.race([accept(next.value), stopped])
      }
      const answered = Promise.allSettled(working)
      await Promise.race([answered, stopped, pause(GRACE_MS, signal)])
      await session.end()
      ended.abort()
    },
  }
}
