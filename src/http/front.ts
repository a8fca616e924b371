/**
 * The front: every request and upgrade passes here. Request id, guard, then the relay for agents' bytes or the Hono app for ours.
 */
import { PloinkyError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { INVOCATION_HEADER } from '../core/invocation.ts'
import { callingAgent, type Principal } from '../core/principal.ts'
import type { RouteEntry } from '../config/documents.ts'
import type { DataPlane, RelayOptions } from '../platform/relay/index.ts'
import type { Duplex, IncomingMessage, ServerHandlers, ServerResponse } from '../platform/index.ts'
import { refuseUpgrade, writeError } from './error-response.ts'
import type { Caller, Guard } from './guard.ts'
import { failureError } from './relay-failure.ts'
import { isPublicPath } from './public-path.ts'
import { waitOf } from './prefer.ts'
import type { McpGateway, RelayChange } from './mcp-exchange.ts'
import { STRIP, STRIP_WITH_AUTHORIZATION } from './strip.ts'
import { isAgentPath, mcpEndpointOf, parseTarget, type Target } from './request.ts'

/** Handed to the Hono app with each request (`c.env`). */
export interface FrontEnv {
  incoming: IncomingMessage
  outgoing: ServerResponse
  principal: Principal | null
  requestId: string
  caller: Caller
}

/** For Hono's types. */
export interface HonoEnv {
  Bindings: FrontEnv
}

export interface RouteTable {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
  /** Reads the table again; for names that were not found, since the change may be newer than the notification of it. */
  reload(): Promise<void>
}

/** Agents that are started by the first call. */
export interface StartsOnDemand {
  has(agent: string): boolean
  wake(agent: string, waitMs: number): Promise<void>
  use(agent: string): () => void
}

export interface FrontOptions {
  guard: Guard
  routes: RouteTable
  dataPlane: DataPlane
  /** Takes what is more than passing bytes on to an agent's own endpoint. */
  mcp: McpGateway
  demand: StartsOnDemand
  /** The router's word to an agent on who is calling, for requests that are passed on unread; null: the agent cannot check it. */
  vouch(principal: Principal, agent: string): string | null
  /** The Hono app as a node listener. */
  app(env: FrontEnv): void
  /** Counts a request to an agent: the status (0: none) and the milliseconds until the answer began. */
  record(agent: string, status: number, milliseconds: number): void
  /** Told to everybody at `/health`, which answers as soon as the port does: before the app is there. */
  health(): Readonly<Record<string, string | number>>
  log: Logger
  bodyLimit: number
  newRequestId(): string
}

const SSE_KEEP_ALIVE_MS = 20_000
const CONNECT_TIMEOUT_MS = 5000

interface Exchange {
  incoming: IncomingMessage
  target: Target
  caller: Caller
  requestId: string
  /** `performance.now()` */
  began: number
  isCounted: boolean
}

/** Requests to all agents as one; no agent is called so. */
const AGGREGATE = '/mcp'

export function createFront(options: FrontOptions): ServerHandlers {
  const { guard, routes, dataPlane, mcp, demand, log } = options

  function parse(incoming: IncomingMessage): Target {
    const target = parseTarget(incoming.url ?? '')
    if (target !== null) return target
    throw new PloinkyError('REQUEST_INVALID', 'Malformed request target', { hint: 'Ask for a path: GET /dashboard/' })
  }

  function requirePrincipal(caller: Caller): void {
    if (caller.principal !== null) return
    throw new PloinkyError('UNAUTHENTICATED', 'Sign in first', {
      hint: 'Open the link that "ploinky open" prints, or send the token of: ploinky token',
    })
  }

  function routeOf(name: string): RouteEntry {
    const route = routes.find(name)
    if (route === null)
      throw new PloinkyError('AGENT_NOT_FOUND', `Agent "${name}" not found in enabled agents`, {
        hint: `Run: ploinky enable agent ${name}`,
      })
    if (route === 'stopped')
      throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${name}" is not running`, {
        hint: `Run: ploinky start ${name}`,
      })
    const refusal = routes.refusal(name)
    if (refusal !== null) throw refusal
    return route
  }

  /** True when the request is one for MCP and is taken care of. */
  function gateway(exchange: Exchange, outgoing: ServerResponse): boolean {
    const endpoint = mcpEndpointOf(exchange.target)
    if (endpoint === null || wantsPage(exchange.incoming)) return false
    requirePrincipal(exchange.caller)
    const { incoming, requestId, caller } = exchange
    const isHandled = mcp.handle({
      incoming,
      outgoing,
      endpoint,
      principal: caller.principal as Principal,
      requestId,
      bodyLimit: options.bodyLimit,
      relay: (agent, change) => relayMcp(exchange, outgoing, { agent, ...change }),
      fail: (error) => writeError(outgoing, error, requestId),
    })
    // A stream that a client listens to lasts as long as he likes.
    if (isHandled && incoming.method !== 'GET')
      outgoing.once('close', () => count(exchange, outgoing.headersSent ? outgoing.statusCode : 0))
    return isHandled
  }

  /** By whichever is told first: the head of a relayed answer, or the end of one of ours. */
  function count(exchange: Exchange, status: number): void {
    if (exchange.isCounted) return
    exchange.isCounted = true
    const agent = exchange.target.agent?.name ?? AGGREGATE
    // Names that nobody has would each take the memory of an agent.
    if (agent !== AGGREGATE && routes.find(agent) === null) return
    options.record(agent, status, performance.now() - exchange.began)
  }

  function relayMcp(
    exchange: Exchange,
    outgoing: ServerResponse,
    { agent, ...change }: RelayChange & { agent: string },
  ): void {
    const route = routeOf(agent)
    const given = relayOptions(exchange, `/mcps/${agent}`, route.mcpPath)
    const changed = {
      ...given,
      ...(change.body === undefined ? {} : { body: change.body }),
      ...(change.headers === undefined ? {} : { add: [...(given.add ?? []), ...change.headers] }),
    }
    dataPlane.relay(exchange.incoming, outgoing, { host: route.hostIp, port: route.hostPort }, changed)
  }

  /** Agents' requests are read, and vouched for one by one. */
  function vouched(principal: Principal | null, prefix: string): (readonly [string, string])[] {
    const isPersons = principal !== null && prefix.startsWith('/mcps/') && callingAgent(principal) === null
    const invocation = isPersons ? options.vouch(principal, prefix.slice('/mcps/'.length)) : null
    return invocation === null ? [] : [[INVOCATION_HEADER, invocation]]
  }

  /** What is not for MCP is for people. */
  function refuseAgents({ principal }: Caller): void {
    if (principal !== null && callingAgent(principal) !== null)
      throw new PloinkyError('DENIED', 'Agents may call /mcps/<agent>/mcp and /mcp, and nothing else')
  }

  function relayOptions(exchange: Exchange, prefix: string, rest: string): RelayOptions {
    const { incoming, caller, requestId } = exchange
    // On MCP paths the client's credential never reaches an agent; elsewhere an agent may have a sign-in of its own.
    const ours = caller.via === 'bearer' || prefix.startsWith('/mcps/')
    return {
      path: `${rest === '' ? '/' : rest}${caller.query}`,
      strip: ours ? STRIP_WITH_AUTHORIZATION : STRIP,
      stripCookies: guard.isOurs,
      addToResponse: [['x-request-id', requestId]],
      add: [
        ['x-forwarded-for', incoming.socket.remoteAddress ?? ''],
        ['x-forwarded-host', incoming.headers.host ?? ''],
        ['x-forwarded-proto', 'http'],
        ['x-forwarded-prefix', prefix],
        ['x-request-id', requestId],
        ...vouched(caller.principal, prefix),
      ],
      maxBodyBytes: options.bodyLimit,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: 0,
      sseKeepAliveMs: SSE_KEEP_ALIVE_MS,
      onHead: (status) => count(exchange, status),
      onEnd: (info) => {
        if (info.error !== undefined) log.debug('relay ended early', { requestId, prefix, ...info })
      },
      fail(out, failure) {
        writeError(out, failureError(prefix, failure), requestId)
        count(exchange, out.statusCode)
      },
    }
  }

  /** True when the request was an agent's and is taken care of. */
  function relay(exchange: Exchange, outgoing: ServerResponse): boolean {
    const { agent, path } = exchange.target
    if (!isAgentPath(path)) return false
    const { caller, incoming } = exchange
    // A person's browser: a code in the address becomes a cookie, and strangers are shown the sign-in page.
    if (wantsPage(incoming) && (caller.principal === null || caller.queryToken !== null)) return false
    requirePrincipal(caller)
    if (agent === null)
      throw new PloinkyError('AGENT_NOT_FOUND', 'The address names no agent', {
        hint: 'Addresses are /mcps/<agent>/mcp and /services/<agent>/, the name without percent-encoding',
      })
    const route = routeOf(agent.name)
    if (agent.surface === 'services' && agent.rest === '') {
      outgoing.writeHead(308, { location: `/services/${agent.name}/${exchange.caller.query}` }).end()
      return true
    }
    if (route.hostPort === 0) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent.name}" has no HTTP service`)
    if (demand.has(agent.name)) outgoing.once('close', demand.use(agent.name))
    const prefix = `/${agent.surface}/${agent.name}`
    const rest = agent.surface === 'mcps' && agent.rest === '/mcp' ? route.mcpPath : agent.rest
    dataPlane.relay(
      exchange.incoming,
      outgoing,
      { host: route.hostIp, port: route.hostPort },
      relayOptions(exchange, prefix, rest),
    )
    return true
  }

  function dispatch(exchange: Exchange, outgoing: ServerResponse): void {
    const { incoming, target, caller, requestId } = exchange
    if (gateway(exchange, outgoing)) return
    refuseAgents(caller)
    if (relay(exchange, outgoing)) return
    const isPublic = isPublicPath(incoming.method ?? 'GET', target.path)
    if (isPublic && target.path === '/health') return writeHealth(outgoing, requestId)
    if (!isPublic && caller.principal === null && !wantsPage(incoming)) requirePrincipal(caller)
    if (incoming.headers.expect !== undefined) outgoing.writeContinue()
    outgoing.setHeader('x-request-id', requestId)
    options.app({ incoming, outgoing, principal: caller.principal, requestId, caller })
  }

  function writeHealth(outgoing: ServerResponse, requestId: string): void {
    const body = JSON.stringify(options.health())
    outgoing.writeHead(200, {
      'content-type': 'application/json',
      'content-length': String(body.length),
      'cache-control': 'no-store',
      'x-request-id': requestId,
    })
    outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body)
  }

  /** Unknown or stopped: looked up once more on disk, a known name never is. */
  function isStale(target: Target, caller: Caller): boolean {
    if (target.agent === null || caller.principal === null) return false
    const route = routes.find(target.agent.name)
    return route === null || route === 'stopped'
  }

  function upgrade(exchange: Exchange, socket: Duplex, head: Buffer): void {
    requirePrincipal(exchange.caller)
    refuseAgents(exchange.caller)
    const { agent } = exchange.target
    if (agent === null || agent.surface !== 'services')
      throw new PloinkyError('ROUTE_NOT_FOUND', 'Nothing to upgrade here')
    const route = routeOf(agent.name)
    if (route.hostPort === 0) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent.name}" has no HTTP service`)
    if (demand.has(agent.name)) socket.once('close', demand.use(agent.name))
    const options = relayOptions(exchange, `/services/${agent.name}`, agent.rest)
    dataPlane.upgrade(exchange.incoming, socket, head, { host: route.hostIp, port: route.hostPort }, options)
  }

  /** Starts an agent that starts on demand; what asks for MCP is answered from what the agent offered as long as that is possible. */
  async function wake({ incoming, target }: Exchange): Promise<void> {
    const name = target.agent?.name
    if (
      name === undefined ||
      routes.find(name) !== 'stopped' ||
      !demand.has(name) ||
      mcpEndpointOf(target)?.kind === 'agent'
    )
      return
    await demand.wake(name, waitOf(incoming.headers))
    await routes.reload()
  }

  /** Runs `handle` now, or after one more look at the table; whatever it throws goes to `fail`. */
  function guarded(
    incoming: IncomingMessage,
    isUpgrade: boolean,
    run: { handle(exchange: Exchange): void; fail(error: unknown, requestId: string): void },
  ): string {
    const requestId = options.newRequestId()
    try {
      const target = parse(incoming)
      const caller = guard.identify(incoming, target, isUpgrade)
      const exchange = { incoming, target, caller, requestId, began: performance.now(), isCounted: false }
      if (!isStale(target, exchange.caller)) run.handle(exchange)
      else
        routes
          .reload()
          .then(() => wake(exchange))
          .then(() => run.handle(exchange))
          .catch((error: unknown) => run.fail(error, requestId))
    } catch (error) {
      run.fail(error, requestId)
    }
    return requestId
  }

  return {
    request(incoming, outgoing) {
      const began = performance.now()
      const requestId = guarded(incoming, false, {
        handle: (exchange) => dispatch(exchange, outgoing),
        fail: (error, id) => writeError(outgoing, error, id),
      })
      if (log.level !== 'debug') return
      outgoing.once('close', () =>
        log.debug('request', {
          requestId,
          method: incoming.method,
          url: incoming.url,
          status: outgoing.statusCode,
          ms: Math.round(performance.now() - began),
        }),
      )
    },
    upgrade(incoming, socket, head) {
      guarded(incoming, true, {
        handle: (exchange) => upgrade(exchange, socket, head),
        fail: (error, id) => refuseUpgrade(socket, error, id),
      })
    },
  }
}

/** A person's browser asks for a page: it is sent to the sign-in page instead of being shown JSON. */
export const wantsPage = (incoming: IncomingMessage): boolean =>
  (incoming.method === 'GET' || incoming.method === 'HEAD') && (incoming.headers.accept ?? '').includes('text/html')
