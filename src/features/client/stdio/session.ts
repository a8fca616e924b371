/** The session of a legacy client (revisions up to 2025-11-25): its id, its stream, and how it is made anew when the agent forgot it. */
import { pause } from '../../../core/time.ts'
import { parseJson, isObject } from '../../../core/json.ts'
import type { Json } from './headers.ts'
import { type Answer, type Link } from './link.ts'
import { serverEvents } from './sse.ts'

export interface Session {
  headers(): Record<string, string>
  /** A line of the client on its way; those that make a session are kept, to make it anew. */
  noteSent(message: Json, line: string): void
  /** The answer to `initialize`. */
  began(answer: Answer, message: Json): void
  /** True when the agent no longer knows the session and a new one was made: the line was not executed and may be sent again. */
  renewed(answer: Answer, headers: Readonly<Record<string, string>>): Promise<boolean>
  /** Follows what the agent says by itself, for as long as it offers a stream for that. */
  listen(): Promise<void>
  end(): Promise<void>
}

interface SessionOptions {
  readonly link: Link
  readonly signal: AbortSignal
  write(text: string): void
  note(text: string): void
}

const ACCEPT = 'application/json, text/event-stream'
const RECONNECT_MS = 1000
const MAX_RECONNECT_MS = 15_000
/** Milliseconds for the end of a session to be told. */
const END_MS = 1000

/** The first message of an answer, whichever way it came. */
async function firstMessage(answer: Answer): Promise<Json | null> {
  const read = (text: string): Json | null => {
    const json = parseJson(text)
    return json.ok && isObject(json.value) ? json.value : null
  }
  if (!(answer.headers['content-type'] ?? '').startsWith('text/event-stream')) return read(await answer.text())
  for await (const { data } of serverEvents(answer.body)) {
    const message = read(data)
    if (message !== null && message['method'] === undefined) return message
  }
  return null
}

export function createSession({ link, signal, write, note }: SessionOptions): Session {
  let id: string | null = null
  let version: string | null = null
  let initialize: Json | null = null
  let initialized: string | null = null
  let renewing: Promise<boolean> | null = null
  let count = 0

  const headers = (): Record<string, string> => ({
    ...(id === null ? {} : { 'mcp-session-id': id }),
    ...(version === null ? {} : { 'mcp-protocol-version': version }),
  })

  const post = (body: string): Promise<Answer> =>
    link.send({
      method: 'POST',
      headers: { accept: ACCEPT, 'content-type': 'application/json', ...headers() },
      body,
      signal,
    })

  function began(answer: Answer, message: Json): void {
    const result = isObject(message['result']) ? message['result'] : {}
    const named = result['protocolVersion']
    id = answer.headers['mcp-session-id'] ?? null
    version = typeof named === 'string' && /^[\w.-]{1,32}$/.test(named) ? named : null
  }

  async function renew(): Promise<boolean> {
    if (initialize === null) return false
    id = null
    version = null
    count += 1
    const answer = await post(JSON.stringify({ ...initialize, id: `ploinky-renewed-${count}` }))
    const message = answer.status < 400 ? await firstMessage(answer) : null
    if (message?.['result'] === undefined) return false
    began(answer, message)
    if (initialized !== null) await post(initialized)
    note('the agent had forgotten the session; a new one was made')
    return true
  }

  async function renewed(answer: Answer, sent: Readonly<Record<string, string>>): Promise<boolean> {
    const before = sent['mcp-session-id']
    // The router's own 404 is about the agent, not about the session.
    if (answer.status !== 404 || answer.refusal !== null || before === undefined) return false
    // Somebody else has made the new one already.
    if (before !== id && id !== null) return true
    renewing ??= renew().finally(() => (renewing = null))
    return await renewing
  }

  async function follow(last: { id: string | null; retryMs: number }): Promise<'again' | 'over'> {
    const sent = headers()
    const answer = await link.send({
      method: 'GET',
      headers: { accept: 'text/event-stream', ...sent, ...(last.id === null ? {} : { 'last-event-id': last.id }) },
      signal,
    })
    if (answer.status >= 400) {
      last.id = null
      if (await renewed(answer, sent)) return 'again'
      return answer.status >= 500 ? 'again' : 'over'
    }
    if (!(answer.headers['content-type'] ?? '').startsWith('text/event-stream')) return 'over'
    for await (const event of serverEvents(answer.body)) {
      last.id = event.id
      last.retryMs = event.retryMs ?? RECONNECT_MS
      if (event.data !== '') write(event.data)
    }
    return 'again'
  }

  return {
    headers,
    began,
    renewed,
    noteSent(message, line) {
      if (message['method'] === 'initialize') initialize = message
      if (message['method'] === 'notifications/initialized') initialized = line
    },
    async listen() {
      const last = { id: null, retryMs: RECONNECT_MS }
      let pauseMs = RECONNECT_MS
      while (!signal.aborted) {
        try {
          if ((await follow(last)) === 'over') return
          pauseMs = last.retryMs
        } catch {
          // The router restarts, or the connection broke: come back later and later.
          pauseMs = Math.min(pauseMs * 2, MAX_RECONNECT_MS)
        }
        await pause(Math.min(pauseMs, MAX_RECONNECT_MS), signal)
      }
    },
    async end() {
      if (id === null) return
      const late = AbortSignal.timeout(END_MS)
      const sent = headers()
      id = null
      await link.send({ method: 'DELETE', headers: sent, signal: late }).catch(() => {})
    },
  }
}
