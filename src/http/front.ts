/**
 * The front: every request and upgrade passes here. Request id, guard, then the relay for agents' bytes or the Hono app for ours.
 */
import { PloinkyError } from '../core/error.ts'
import type { Logger } from '../core/log.ts'
import { callingAgent, type Principal } from '../core/principal.ts'
import type { RouteEntry } from '../config/documents.ts'
import type { DataPlane } from '../platform/relay/index.ts'
import type { Duplex, IncomingMessage, ServerHandlers, ServerResponse, UpgradeRequest } from '../platform/index.ts'
import { refuseUpgrade, writeError } from './error-response.ts'
import type { Caller, Guard } from './guard.ts'
import { createCut } from './cut.ts'
import { writeHealth } from './health.ts'
import type { RouteTable, SessionHolds, StartsOnDemand } from './front-ports.ts'
import { isPublicPath } from './public-path.ts'
import type { Exchange } from './exchange.ts'
import { createRelayOptions } from './relay-options.ts'
import { CLIENT_MODULE, refuseRunning, type Sites } from './sites.ts'
import { waitOf, wantsPage } from './prefer.ts'
import type { McpEndpoint, McpGateway, RelayChange } from './mcp-exchange.ts'
import { isAgentPath, mcpEndpointOf, parseTarget, terminalOf, type Target } from './request.ts'
import { createCount } from './request-count.ts'
import type { TerminalGateway } from './terminal-gateway.ts'

/** Handed to the Hono app with each request (`c.env`). */
export interface FrontEnv {
  incoming: IncomingMessage
  outgoing: ServerResponse
  principal: Principal | null
  requestId: string
  caller: Caller
  /** At the origin of an agent, which is asked for a file: answers with what the agent's own server says. */
  readonly relay?: () => void
}

/** For Hono's types. */
export interface HonoEnv {
  Bindings: FrontEnv
}

export interface FrontOptions {
  guard: Guard
  routes: RouteTable
  dataPlane: DataPlane
  /** Takes what is more than passing bytes on to an agent's own endpoint. */
  mcp: McpGateway
  demand: StartsOnDemand
  terminals: TerminalGateway
  sites: Sites
  sessions: SessionHolds
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

type TerminalUpgrade = Pick<UpgradeRequest, 'socket' | 'head'>

export function createFront(options: FrontOptions): ServerHandlers {
  const { guard, routes, dataPlane, mcp, demand, sites, log } = options
  const count = createCount(options)
  const cut = createCut(options.sessions)
  const relayOptions = createRelayOptions({ ...options, count })

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
    // One that runs and never became ready has no route either: why is known.
    const refusal = routes.refusal(name)
    if (refusal !== null) throw refusal
    if (route === 'stopped')
      throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${name}" is not running`, {
        hint: `Run: ploinky start ${name}`,
      })
    return route
  }

  /** True when the request is one for MCP and is taken care of. */
  function gateway(exchange: Exchange, outgoing: ServerResponse): boolean {
    const { site } = exchange.caller
    const endpoint = site === null ? mcpEndpointOf(exchange.target) : ownEndpoint(exchange.target, site)
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
    if (isHandled) cut(exchange, outgoing)
    // A stream that a client listens to lasts as long as he likes.
    if (isHandled && incoming.method !== 'GET')
      outgoing.once('close', () => count(exchange, outgoing.headersSent ? outgoing.statusCode : 0))
    return isHandled
  }

  /** At an agent's origin: its own endpoint, by the router's address and by its own. */
  function ownEndpoint(target: Target, site: string): McpEndpoint | null {
    const endpoint = mcpEndpointOf(target)
    if (endpoint !== null && 'agent' in endpoint)
      return endpoint.agent.toLowerCase() === site.toLowerCase() ? { ...endpoint, agent: site } : null
    const route = routes.find(site)
    const isOwn = route !== null && route !== 'stopped' && route.mcp !== 'none' && target.path === route.mcpPath
    return isOwn ? { kind: 'agent', agent: site } : null
  }

  function relayMcp(
    exchange: Exchange,
    outgoing: ServerResponse,
    { agent, ...change }: RelayChange & { agent: string },
  ): void {
    const route = routeOf(agent)
    const changed = relayOptions(exchange, { prefix: `/mcps/${agent}`, rest: route.mcpPath }, change)
    dataPlane.relay(exchange.incoming, outgoing, { host: route.hostIp, port: route.hostPort }, changed)
  }

  /** What is not for MCP is for people. */
  function refuseAgents({ principal }: Caller): void {
    if (principal !== null && callingAgent(principal) !== null)
      throw new PloinkyError('DENIED', 'Agents may call /mcps/<agent>/mcp and /mcp, and nothing else')
  }

  /** Bytes of an agent that has an HTTP service. */
  function relayTo(
    exchange: Exchange,
    outgoing: ServerResponse,
    at: { agent: string; prefix: string; rest: string },
  ): void {
    const route = routeOf(at.agent)
    if (route.hostPort === 0) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${at.agent}" has no HTTP service`)
    if (demand.has(at.agent)) outgoing.once('close', demand.use(at.agent))
    cut(exchange, outgoing)
    const place = { host: route.hostIp, port: route.hostPort }
    dataPlane.relay(exchange.incoming, outgoing, place, relayOptions(exchange, at))
  }

  /** At an agent's own origin there is nothing of ours but what lets a browser in, and the client that pages import. */
  function dispatchSite(exchange: Exchange, outgoing: ServerResponse, site: string): void {
    const { incoming, target, caller, requestId } = exchange
    if (sites.answer(incoming, outgoing, { caller, target })) return
    requirePrincipal(caller)
    if (gateway(exchange, outgoing)) return
    refuseAgents(caller)
    const own = wantsPage(incoming) ? null : ownEndpoint(target, site)
    if (own !== null) {
      const rest = own.kind === 'tasks' ? (target.agent?.rest ?? '') : routeOf(site).mcpPath
      return relayTo(exchange, outgoing, { agent: site, prefix: `/mcps/${site}`, rest })
    }
    const relayed = (): void => relayTo(exchange, outgoing, { agent: site, prefix: '', rest: target.path })
    const isRead = incoming.method === 'GET' || incoming.method === 'HEAD'
    if (!isRead || (routes.staticAgent() !== site && target.path !== CLIENT_MODULE)) return relayed()
    const relay = (): void => {
      try {
        relayed()
      } catch (error) {
        writeError(outgoing, error, requestId)
      }
    }
    options.app({ incoming, outgoing, principal: caller.principal, requestId, caller, relay })
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
    const own =
      agent.surface === 'services' && route.hostPort !== 0
        ? sites.handOver(incoming, caller, { agent: agent.name, path: agent.rest === '' ? '/' : agent.rest })
        : null
    if (own !== null) {
      outgoing.writeHead(303, { location: own, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' }).end()
      return true
    }
    if (caller.via === 'cookie') refuseRunning(incoming)
    if (agent.surface === 'services' && agent.rest === '') {
      outgoing.writeHead(308, { location: `/services/${agent.name}/${exchange.caller.query}` }).end()
      return true
    }
    const rest = agent.surface === 'mcps' && agent.rest === '/mcp' ? route.mcpPath : agent.rest
    relayTo(exchange, outgoing, { agent: agent.name, prefix: `/${agent.surface}/${agent.name}`, rest })
    return true
  }

  function dispatch(exchange: Exchange, outgoing: ServerResponse): void {
    const { incoming, target, caller, requestId } = exchange
    if (caller.site !== null) return dispatchSite(exchange, outgoing, caller.site)
    if (gateway(exchange, outgoing)) return
    refuseAgents(caller)
    if (relay(exchange, outgoing)) return
    const isPublic = isPublicPath(incoming.method ?? 'GET', target.path)
    if (isPublic && target.path === '/health') return writeHealth(outgoing, options.health(), requestId)
    if (!isPublic && caller.principal === null && !wantsPage(incoming)) requirePrincipal(caller)
    if (incoming.headers.expect !== undefined) outgoing.writeContinue()
    outgoing.setHeader('x-request-id', requestId)
    options.app({ incoming, outgoing, principal: caller.principal, requestId, caller })
  }

  /** Unknown or stopped: looked up once more on disk, a known name never is. */
  function isStale(target: Target, caller: Caller): boolean {
    const name = caller.site ?? target.agent?.name
    if (name === undefined || caller.principal === null) return false
    const route = routes.find(name)
    return route === null || route === 'stopped'
  }

  /** True when it is the socket of a terminal. A page is told over it why it may not come in; a program by the answer. */
  function terminal({ incoming, target, caller, requestId }: Exchange, { socket, head }: TerminalUpgrade): boolean {
    const agent = terminalOf(target)
    if (agent === null) return false
    const query = new URLSearchParams(caller.query)
    if (incoming.headers.origin === undefined && !query.has('share')) requirePrincipal(caller)
    const { principal } = caller
    options.terminals.upgrade({ incoming, socket, head, agent, query, principal, requestId })
    return true
  }

  function upgrade(exchange: Exchange, socket: Duplex, head: Buffer): void {
    refuseAgents(exchange.caller)
    const { caller, target } = exchange
    const { agent } = target
    if (caller.site === null && terminal(exchange, { socket, head })) return
    requirePrincipal(caller)
    if (caller.site === null && agent?.surface !== 'services')
      throw new PloinkyError('ROUTE_NOT_FOUND', 'Nothing to upgrade here')
    const name = caller.site ?? agent?.name ?? ''
    const route = routeOf(name)
    if (route.hostPort === 0) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${name}" has no HTTP service`)
    if (demand.has(name)) socket.once('close', demand.use(name))
    cut(exchange, socket)
    const options =
      caller.site === null
        ? relayOptions(exchange, { prefix: `/services/${name}`, rest: agent?.rest ?? '' })
        : relayOptions(exchange, { prefix: '', rest: target.path })
    dataPlane.upgrade(exchange.incoming, socket, head, { host: route.hostIp, port: route.hostPort }, options)
  }

  /** Starts an agent that starts on demand; what asks for MCP is answered from what the agent offered as long as that is possible. */
  async function wake({ incoming, target, caller }: Exchange): Promise<void> {
    const name = caller.site ?? target.agent?.name
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
      const began = log.level === 'debug' ? performance.now() : 0
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
