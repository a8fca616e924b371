/**
 * MCP at the router: which of the ways to an agent a request takes. Bytes for an agent's own endpoint are passed on by the front,
 * without anything of this; what the router answers itself is loaded when it is asked for first.
 */
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { OWN_AGENT } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import type { Store } from '../../core/store.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { McpExchange, McpGateway } from '../../http/mcp-exchange.ts'
import type { HttpClient, Platform } from '../../platform/index.ts'
import { createAgentAccess } from './access.ts'
import type { PrefixMode } from './aggregate/all-agents.ts'
import type { Aggregate } from './aggregate/index.ts'
import { createExecMcp, type ExecTarget } from './exec.ts'
import type { OwnServer } from './own/server.ts'
import { fetchHandler, type UpstreamAnswer, type UpstreamCall } from './upstream.ts'
import { visibleByRole, type Visibility } from './visibility.ts'

export interface McpRoutes {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
  /** Of all enabled agents. */
  names(): readonly string[]
}

export interface McpGatewayOptions {
  platform: Platform
  log: Logger
  version: string
  routes: McpRoutes
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<ExecTarget>
  store: Store
  events: EventBus
  /** How names at `/mcp` are made. */
  prefix: PrefixMode
  /** Our own commands as an agent. */
  ownServer(): Promise<OwnServer>
  /** Absent: people, by their role. */
  visibility?: Visibility
}

/** The agent's own name beside the exchange: `Backend`s serve agents only. */
export interface AgentExchange extends McpExchange {
  readonly agent: string
}

/** A way to the MCP server of an agent. */
export interface Backend {
  /** Answers a request of a client; errors go to `exchange.fail`. */
  serve(exchange: AgentExchange): void
  /** The answer to a request that was read, or made, by the router. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  close(): Promise<void>
}

export function createMcpGateway(options: McpGatewayOptions): McpGateway & { close(): Promise<void> } {
  const { routes } = options
  const backends: Partial<Record<RouteEntry['mcp'] | 'own', Backend>> = {
    exec: execBackend(options),
    own: ownBackend(options),
  }
  const endpoints = lateAggregate(options, backends)

  function serveAgent(exchange: AgentExchange): boolean {
    const route = routes.find(exchange.agent)
    // One that was enabled under this name before it was ours keeps it.
    if (route === null && exchange.agent === OWN_AGENT) {
      backends.own?.serve(exchange)
      return true
    }
    // Unknown and stopped agents are refused where every path of an agent is.
    if (route === null || route === 'stopped' || route.mcp === 'container') return false
    const refusal = routes.refusal(exchange.agent)
    if (refusal !== null) throw refusal
    const backend = backends[route.mcp]
    if (backend === undefined) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${exchange.agent}" does not speak MCP`)
    backend.serve(exchange)
    return true
  }

  return {
    handle(exchange) {
      const { endpoint } = exchange
      if (endpoint.kind === 'agent') return serveAgent({ ...exchange, agent: endpoint.agent })
      endpoints.handle(exchange)
      return true
    },
    async close() {
      await Promise.all([endpoints.close(), ...Object.values(backends).map((backend) => backend.close())])
    },
  }
}

/** `/mcp` and `/mcp/<name>`: loaded with the first request for one. */
function lateAggregate(options: McpGatewayOptions, backends: Partial<Record<RouteEntry['mcp'] | 'own', Backend>>) {
  const { platform, routes, events } = options
  let client: HttpClient | null = null
  let loading: Promise<Aggregate> | null = null
  let loaded: Aggregate | null = null

  async function load(): Promise<Aggregate> {
    const { createAggregate } = await import('./aggregate/index.ts')
    const access = createAgentAccess({
      routes,
      visibility: options.visibility ?? visibleByRole,
      client: () => (client ??= platform.net.createHttpClient()),
      backend: (kind) => backends[kind],
      onChange: (listener) =>
        events.on(({ type }) => {
          if (type === 'routing.changed' || type.startsWith('agent.')) listener()
        }),
    })
    const { store, log, version, prefix } = options
    loaded = createAggregate({ access, store, log, version, prefix, newId: () => platform.hash.randomToken(24) })
    return loaded
  }

  return {
    handle(exchange: McpExchange): void {
      if (loaded !== null) return loaded.handle(exchange)
      loading ??= load()
      loading.then(
        (aggregate) => aggregate.handle(exchange),
        (error: unknown) => {
          loading = null
          exchange.fail(error)
        },
      )
    },
    async close() {
      const aggregate = await loading?.catch(() => null)
      aggregate?.close()
      client?.close()
    },
  }
}

type Handle = (exchange: { agent: string; principal: McpExchange['principal'] }, request: Request) => Promise<Response>

/** For servers of this process: web-standard requests out of raw ones. */
function serveWith(platform: Platform, handle: Handle): Backend['serve'] {
  const makeListener = () => platform.net.toListener((request: Request, env: AgentExchange) => handle(env, request))
  let listener: ReturnType<typeof makeListener> | null = null
  return (exchange) => {
    const { incoming, outgoing, requestId } = exchange
    listener ??= makeListener()
    listener.then((listen) => {
      if (incoming.headers.expect !== undefined) outgoing.writeContinue()
      outgoing.setHeader('x-request-id', requestId)
      listen(incoming, outgoing, exchange)
    }, exchange.fail)
  }
}

/** Tools of images without Node: the AgentServer runs here, the tools through the runtime's exec. */
function execBackend({ platform, log, version, target }: McpGatewayOptions): Backend {
  const mcp = createExecMcp({ fs: platform.fs, log, version, target })
  return {
    serve: serveWith(platform, ({ agent }, request) => mcp.handle(agent, request)),
    fetch: (agent, call) => fetchHandler((request) => mcp.handle(agent, request), call),
    close: () => mcp.close(),
  }
}

function ownBackend({ platform, ownServer }: McpGatewayOptions): Backend {
  let server: Promise<OwnServer> | null = null
  const handle: Handle = async ({ principal }, request) =>
    await (await (server ??= ownServer())).fetch(principal, request)
  return {
    serve: serveWith(platform, handle),
    fetch: (agent, call) => fetchHandler((request) => handle({ agent, principal: call.principal }, request), call),
    close: async () => await (await server)?.close(),
  }
}
