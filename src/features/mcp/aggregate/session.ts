/** One session of a client of the legacy era, and the sessions with agents that it needed so far. */
import { pause } from '../../../core/time.ts'
import { isEventStream } from '../answers.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import type { Principal } from '../../../core/principal.ts'
import type { AgentAccess } from '../access.ts'
import type { Era, Eras } from './eras.ts'
import { RpcFailure, type Id } from './failure.ts'
import type { Index, Lists } from './lists.ts'
import { type Client, type Link, openLink } from './link.ts'
import { type Json, rewrite, spanOf } from './message.ts'
import { type EventStream } from './respond.ts'
import { changeEvent, messageEvent, readEvents, type SseEvent } from '../sse.ts'

/** A request of an agent that waits for the client's answer. */
interface Asked {
  readonly link: Link
  readonly id: Id
  readonly progressToken: unknown
}

export interface SessionOptions {
  readonly id: string
  /** Endpoint that it was begun at: another one shows other things. */
  readonly endpoint: string
  readonly client: Client
  readonly access: AgentAccess
  readonly eras: Eras
  readonly lists: Lists
  readonly index: Index
  now(): number
}

const MAX_REMEMBERED = 1000
const RETRY_MS = 1000
const LONGEST_RETRY_MS = 30_000

/** Drops the oldest when there are too many. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  const first = map.keys().next()
  if (map.size >= MAX_REMEMBERED && first.done !== true) map.delete(first.value)
  map.set(key, value)
}

export class Session {
  readonly id: string
  readonly endpoint: string
  readonly client: Client
  usedAt: number
  /** Requests and streams that are open. */
  busy = 0
  logLevel: unknown
  private readonly options: SessionOptions
  private readonly links = new Map<string, Promise<Link>>()
  private readonly asked = new Map<string, Asked>()
  private readonly running = new Map<Id, Link>()
  /** By agent: its URI -> the one that the client subscribed to. */
  private readonly subscribed = new Map<string, Map<string, string>>()
  /** By agent: the instance that refused sessions. */
  private readonly modernOnly = new Map<string, string>()
  private readonly ended = new AbortController()
  private stream: EventStream | null = null
  private count = 0

  constructor(options: SessionOptions) {
    this.options = options
    this.id = options.id
    this.endpoint = options.endpoint
    this.client = options.client
    this.usedAt = options.now()
  }

  get principal(): Principal {
    return this.client.principal
  }
  get signal(): AbortSignal {
    return this.ended.signal
  }

  /** Null: the agent speaks only the era without sessions. */
  async link(agent: string, requestId: string): Promise<Link | null> {
    const { access, eras } = this.options
    const obstacle = access.obstacle(agent)
    if (obstacle !== null) throw obstacle
    const instance = access.instance(agent)
    if (this.modernOnly.get(agent) === instance) return null
    const pending = this.links.get(agent)
    if (pending !== undefined) {
      const known = await pending.catch(() => null)
      if (known?.instance === access.instance(agent)) return known
      if (this.links.get(agent) === pending) this.links.delete(agent)
      return await this.link(agent, requestId)
    }
    const opening = this.open(agent, requestId)
    this.links.set(agent, opening)
    try {
      return await opening
    } catch (error) {
      if (this.links.get(agent) === opening) this.links.delete(agent)
      if (!(error instanceof RpcFailure)) throw error
      const era: Era = await eras.of(agent, { principal: this.principal, requestId, signal: this.signal })
      if (era !== 'modern') throw error
      this.modernOnly.set(agent, instance)
      return null
    }
  }

  private async open(agent: string, requestId: string): Promise<Link> {
    const { access } = this.options
    const link = await openLink(access, agent, { client: this.client, signal: this.signal, requestId })
    const options = { signal: this.signal, requestId }
    if (this.logLevel !== undefined)
      await link.request('logging/setLevel', { level: this.logLevel }, options).catch(() => {})
    // A session that the agent forgot: what was subscribed in it goes on in the new one.
    for (const uri of this.subscribed.get(agent)?.keys() ?? [])
      await link.request('resources/subscribe', { uri }, options).catch(() => {})
    if (this.stream !== null) void this.pump(link, this.stream, null)
    return link
  }

  /** The next call begins a new session with the agent. */
  forget(agent: string): void {
    this.links.delete(agent)
  }

  openLinks(): Promise<Link[]> {
    return Promise.all([...this.links.values()].map((link) => link.catch(() => null))).then((links) =>
      links.filter((link) => link !== null),
    )
  }

  began(id: Id, link: Link): void {
    remember(this.running, id, link)
  }
  finished(id: Id): void {
    this.running.delete(id)
  }
  runner(id: unknown): Link | undefined {
    return this.running.get(id as Id)
  }

  subscribe(agent: string, uri: string, shown: string): void {
    const own = this.subscribed.get(agent) ?? new Map<string, string>()
    remember(own, uri, shown)
    this.subscribed.set(agent, own)
  }
  unsubscribe(agent: string, uri: string): void {
    this.subscribed.get(agent)?.delete(uri)
  }

  /** Whose request the client answers; each is answered once. */
  takeAsked(id: unknown): Asked | undefined {
    const asked = this.asked.get(String(id))
    this.asked.delete(String(id))
    return asked
  }
  /** Whose request the client reports progress of. */
  askedBy(token: unknown): Asked | undefined {
    return this.asked.get(String(token))
  }

  /**
   * An event of an agent as its client gets it: ids of requests made unique, ids of events marked with where they came from.
   * `kind` is `p` for the answer to a request, `g` for what comes by itself.
   */
  translate(link: Link, kind: 'p' | 'g', event: SseEvent): string {
    const data = event.data === null ? null : this.translateData(link, event.data)
    const id = event.id === undefined || event.id === '' ? undefined : `${kind}:${link.agent}/${event.id}`
    if (id === undefined && data === null) return event.raw
    return changeEvent(event, { ...(id === undefined ? {} : { id }), ...(data === null ? {} : { data }) })
  }

  /** Null: nothing to change. */
  private translateData(link: Link, data: string): string | null {
    // Results, which may be large, are not looked into.
    if (!data.includes('"method"')) return null
    let message: unknown
    try {
      message = JSON.parse(data)
    } catch {
      return null
    }
    if (!isObject(message) || typeof message['method'] !== 'string') return null
    const { id, method } = message
    const params = objectOf(message['params'])
    if (id !== undefined) return this.translateRequest(link, data, { id: id as Id, params })
    if (method.endsWith('/list_changed')) {
      this.options.lists.drop(link.agent)
      this.options.index.drop(link.agent)
    }
    if (method === 'notifications/cancelled') return this.translateCancelled(link, data, params['requestId'])
    if (method !== 'notifications/resources/updated') return null
    const shown = this.subscribed.get(link.agent)?.get(String(params['uri']))
    const span = shown === undefined || shown === params['uri'] ? null : spanOf(data, ['params', 'uri'])
    return span === null ? null : rewrite(data, [{ ...span, value: shown }])
  }

  private translateRequest(link: Link, data: string, { id, params }: { id: Id; params: Json }): string | null {
    const own = `ploinky-${(this.count += 1)}`
    const progressToken = objectOf(params['_meta'])['progressToken']
    remember(this.asked, own, { link, id, progressToken })
    const places = [
      spanOf(data, ['id']),
      progressToken === undefined ? null : spanOf(data, ['params', '_meta', 'progressToken']),
    ]
    return rewrite(
      data,
      places.flatMap((span) => (span === null ? [] : [{ ...span, value: own }])),
    )
  }

  private translateCancelled(link: Link, data: string, requestId: unknown): string | null {
    const entry = [...this.asked].find(([, asked]) => asked.link === link && asked.id === requestId)
    const span = entry === undefined ? null : spanOf(data, ['params', 'requestId'])
    if (entry === undefined || span === null) return null
    this.asked.delete(entry[0])
    return rewrite(data, [{ ...span, value: entry[0] }])
  }

  /** The client's stream for what comes by itself; an older one ends. `resume`: `<agent>/<event>` it saw last. */
  attach(stream: EventStream, resume: { agent: string; eventId: string } | null): void {
    this.stream?.end()
    this.stream = stream
    stream.closed.addEventListener(
      'abort',
      () => {
        if (this.stream === stream) this.stream = null
      },
      { once: true },
    )
    void this.openLinks().then((links) => {
      for (const link of links) void this.pump(link, stream, resume?.agent === link.agent ? resume.eventId : null)
    })
  }

  /** Tells the client something of the gateway's own, when it listens. */
  tell(method: string): void {
    this.stream?.write(messageEvent({ jsonrpc: '2.0', method }))
  }

  /** Passes on what an agent tells by itself, as long as the stream and the session last. */
  private async pump(link: Link, stream: EventStream, lastEventId: string | null): Promise<void> {
    const signal = AbortSignal.any([stream.closed, this.signal])
    let last = lastEventId
    let wait = RETRY_MS
    const isCurrent = async (): Promise<boolean> => (await this.links.get(link.agent)?.catch(() => null)) === link
    while (!signal.aborted && this.stream === stream && (await isCurrent())) {
      try {
        const answer = await link.listen(last, signal)
        // It has no such stream, or no such session any more.
        if (!isEventStream(answer)) return
        for await (const event of readEvents(answer.body)) {
          if (event.id !== undefined && event.id !== '') last = event.id
          wait = event.retry ?? RETRY_MS
          if (event.data !== null && !stream.write(this.translate(link, 'g', event))) return
        }
      } catch {
        wait = Math.min(LONGEST_RETRY_MS, wait * 2)
      }
      await pause(wait, signal)
    }
  }

  end(): void {
    if (this.signal.aborted) return
    void this.openLinks().then((links) => links.forEach((link) => link.end()))
    this.stream?.end()
    this.ended.abort()
  }
}
