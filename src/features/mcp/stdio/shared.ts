/**
 * The one program of an agent that serves all clients of the modern era (from 2026-07-28). Clients choose ids, progress tokens and
 * subscriptions without knowing of each other, so each gets one of ours on the way in, and its own back on the way out: nothing
 * but these values is touched. Ours are random: what a client could guess, it could make a program answer to another client.
 */
import { CODES, META } from '../../../core/mcp.ts'
import type { Logger } from '../../../core/log.ts'
import type { Hashing } from '../../../platform/index.ts'
import type { Answer } from './answer.ts'
import type { Child } from './child.ts'
import {
  errorMessage,
  fieldsOf,
  idKey,
  notificationMessage,
  requestMessage,
  textOf,
  type Id,
  type Message,
} from './message.ts'
import { DUPLICATE, findSpans, splice, type Change, type Spans } from './spans.ts'

const ID_BYTES = 12

/** What the program says of its own accord. */
const FROM_PROGRAM = {
  id: 'id',
  params: { progressToken: 'token', requestId: 'request', _meta: { [META.subscription]: 'subscription' } },
  result: { _meta: { [META.subscription]: 'subscription' } },
} as const

interface Pending {
  readonly answer: Answer
  readonly principal: string
  readonly clientId: Id
  /** As the client wrote them. */
  readonly rawId: Buffer
  readonly rawToken: Buffer | null
  /** Ours, in place of them. */
  readonly id: string
  readonly token: string
  readonly method: string
  readonly wantsLogs: boolean
}

export interface SharedCall {
  readonly message: Message
  readonly line: Buffer
  readonly spans: Spans
  readonly principal: string
  /** Makes the answer; `onGone` when the client leaves early. */
  answer(onGone: () => void): Answer
}

export interface Shared {
  attach(child: Child): void
  onMessage(message: Message, line: Buffer): Promise<void> | undefined
  onExit(why: string): void
  /** A request of our own. Rejects when the program ends first. */
  ask(method: string, params: object): Promise<Message>
  call(call: SharedCall): void
  notify(line: Buffer): void
  /** A client cancels what it asked for. */
  cancel(principal: string, id: Id): void
  room(): Promise<void> | null
  readonly isOver: boolean
  readonly load: number
  idleSince(): number | null
  end(): Promise<void>
}

export interface SharedOptions {
  readonly hash: Hashing
  readonly log: Logger
  onEnd(): void
  /** Results of lists pass here, and changes of them. */
  onTools(result: Message['result']): void
}

/** HTTP's word for an error of the program (2026-07-28, Streamable HTTP). */
const STATUS: Readonly<Record<number, number>> = {
  [CODES.methodNotFound]: 404,
  [CODES.headerMismatch]: 400,
  [CODES.missingCapability]: 400,
  [CODES.unsupportedVersion]: 400,
}

const quoted = (text: string): Buffer => Buffer.from(JSON.stringify(text))

export function createShared(options: SharedOptions): Shared {
  const pending = new Map<string, Pending>()
  const byToken = new Map<string, Pending>()
  const own = new Map<string, { resolve(message: Message): void; reject(error: Error): void }>()
  let child: Child | null = null
  let over: string | null = null
  let usedAt = Date.now()

  const newId = (): string => options.hash.randomToken(ID_BYTES)

  function forget(one: Pending): void {
    pending.delete(one.id)
    byToken.delete(one.token)
    usedAt = Date.now()
  }

  function leave(one: Pending): void {
    if (pending.get(one.id) !== one) return
    forget(one)
    child?.send(notificationMessage('notifications/cancelled', { requestId: one.id, reason: 'The client is gone' }))
  }

  function call({ message, line, spans, principal, answer: makeAnswer }: SharedCall): void {
    const idSpan = spans.get('id')
    if (idSpan === undefined) return
    const tokenSpan = spans.get('token')
    const one: Pending = {
      answer: makeAnswer(() => leave(one)),
      principal,
      clientId: message.id as Id,
      rawId: Buffer.from(line.subarray(idSpan.start, idSpan.end)),
      rawToken: tokenSpan === undefined ? null : Buffer.from(line.subarray(tokenSpan.start, tokenSpan.end)),
      id: newId(),
      token: tokenSpan === undefined ? '' : newId(),
      method: message.method,
      wantsLogs: message.meta[META.logLevel] !== undefined,
    }
    const changes: Change[] = [{ span: idSpan, by: quoted(one.id) }]
    if (tokenSpan !== undefined) changes.push({ span: tokenSpan, by: quoted(one.token) })
    if (over !== null) return fail(one, over)
    pending.set(one.id, one)
    if (tokenSpan !== undefined) byToken.set(one.token, one)
    child?.send(splice(line, changes))
  }

  function fail(one: Pending, why: string): void {
    const error = { code: CODES.internal, message: `The program of the agent is gone: ${why}` }
    void one.answer.finish(errorMessage(one.rawId, error))
  }

  function onResponse(message: Message, line: Buffer): Promise<void> | undefined {
    const id = textOf(message.id)
    const waiter = id === null ? undefined : own.get(id)
    if (id !== null && waiter !== undefined) {
      own.delete(id)
      waiter.resolve(message)
      return undefined
    }
    const one = id === null ? undefined : pending.get(id)
    // Answers to what was cancelled come here too.
    if (one === undefined) return undefined
    forget(one)
    if (one.method === 'tools/list') options.onTools(message.result)
    const spans = findSpans(line, FROM_PROGRAM)
    const changes = spans === DUPLICATE ? null : backTo(one, spans, fieldsOf(message.result?.['_meta']))
    if (changes === null) {
      fail(one, 'it sent an answer that can be read in two ways')
      return undefined
    }
    const status = message.error === null ? 200 : (STATUS[message.error.code] ?? 200)
    return one.answer.finish(splice(line, changes), { status })
  }

  /** The client's own id, wherever ours stands for it. */
  function backTo(one: Pending, spans: Spans, meta: Message['meta']): Change[] | null {
    const id = spans.get('id')
    if (id === undefined) return null
    const subscription = spans.get('subscription')
    const isOurs = subscription !== undefined && meta[META.subscription] === one.id
    return [{ span: id, by: one.rawId }, ...(isOurs ? [{ span: subscription, by: one.rawId }] : [])]
  }

  /** A notification goes to the request that it names; one that names none, where only one request can be meant. */
  function onNotification(message: Message, line: Buffer): Promise<void> | undefined {
    const { method, params, meta } = message
    if (method === 'notifications/tools/list_changed') options.onTools(null)
    const subscriber = pending.get(textOf(meta[META.subscription]) ?? '')
    if (subscriber !== undefined) return sendOn(subscriber, line, [['subscription', subscriber.rawId]])
    if (method === 'notifications/progress') {
      const one = byToken.get(textOf(params['progressToken']) ?? '')
      return one?.rawToken ? sendOn(one, line, [['token', one.rawToken]]) : undefined
    }
    if (method === 'notifications/cancelled') {
      // The program ends a subscription.
      const one = pending.get(textOf(params['requestId']) ?? '')
      if (one === undefined) return undefined
      forget(one)
      one.answer.close()
      return undefined
    }
    const meant = [...pending.values()].filter(({ wantsLogs }) => method !== 'notifications/message' || wantsLogs)
    const [only] = meant
    if (only !== undefined && meant.length === 1 && only.method !== 'subscriptions/listen')
      return sendOn(only, line, [])
    options.log.debug('a notification that belongs to no one request was left out', { method, requests: meant.length })
    return undefined
  }

  function sendOn(
    one: Pending,
    line: Buffer,
    replace: readonly (readonly [name: string, by: Buffer])[],
  ): Promise<void> | undefined {
    if (!one.answer.canStream) return undefined
    if (replace.length === 0) return one.answer.event(line)
    const spans = findSpans(line, FROM_PROGRAM)
    if (spans === DUPLICATE) return undefined
    const changes = replace.flatMap(([name, by]) => {
      const span = spans.get(name)
      return span === undefined ? [] : [{ span, by }]
    })
    return one.answer.event(splice(line, changes))
  }

  return {
    attach(started) {
      child = started
    },
    onMessage(message, line) {
      if (message.kind === 'response') return onResponse(message, line)
      if (message.kind === 'notification') return onNotification(message, line)
      // Programs ask nothing in this era; one that does all the same is told at once.
      const error = { code: CODES.methodNotFound, message: 'Servers send no requests in this revision' }
      child?.send(errorMessage(message.id, error))
      return undefined
    },
    onExit(why) {
      if (over !== null) return
      over = why
      for (const one of [...pending.values()]) {
        forget(one)
        fail(one, why)
      }
      for (const { reject } of own.values()) reject(new Error(why))
      own.clear()
      options.onEnd()
    },
    ask(method, params) {
      const id = newId()
      if (over !== null) return Promise.reject(new Error(over))
      return new Promise((resolve, reject) => {
        own.set(id, { resolve, reject })
        child?.send(requestMessage(id, method, params))
      })
    },
    call,
    notify: (line) => child?.send(line),
    cancel(principal, id) {
      const key = idKey(id)
      for (const one of pending.values()) {
        if (one.principal !== principal || idKey(one.clientId) !== key) continue
        leave(one)
        one.answer.close()
      }
    },
    room: () => child?.room() ?? null,
    get isOver() {
      return over !== null
    },
    get load() {
      return pending.size
    },
    idleSince: () => (pending.size + own.size > 0 ? null : usedAt),
    async end() {
      await child?.end()
    },
  }
}
