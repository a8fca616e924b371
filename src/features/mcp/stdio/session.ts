/**
 * A session of the legacy era (revisions up to 2025-11-25): one program for one client. Messages pass as they are; this decides
 * on which of the client's streams each goes.
 */
import { CODES } from '../../../core/mcp.ts'
import type { AgentExchange } from '../exchange.ts'
import { createAnswer, type Answer } from './answer.ts'
import type { Child } from './child.ts'
import { createEventLog, parseEventId } from './event-log.ts'
import { accept, acceptsOf, refuse } from './http.ts'
import { errorMessage, idKey, textOf, type Id, type Message } from './message.ts'

/** A client that does not read holds its own program back, for this long. */
const PATIENCE_MS = 30_000
/** For the answer to a call that was cancelled; most programs send none. */
const CANCELLED_MS = 3000
const MAX_LISTENERS = 4
const MAX_PENDING = 256
const MAX_ASKED = 256
/** The stream of what belongs to no request. Those of requests count from 1. */
const COMMON = 0
const PRIMING_SINCE = '2025-11-25'

/** Clients begin another session when they are told so with 404. */
export const GONE = { code: CODES.server, message: 'Session not found: it ended, or the router was started again' }

export interface Call {
  readonly exchange: AgentExchange
  readonly message: Message
  /** What the client sent, on one line. */
  readonly line: Buffer
}

interface Pending {
  readonly stream: number
  readonly id: Id
  readonly token: string | null
  answer: Answer
  /** Events were sent: they can be asked for again. */
  isLogged: boolean
}

export interface SessionOptions {
  readonly id: string
  readonly principal: string
  /** Called once. */
  onEnd(): void
}

export interface Session {
  readonly id: string
  readonly principal: string
  /** Revision that was agreed on; null before that. */
  readonly version: string | null
  attach(child: Child): void
  /** The program's side. */
  onMessage(message: Message, line: Buffer): Promise<void> | undefined
  onExit(why: string): void
  /** The client's side. */
  request(call: Call): void
  forward(call: Call): void
  listen(exchange: AgentExchange, lastEventId: string | undefined): void
  room(): Promise<void> | null
  /** Since when nobody uses it, ms; null while somebody does. */
  idleSince(): number | null
  end(): Promise<void>
}

const keyOfToken = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? idKey(value) : null

export function createSession(options: SessionOptions): Session {
  const pending = new Map<string, Pending>()
  const byToken = new Map<string, Pending>()
  /** Streams that the program's own requests went to, by id: what cancels one goes the same way. */
  const asked = new Map<string, Pending | null>()
  const listeners = new Set<Answer>()
  const events = createEventLog()
  let child: Child | null = null
  let version: string | null = null
  let streams = COMMON
  let usedAt = Date.now()
  /** Events of the common stream up to this one were sent to somebody. */
  let delivered = 0
  let state: 'starting' | 'open' | 'over' = 'starting'

  const newest = (): Answer | null => [...listeners].at(-1) ?? null

  function forget(one: Pending): void {
    pending.delete(idKey(one.id))
    if (one.token !== null) byToken.delete(one.token)
  }

  function noteAsked(key: string, one: Pending | null): void {
    asked.set(key, one)
    if (asked.size > MAX_ASKED) asked.delete(asked.keys().next().value ?? '')
  }

  /** Where a message belongs that is no answer; null: the common stream. */
  function streamOf({ kind, method, params, id }: Message): Pending | null {
    if (method === 'notifications/progress') {
      const token = keyOfToken(params['progressToken'])
      if (token !== null) return byToken.get(token) ?? null
    }
    const { requestId } = params
    if (method === 'notifications/cancelled' && keyOfToken(requestId) !== null)
      return asked.get(idKey(requestId as Id)) ?? null
    const open = [...pending.values()].filter(({ answer }) => answer.isOpen && answer.canStream)
    const isChange = method.endsWith('/list_changed') || method === 'notifications/resources/updated'
    // Standard streams do not tell which call a message is about: with one call under way it is that one.
    const found = open.length === 1 && !isChange ? open[0] : newest() === null ? open.at(-1) : undefined
    if (kind === 'request' && id !== null) noteAsked(idKey(id), found ?? null)
    return found ?? null
  }

  function toCommon(line: Buffer): Promise<void> | undefined {
    const id = events.add(COMMON, line)
    const to = newest()
    if (to === null) return undefined
    delivered = parseEventId(id)?.number ?? delivered
    return to.event(line, id)
  }

  function toStream(one: Pending, line: Buffer): Promise<void> | undefined {
    if (!one.answer.canStream) return toCommon(line)
    one.isLogged = true
    return one.answer.event(line, events.add(one.stream, line))
  }

  function onResponse(message: Message, line: Buffer): Promise<void> | undefined {
    const one = message.id === null ? undefined : pending.get(idKey(message.id))
    if (one === undefined) return undefined
    forget(one)
    usedAt = Date.now()
    if (state === 'starting') started(message)
    const id = one.isLogged || one.answer.isStream ? events.add(one.stream, line) : undefined
    return one.answer.finish(line, { id })
  }

  /** The answer to "initialize": without a session when the program refused. */
  function started({ result }: Message): void {
    version = result === null ? null : textOf(result['protocolVersion'])
    if (result !== null) state = 'open'
    else void session.end()
  }

  function failAll(why: string): void {
    for (const one of [...pending.values()]) {
      forget(one)
      const error = { code: CODES.internal, message: `The program of the agent is gone: ${why}` }
      const line = errorMessage(one.id, error)
      void one.answer.finish(line, one.isLogged ? { id: events.add(one.stream, line) } : {})
    }
    for (const listener of listeners) listener.close()
    listeners.clear()
  }

  /** Most programs do not answer what was cancelled; the client's request ends all the same. */
  function onCancelled({ params }: Message): void {
    const key = keyOfToken(params['requestId'])
    const one = key === null ? undefined : pending.get(key)
    if (key === null || one === undefined) return
    const timer = setTimeout(() => {
      if (pending.get(key) !== one) return
      forget(one)
      one.answer.close()
    }, CANCELLED_MS)
    timer.unref?.()
  }

  function primed(stream: number): string {
    // A place to go on from, before there is anything to say.
    return version !== null && version >= PRIMING_SINCE ? `id: ${events.place(stream)}\ndata: \n\n` : ''
  }

  function request({ exchange, message, line }: Call): void {
    const id = message.id as Id
    if (state === 'over') return refuse(exchange, { status: 404, id, error: GONE })
    if (pending.has(idKey(id)) || pending.size >= MAX_PENDING)
      return refuse(exchange, {
        status: 400,
        id,
        error: {
          code: CODES.invalidRequest,
          message: pending.has(idKey(id)) ? 'A request with this id is under way' : 'Too many requests are under way',
        },
      })
    usedAt = Date.now()
    streams += 1
    const stream = streams
    const token = keyOfToken(message.meta['progressToken'])
    const answer = createAnswer({
      outgoing: exchange.outgoing,
      requestId: exchange.requestId,
      accepts: acceptsOf(exchange),
      patienceMs: PATIENCE_MS,
      headers: () => (state === 'over' ? {} : { 'mcp-session-id': options.id }),
      opening: () => primed(stream),
      // Going away is no cancellation: the answer may be asked for again where events were sent.
      onGone: () => {},
    })
    const one: Pending = { stream, id, token, answer, isLogged: false }
    pending.set(idKey(id), one)
    if (token !== null) byToken.set(token, one)
    child?.send(line)
  }

  function forward({ exchange, message, line }: Call): void {
    usedAt = Date.now()
    if (message.kind === 'response' && message.id !== null) asked.delete(idKey(message.id))
    child?.send(line)
    if (message.method === 'notifications/cancelled') onCancelled(message)
    accept(exchange)
  }

  function listenerFor(exchange: AgentExchange, stream: number): Answer {
    const answer: Answer = createAnswer({
      outgoing: exchange.outgoing,
      requestId: exchange.requestId,
      accepts: { stream: true, json: false },
      patienceMs: PATIENCE_MS,
      headers: () => ({ 'mcp-session-id': options.id }),
      opening: () => primed(stream),
      onGone: () => {
        listeners.delete(answer)
        usedAt = Date.now()
      },
    })
    return answer
  }

  function listen(exchange: AgentExchange, lastEventId: string | undefined): void {
    usedAt = Date.now()
    const fresh = { stream: COMMON, number: Math.max(delivered, events.dropped()) }
    const place = lastEventId === undefined ? fresh : parseEventId(lastEventId)
    const missed = place === null ? null : events.after(place.stream, place.number)
    if (place === null || missed === null)
      return refuse(exchange, {
        status: 400,
        error: { code: CODES.server, message: 'The events after this one are no longer kept' },
      })
    if (listeners.size >= MAX_LISTENERS)
      return refuse(exchange, { status: 409, error: { code: CODES.server, message: 'Too many streams are open' } })
    const answer = listenerFor(exchange, place.stream)
    const one = [...pending.values()].find(({ stream }) => stream === place.stream)
    answer.open()
    for (const { number, line } of missed) void answer.event(line, `${place.stream}-${number}`)
    if (place.stream === COMMON) {
      delivered = Math.max(delivered, missed.at(-1)?.number ?? 0)
      listeners.add(answer)
    } else if (one === undefined) answer.close()
    else one.answer = answer
  }

  const session: Session = {
    id: options.id,
    principal: options.principal,
    get version() {
      return version
    },
    attach(started) {
      child = started
    },
    onMessage(message, line) {
      if (message.kind === 'response') return onResponse(message, line)
      const one = streamOf(message)
      return one === null ? toCommon(line) : toStream(one, line)
    },
    onExit(why) {
      if (state === 'over') return
      state = 'over'
      failAll(why)
      options.onEnd()
    },
    request,
    forward,
    listen,
    room: () => child?.room() ?? null,
    idleSince: () => (listeners.size > 0 || [...pending.values()].some(({ answer }) => answer.isOpen) ? null : usedAt),
    async end() {
      session.onExit('the session was ended')
      await child?.end()
    },
  }
  return session
}
