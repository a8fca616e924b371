/** The era of sessions (up to 2025-11-25): one session with the client, and behind it one with each agent that it uses. */
import { objectOf } from '../../../core/json.ts'
import { CODES, META } from '../../../core/mcp.ts'
import type { Logger } from '../../../core/log.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import type { ReverseBridge } from './reverse-bridge.ts'
import { drain, type Link } from './link.ts'
import { errorMessage, type Id, asFailure, RpcFailure } from './failure.ts'
import { gather } from './gather.ts'
import { type Index, KINDS, type Kind, readPages } from './lists.ts'
import { FORWARDED, locate, type Located } from './locate.ts'
import { type Json, LEGACY_VERSIONS, type Message, rewrite, spanOf, textOf } from './message.ts'
import { CAPABILITIES } from './modern.ts'
import * as answers from '../answers.ts'
import * as respond from './respond.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { messageEvent, readEvents } from '../sse.ts'
import type { Lister, View } from './view.ts'

export interface LegacyOptions {
  readonly access: AgentAccess
  readonly index: Index
  readonly sessions: Sessions
  readonly bridge: ReverseBridge
  readonly log: Logger
  readonly about: Json
}

/** Makes the view of the endpoint for the caller. */
type MakeView = (list: Lister) => View

const KIND_OF: Readonly<Record<string, Kind>> = Object.fromEntries(
  (Object.keys(KINDS) as Kind[]).map((kind) => [KINDS[kind].method, kind]),
)
const EVENT_ID = /^([pg]):([^/]+)\/(.*)$/s

export function createLegacy(options: LegacyOptions) {
  const { access, index, sessions, bridge, log } = options

  function begin(exchange: McpExchange, { id, params }: Message, endpoint: string): void {
    const asked = textOf(params['protocolVersion']) ?? ''
    const version = (LEGACY_VERSIONS as readonly string[]).includes(asked) ? asked : LEGACY_VERSIONS[0]
    const { principal } = exchange
    const client = { principal, version, capabilities: objectOf(params['capabilities']), info: params['clientInfo'] }
    const session = sessions.begin({ client, endpoint })
    const result = { protocolVersion: version, capabilities: CAPABILITIES, serverInfo: options.about[META.server] }
    answers.sendJson(exchange, { jsonrpc: '2.0', id, result }, { headers: { 'mcp-session-id': session.id } })
  }

  const listerFor =
    (session: Session, exchange: McpExchange): Lister =>
    async (agent, kind) => {
      const { requestId } = exchange
      const { signal } = session
      const read = async () => {
        const link = await session.link(agent, requestId)
        if (link === null) return await bridge.list(session, { agent, kind, requestId })
        return await readPages(kind, (method, params) => link.request(method, params, { signal, requestId }))
      }
      const listing = await read().catch(async (error: unknown) => {
        if (!isForgotten(error)) throw error
        session.forget(agent)
        return await read()
      })
      index.learn(agent, kind, listing.items)
      return listing
    }

  async function request(
    exchange: McpExchange,
    message: Message,
    given: { session: Session; view: MakeView },
  ): Promise<void> {
    const { session } = given
    const { method = '', id } = message
    const list = listerFor(session, exchange)
    const kind = KIND_OF[method]
    const answer = (result: Json): void => answers.sendJson(exchange, { jsonrpc: '2.0', id, result })
    if (kind !== undefined) {
      const onBug = (agent: string, error: unknown): void => log.error('list not made', { agent, kind, error })
      return answer((await gather(given.view(list), kind, onBug)).result)
    }
    if (FORWARDED.has(method)) return await forward(exchange, message, { session, view: given.view(list) })
    if (method === 'ping') return answer({})
    if (method !== 'logging/setLevel')
      throw new RpcFailure(200, { code: CODES.methodNotFound, message: `Unknown method "${method.slice(0, 100)}"` })
    session.logLevel = message.params['level']
    const { signal } = session
    const { requestId } = exchange
    const links = await session.openLinks()
    // An agent that does not log has no such method.
    await Promise.allSettled(links.map((link) => link.request(method, message.params, { signal, requestId })))
    answer({})
  }

  async function forward(
    exchange: McpExchange,
    message: Message,
    given: { session: Session; view: View },
  ): Promise<void> {
    const { session, view } = given
    const located = await locate(message, { view, access, principal: session.principal })
    const link = await session.link(located.agent, exchange.requestId)
    if (link === null) return await bridge.forward(exchange, message, { session, located })
    const { answer, used } = await sendTo(session, link, { located, exchange, id: message.id as Id })
    if (answer.status === 200) noteSubscription(session, message, located)
    if (!answers.isEventStream(answer)) {
      session.finished(message.id as Id)
      return await answers.pipeAnswer(exchange, answer)
    }
    await passEvents(exchange, answer, { session, link: used, id: message.id as Id })
  }

  /** An agent that forgot the session (it was restarted) is given a new one; it has not done anything yet. */
  async function sendTo(session: Session, link: Link, call: { located: Located; exchange: McpExchange; id: Id }) {
    const { located, exchange, id } = call
    const { requestId } = exchange
    const options = { signal: answers.clientGone(exchange.outgoing), requestId, headers: respond.depthHeader(exchange) }
    session.began(id, link)
    const answer = await link.send(located.text, options)
    if (answer.status !== 404 || link.sessionId === null) return { answer, used: link }
    await drain(answer)
    session.forget(link.agent)
    const used = (await session.link(link.agent, requestId)) ?? link
    session.began(id, used)
    return { answer: await used.send(located.text, options), used }
  }

  function noteSubscription(session: Session, { method, params }: Message, { agent, name }: Located): void {
    if (method === 'resources/subscribe') session.subscribe(agent, name, String(params['uri']))
    if (method === 'resources/unsubscribe') session.unsubscribe(agent, name)
  }

  async function passEvents(
    exchange: McpExchange,
    answer: UpstreamAnswer,
    { session, link, id }: { session: Session; link: Link; id: Id | null },
  ): Promise<void> {
    const { outgoing } = exchange
    answers.answerHead(exchange, answer)
    const keepAlive = answers.startKeepAlive(outgoing)
    let canResume = false
    try {
      for await (const event of readEvents(answer.body)) {
        canResume ||= event.id !== undefined
        keepAlive.saw(true)
        await answers.writeChunk(outgoing, `${session.translate(link, 'p', event)}\n\n`)
        if (outgoing.destroyed) return
      }
      if (!canResume && id !== null) session.finished(id)
    } catch (error) {
      // A client that can resume comes again; any other would wait for ever.
      if (!canResume && id !== null) outgoing.write(`${messageEvent(errorMessage(id, asFailure(error).error))}\n\n`)
    } finally {
      keepAlive.stop()
      outgoing.end()
    }
  }

  async function notification(exchange: McpExchange, message: Message, session: Session): Promise<void> {
    const { method = '', params, text } = message
    answers.sendEmpty(exchange, 202)
    const tell = async (link: Link, body: string): Promise<void> => {
      const { signal } = session
      await drain(await link.send(body, { signal, requestId: exchange.requestId }))
    }
    if (method === 'notifications/cancelled') {
      const link = session.runner(params['requestId'])
      if (link !== undefined) await tell(link, text)
    } else if (method === 'notifications/progress') {
      const asked = session.askedBy(params['progressToken'])
      const span = asked === undefined ? null : spanOf(text, ['params', 'progressToken'])
      if (asked !== undefined && span !== null)
        await tell(asked.link, rewrite(text, [{ ...span, value: asked.progressToken }]))
    } else if (method !== 'notifications/initialized') {
      // Of the client as a whole: its roots have changed.
      await Promise.allSettled((await session.openLinks()).map((link) => tell(link, text)))
    }
  }

  /** The client answers a request of an agent. */
  async function response(exchange: McpExchange, message: Message, session: Session): Promise<void> {
    if (bridge.takeAnswer(session, message)) return answers.sendEmpty(exchange, 202)
    const asked = session.takeAsked(message.id)
    const span = asked === undefined ? null : spanOf(message.text, ['id'])
    if (asked === undefined || span === null)
      throw new RpcFailure(400, { code: CODES.server, message: 'Nobody waits for this answer' })
    const body = rewrite(message.text, [{ ...span, value: asked.id }])
    const answer = await asked.link.send(body, { signal: session.signal, requestId: exchange.requestId })
    await answers.pipeAnswer(exchange, answer)
  }

  async function listen(exchange: McpExchange, session: Session): Promise<void> {
    const { incoming, outgoing, requestId } = exchange
    if (!/text\/event-stream|\*\/\*/.test(incoming.headers.accept ?? ''))
      throw new RpcFailure(406, { code: CODES.server, message: 'Accept must include text/event-stream' })
    const [, kind, agent = '', eventId = ''] = EVENT_ID.exec(String(incoming.headers['last-event-id'] ?? '')) ?? []
    if (kind !== 'p') return session.attach(respond.openStream(exchange), kind === 'g' ? { agent, eventId } : null)
    const link = await session.link(agent, requestId)
    if (link === null) throw new RpcFailure(400, { code: CODES.server, message: 'This stream cannot be resumed' })
    const answer = await link.listen(eventId, answers.clientGone(outgoing))
    if (answers.isEventStream(answer)) await passEvents(exchange, answer, { session, link, id: null })
    else await answers.pipeAnswer(exchange, answer)
  }

  function sessionOf(exchange: McpExchange, endpoint: string): Session {
    const id = exchange.incoming.headers['mcp-session-id']
    if (typeof id !== 'string')
      throw new RpcFailure(400, {
        code: CODES.server,
        message: 'No session: send "initialize" first, then the Mcp-Session-Id header that it answers',
      })
    const session = sessions.get(id, { principal: exchange.principal, endpoint })
    session.busy += 1
    exchange.outgoing.once('close', () => (session.busy -= 1))
    return session
  }

  return {
    async post(exchange: McpExchange, message: Message, given: { endpoint: string; view: MakeView }): Promise<void> {
      const { method, id } = message
      if (method === 'initialize' && id !== undefined) return begin(exchange, message, given.endpoint)
      const session = sessionOf(exchange, given.endpoint)
      if (method === undefined) return await response(exchange, message, session)
      if (id === undefined) return await notification(exchange, message, session)
      await request(exchange, message, { session, view: given.view })
    },
    async other(exchange: McpExchange, endpoint: string): Promise<void> {
      const { method } = exchange.incoming
      if (method === 'GET') return await listen(exchange, sessionOf(exchange, endpoint))
      if (method !== 'DELETE') return answers.sendEmpty(exchange, 405, { allow: 'GET, POST, DELETE' })
      sessions.end(sessionOf(exchange, endpoint))
      answers.sendEmpty(exchange, 200)
    },
  }
}

const isForgotten = (error: unknown): boolean =>
  error instanceof RpcFailure && error.error.code === CODES.sessionNotFound
