/**
 * MCP of agents that start on demand. Lists are answered from what the agent last offered while it is stopped; the first call
 * starts it, and waits as long as its sender wants (`Prefer: wait=SECONDS`).
 */
import { CODES } from '../../../core/mcp.ts'
import { isPloinkyError, messageOf, PloinkyError } from '../../../core/error.ts'
import type { Logger } from '../../../core/log.ts'
import { delay } from '../../../core/time.ts'
import type { RouteEntry } from '../../../config/documents.ts'
import { readIncoming } from '../../../http/incoming-body.ts'
import { waitOf } from '../../../http/prefer.ts'
import type { Demand } from '../../demand/index.ts'
import { sendEmpty, sendJson } from '../answers.ts'
import { type Ask, askBy } from '../ask.ts'
import type { AgentExchange, McpRoutes } from '../types.ts'
import type { UpstreamAnswer, UpstreamCall } from '../upstream.ts'
import { isStateless, readMessage, type RpcMessage } from '../messages.ts'
import { openSession } from '../questions.ts'
import { createOffers, type Era, type OfferOptions } from './offer.ts'
import { createSessions, type Session } from './sessions.ts'

const BODY_IDLE_MS = 30_000
const OPEN_TRIES = 15
const OPEN_PAUSE_MS = 200
const SESSION_HEADER = 'mcp-session-id'

export interface OnDemandOptions extends OfferOptions {
  readonly demand: Demand
  readonly routes: McpRoutes
  readonly log: Logger
  newId(): string
  /** Under what the agent's offer counts: its manifest and configuration. */
  stampOf(agent: string): Promise<string>
  isLocked(agent: string): boolean
  /** To an agent that runs, of any kind, past all that serves its callers before. */
  reach(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  /** Passes a request on to a running agent of any kind. */
  pass(exchange: AgentExchange, change: { body?: Buffer; headers?: readonly (readonly [string, string])[] }): void
}

export interface OnDemand {
  serve(exchange: AgentExchange): void
}

export function createOnDemand(options: OnDemandOptions): OnDemand {
  const { demand, routes, log } = options
  const offers = createOffers(options)
  const sessions = createSessions({ newId: options.newId, now: () => performance.now() })
  /** Counts how often each agent was started here. */
  const runs = new Map<string, number>()
  /** Agents whose sessions somebody else keeps: those that are no HTTP servers. */
  const foreign = new Set<string>()

  const running = (agent: string): RouteEntry | null => {
    const route = routes.find(agent)
    return route === null || route === 'stopped' ? null : route
  }

  const askOf = ({ agent, principal }: Pick<AgentExchange, 'agent' | 'principal'>): Ask =>
    askBy((call) => options.reach(agent, call), principal)

  /** The running agent; started first where it is not. */
  async function awake(exchange: AgentExchange): Promise<RouteEntry> {
    const { agent, incoming } = exchange
    const route = running(agent)
    if (route !== null) return route
    await demand.wake(agent, waitOf(incoming.headers))
    await routes.reload()
    const started = running(agent)
    if (started === null) throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent}" ended again`)
    runs.set(agent, (runs.get(agent) ?? 0) + 1)
    if (started.mcp === 'container') foreign.delete(agent)
    else foreign.add(agent)
    if (started.mcp === 'container') void note(exchange)
    return started
  }

  async function note(exchange: AgentExchange): Promise<void> {
    const { agent } = exchange
    try {
      await offers.take(agent, await options.stampOf(agent), askOf(exchange))
    } catch (error) {
      log.debug('what an agent offers is not noted', { agent, error: messageOf(error) })
    }
  }

  /** From the last good answer, for the people of the workspace: it was given to the router. */
  async function offered(exchange: AgentExchange, era: Era, method: string): Promise<Record<string, unknown> | null> {
    const { agent, principal } = exchange
    if (principal.roles.length === 0 || running(agent) !== null) return null
    // Which of them may be told is known when they are told.
    if (method === 'tools/list' && options.isLocked(agent)) return null
    return await offers.find(agent, await options.stampOf(agent), { era, method })
  }

  function pass(exchange: AgentExchange, change: Parameters<OnDemandOptions['pass']>[1]): void {
    const release = demand.use(exchange.agent)
    exchange.outgoing.once('close', release)
    options.pass(exchange, change)
  }

  async function stateless(exchange: AgentExchange, body: Buffer, message: RpcMessage | null): Promise<void> {
    const { method, id, params } = message ?? { method: null, id: undefined, params: {} }
    if (method !== null && id !== undefined && params['cursor'] === undefined) {
      const known = await offered(exchange, 'stateless', method)
      if (known !== null) return answer(exchange, { id, result: known })
    }
    await awake(exchange)
    pass(exchange, { body })
  }

  /** One that just ended, or just began, may refuse a connection for a moment: it is looked for again. */
  async function reachSession(exchange: AgentExchange, params: Session['params']) {
    for (let tries = 1; ; tries += 1) {
      await awake(exchange)
      try {
        return await openSession(askOf(exchange), params)
      } catch (error) {
        if (!isPloinkyError(error) || error.code !== 'UPSTREAM_UNREACHABLE' || tries === OPEN_TRIES) throw error
      }
      await delay(OPEN_PAUSE_MS)
      await routes.reload()
    }
  }

  /** Opens the agent's own session behind one of ours. */
  async function open(exchange: AgentExchange, { params }: Session) {
    const opened = await reachSession(exchange, params)
    if (opened === null)
      throw new PloinkyError('UPSTREAM_UNREACHABLE', `Agent "${exchange.agent}" did not begin a session`)
    return { ...opened, run: runs.get(exchange.agent) ?? 0 }
  }

  async function begin(exchange: AgentExchange, body: Buffer, { id, params }: RpcMessage): Promise<void> {
    if (id === undefined) throw new PloinkyError('REQUEST_INVALID', '"initialize" needs an id')
    const known = await offered(exchange, 'sessions', 'initialize')
    // Another revision than the one that was agreed then: the agent decides.
    const fits = known !== null && params['protocolVersion'] === known['protocolVersion']
    if (!fits && (await awake(exchange)).mcp !== 'container') return pass(exchange, { body })
    const made = sessions.begin(exchange.agent, exchange.principal, params)
    try {
      const result = fits ? known : await upstreamResult(exchange, made.session)
      answer(exchange, { id, result, sessionId: made.id })
    } catch (error) {
      sessions.end(made.id)
      throw error
    }
  }

  async function upstreamResult(exchange: AgentExchange, session: Session): Promise<Record<string, unknown>> {
    const { run, sessionId, result } = await open(exchange, session)
    session.upstream = Promise.resolve({ run, id: sessionId })
    return result
  }

  /** Headers that name the agent's own session instead of ours. */
  async function renamed(exchange: AgentExchange, session: Session): Promise<readonly (readonly [string, string])[]> {
    const before = await session.upstream?.catch(() => null)
    if (before == null || before.run !== (runs.get(exchange.agent) ?? 0))
      session.upstream = open(exchange, session).then(({ run, sessionId }) => ({ run, id: sessionId }))
    const id = (await session.upstream)?.id ?? null
    return id === null ? [] : [[SESSION_HEADER, id]]
  }

  async function inSession(exchange: AgentExchange, body: Buffer, message: RpcMessage | null): Promise<void> {
    if (message?.method === 'initialize') return await begin(exchange, body, message)
    const session = sessionOf(exchange)
    if (session === null) {
      if (!isForeign(exchange.agent)) return noSession(exchange)
      await awake(exchange)
      return pass(exchange, { body })
    }
    const { method, id, params } = message ?? { method: null, id: undefined, params: {} }
    if (running(exchange.agent) === null) {
      if (method === 'notifications/initialized') return sendEmpty(exchange, 202)
      if (method === 'ping' && id !== undefined) return answer(exchange, { id, result: {} })
      const listed =
        method !== null && id !== undefined && params['cursor'] === undefined
          ? await offered(exchange, 'sessions', method)
          : null
      if (listed !== null && id !== undefined) return answer(exchange, { id, result: listed })
    }
    await awake(exchange)
    // The agent's own session was told already.
    const headers = await renamed(exchange, session)
    if (method === 'notifications/initialized') return sendEmpty(exchange, 202)
    pass(exchange, { body, headers })
  }

  const isForeign = (agent: string): boolean => {
    const route = running(agent)
    return route === null ? foreign.has(agent) : route.mcp !== 'container'
  }

  function sessionOf({ incoming, agent, principal }: AgentExchange): Session | null {
    const id = incoming.headers[SESSION_HEADER]
    return typeof id === 'string' ? sessions.find(id, agent, principal) : null
  }

  /** The stream of a session and its end. A stream keeps nobody awake, and is not kept while the agent is stopped. */
  async function withoutBody(exchange: AgentExchange): Promise<void> {
    const { incoming, agent } = exchange
    const session = sessionOf(exchange)
    const route = running(agent)
    if (session === null) return route !== null && isForeign(agent) ? options.pass(exchange, {}) : noSession(exchange)
    if (incoming.method === 'DELETE') {
      sessions.end(String(incoming.headers[SESSION_HEADER]))
      const upstream = await session.upstream?.catch(() => null)
      if (route !== null && upstream?.id != null) await endUpstream(exchange, upstream.id)
      return sendEmpty(exchange, 200)
    }
    if (route === null || incoming.method !== 'GET') {
      return sendEmpty(exchange, 405, { allow: 'POST, DELETE' })
    }
    options.pass(exchange, { headers: await renamed(exchange, session) })
  }

  async function endUpstream(exchange: AgentExchange, id: string): Promise<void> {
    await askOf(exchange)({ method: 'DELETE', headers: { [SESSION_HEADER]: id } }).catch(() => {})
  }

  async function serve(exchange: AgentExchange): Promise<void> {
    const { incoming, outgoing, agent, bodyLimit } = exchange
    // Else it would be found where it just ends.
    await demand.settled(agent)
    const route = running(agent)
    const refusal = route === null ? null : routes.refusal(agent)
    if (refusal !== null) throw refusal
    if (incoming.method !== 'POST') return await withoutBody(exchange)
    const body = await readIncoming(incoming, outgoing, { maxBytes: bodyLimit, idleMs: BODY_IDLE_MS })
    const message = readMessage(body.toString('utf8'))
    const version = incoming.headers['mcp-protocol-version']
    const isNew = message !== null && isStateless(message, typeof version === 'string' ? version : undefined)
    await (isNew ? stateless(exchange, body, message) : inSession(exchange, body, message))
  }

  return {
    serve: (exchange) =>
      void serve(exchange).catch((error: unknown) => {
        if (!isPloinkyError(error)) log.error('agent on demand not served', { agent: exchange.agent, error })
        exchange.fail(error)
      }),
  }
}

function answer(
  exchange: AgentExchange,
  { id, result, sessionId }: { id: string | number; result: Record<string, unknown>; sessionId?: string },
): void {
  const headers = sessionId === undefined ? {} : { [SESSION_HEADER]: sessionId }
  sendJson(exchange, { jsonrpc: '2.0', id, result }, { headers })
}

/** What clients of the older protocol take as: begin again. */
function noSession(exchange: AgentExchange): void {
  const message = 'Session not found: send "initialize" again'
  sendJson(exchange, { jsonrpc: '2.0', id: null, error: { code: CODES.sessionNotFound, message } }, { status: 404 })
}
