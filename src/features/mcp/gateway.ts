/**
 * MCP at the router: which of the ways to an agent a request takes. Bytes for an agent's own endpoint are passed on by the front,
 * without anything of this; what the router answers itself is loaded when it is asked for first.
 */
import { PloinkyError } from '../../core/error.ts'
import { OWN_AGENT } from '../../core/id.ts'
import { lazy } from '../../core/lazy.ts'
import { DEPTH_HEADER } from '../../core/invocation.ts'
import { callingAgent } from '../../core/principal.ts'
import type { McpGateway, RelayChange } from '../../http/mcp-exchange.ts'
import type { HttpClient } from '../../platform/index.ts'
import { createAgentAccess, type ServedWay } from './access.ts'
import { createBackends } from './backends.ts'
import { lateAggregate } from './late-aggregate.ts'
import { createLocked } from './locked.ts'
import type { McpGatewayOptions } from './gateway-options.ts'
import type { AgentExchange, Backend } from './types.ts'
import { createVisibility } from './visibility.ts'

/** They say nothing of the agent itself, and come with each call. */
const CALLS = new Set(['agent.called', 'agent.refused'])

export function createMcpGateway(options: McpGatewayOptions): McpGateway & { close(): Promise<void> } {
  const { routes, demand, guard, platform } = options
  const backends = createBackends(options)
  const onDemand = lazy(async () => {
    const { createOnDemand } = await import('./on-demand/index.ts')
    return createOnDemand({
      ...options,
      newId: () => platform.hash.randomToken(24),
      reach: access.reach,
      isLocked: guard.has,
      pass,
    })
  })

  /** Null: none, or its own HTTP server. */
  function backendOf(agent: string): Backend | null {
    const route = routes.find(agent)
    if (route === null || route === 'stopped' || route.mcp === 'container' || route.mcp === 'none') return null
    return backends[route.mcp] ?? null
  }

  /** To the agent that runs. */
  function pass(exchange: AgentExchange, change: RelayChange): void {
    if (guard.has(exchange.agent)) return locked.serve(exchange, change)
    const backend = backendOf(exchange.agent)
    if (backend === null) exchange.relay(exchange.agent, change)
    else if (change.body === undefined) backend.serve(exchange)
    else backend.serve({ ...exchange, incoming: platform.net.replay(exchange.incoming, change.body, []) })
  }

  function serveOnDemand(exchange: AgentExchange): void {
    onDemand.get().then((served) => served.serve(exchange), exchange.fail)
  }

  const tasked = lazy(async () => {
    const { createTasked } = await import('./tasked/index.ts')
    return createTasked({ fs: platform.fs, log: options.log, tasksDir: options.tasksDir, fetch: access.fetch })
  })

  /** Null: calls of this agent never become tasks. */
  function taskAfterMs(agent: string): number | null {
    const route = routes.find(agent)
    const seconds = typeof route === 'object' ? route?.taskAfterSeconds : demand.taskAfterSeconds(agent)
    return seconds === undefined || seconds === null ? null : seconds * 1000
  }

  /** People's calls only: an agent that calls waits for its answer. */
  function servePeople(exchange: AgentExchange): boolean {
    const afterMs = taskAfterMs(exchange.agent)
    if (afterMs === null) return serveAgent(exchange)
    tasked.get().then((served) => served.serve(exchange, afterMs), exchange.fail)
    return true
  }

  function serveAgent(exchange: AgentExchange): boolean {
    const { agent } = exchange
    if (demand.has(agent)) {
      serveOnDemand(exchange)
      return true
    }
    const route = routes.find(agent)
    // One that was enabled under this name before it was ours keeps it.
    if (route === null && agent === OWN_AGENT) {
      backends.own?.serve(exchange)
      return true
    }
    // Unknown and stopped agents are refused where every path of an agent is.
    if (route === null || route === 'stopped') return false
    if (route.mcp === 'container' && !guard.has(agent)) return false
    const refusal = routes.refusal(agent)
    if (refusal !== null) throw refusal
    if (route.mcp === 'none') throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" does not speak MCP`)
    pass(exchange, {})
    return true
  }

  /** Containers with an AgentServer answer these themselves. */
  function serveTasks(exchange: AgentExchange): boolean {
    const route = routes.find(exchange.agent)
    if (route === null || route === 'stopped' || route.mcp !== 'exec') return false
    backends.exec?.serve(exchange)
    return true
  }

  /** Nothing that an agent asks for goes past the gate, whichever way it takes then. */
  async function serveCaller(exchange: AgentExchange): Promise<void> {
    const admitted = await options.calls.admit(exchange, exchange.agent)
    if (admitted === null) return
    const { body, headers, claims } = admitted
    // What answers here knows the claims, and needs no token to believe them.
    const incoming =
      body === null
        ? exchange.incoming
        : platform.net.replay(exchange.incoming, body, [[DEPTH_HEADER, String(claims.depth)]])
    const relay: AgentExchange['relay'] = (agent, change = {}) =>
      exchange.relay(agent, {
        ...(body === null ? {} : { body }),
        ...change,
        headers: [...headers(), ...(change.headers ?? [])],
      })
    if (!serveAgent({ ...exchange, incoming, claims, relay, vouch: headers })) relay(exchange.agent)
  }

  const way: ServedWay = (agent, principal) => {
    if (callingAgent(principal) !== null)
      return (exchange) => void serveCaller(exchange).catch((error: unknown) => exchange.fail(error))
    if (demand.has(agent)) return serveOnDemand
    return guard.has(agent) ? (exchange) => locked.serve(exchange, {}) : null
  }
  let client: HttpClient | null = null
  const access = createAgentAccess({
    ...{
      routes,
      way,
      demand,
      guard,
      net: platform.net,
      vouch: options.vouch,
      visibility: createVisibility(options.policy),
    },
    client: () => (client ??= platform.net.createHttpClient()),
    backend: (kind) => backends[kind],
    onChange: (listener) =>
      options.events.on(({ type }) => {
        if (type === 'routing.changed' || (type.startsWith('agent.') && !CALLS.has(type)) || type.startsWith('tool.'))
          listener()
      }),
  })
  const locked = createLocked({ guard, version: options.version, instance: access.instance, fetch: access.reach })
  const endpoints = lateAggregate(options, access)

  return {
    handle(exchange) {
      const { endpoint } = exchange
      if (callingAgent(exchange.principal) !== null) {
        if (endpoint.kind === 'tasks') return false
        if (endpoint.kind === 'agent') serveCaller({ ...exchange, agent: endpoint.agent }).catch(exchange.fail)
        // Each call that comes of it passes the gate by itself.
        else endpoints.handle(exchange)
        return true
      }
      if (endpoint.kind === 'agent') return servePeople({ ...exchange, agent: endpoint.agent })
      if (endpoint.kind === 'tasks') return serveTasks({ ...exchange, agent: endpoint.agent })
      endpoints.handle(exchange)
      return true
    },
    async close() {
      // What still runs is stored before the ways to the agents are closed.
      await (await tasked.begun())?.close()
      await Promise.all([endpoints.close(), ...Object.values(backends).map((backend) => backend.close())])
      client?.close()
      guard.close()
    },
  }
}
