/**
 * MCP at the router: which of the ways to an agent a request takes. Bytes for an agent's own endpoint are passed on by the front,
 * without anything of this; what the router answers itself is loaded when it is asked for first.
 */
import { PloinkyError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { Store } from '../../core/store.ts'
import type { McpGateway, RelayChange } from '../../http/mcp-exchange.ts'
import type { Platform } from '../../platform/index.ts'
import type { Demand } from '../demand/index.ts'
import { createExecMcp } from './exec.ts'
import type { ExecTarget } from './exec-runner.ts'
import type { StdioTarget } from './stdio/index.ts'
import type { AgentExchange, Backend, McpRoutes } from './types.ts'

export interface McpGatewayOptions {
  platform: Platform
  log: Logger
  version: string
  routes: McpRoutes
  store: Store
  demand: Demand
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<ExecTarget & StdioTarget>
  /** Folder for the records of an agent's tasks. */
  tasksDir(agent: string): string
  /** Changes when what an agent offers may have changed: its manifest and its configuration. */
  stampOf(agent: string): Promise<string>
}

export function createMcpGateway(options: McpGatewayOptions): McpGateway & { close(): Promise<void> } {
  const { routes, demand } = options
  const onDemand = lazy(async () => {
    const { createOnDemand } = await import('./on-demand/index.ts')
    return createOnDemand({
      ...options,
      net: options.platform.net,
      newId: () => options.platform.hash.randomToken(24),
      pass,
    })
  })
  const backends: Partial<Record<RouteEntry['mcp'], Backend>> = {
    exec: execBackend(options),
    stdio: stdioBackend(options),
  }

  /** To the agent that runs. */
  function pass(exchange: AgentExchange, change: RelayChange): void {
    const route = routes.find(exchange.agent)
    const backend = route === null || route === 'stopped' ? undefined : backends[route.mcp]
    if (backend === undefined) exchange.relay(exchange.agent, change)
    else backend.serve({ ...exchange, ...(change.body === undefined ? {} : { body: change.body }) })
  }

  function serveAgent(exchange: AgentExchange): boolean {
    if (demand.has(exchange.agent)) {
      onDemand().then((served) => served.serve(exchange), exchange.fail)
      return true
    }
    const route = routes.find(exchange.agent)
    // Unknown and stopped agents are refused where every path of an agent is.
    if (route === null || route === 'stopped' || route.mcp === 'container') return false
    const refusal = routes.refusal(exchange.agent)
    if (refusal !== null) throw refusal
    const backend = backends[route.mcp]
    if (backend === undefined) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${exchange.agent}" does not speak MCP`)
    backend.serve(exchange)
    return true
  }

  /** Containers with an AgentServer answer these themselves. */
  function serveTasks(exchange: AgentExchange): boolean {
    const route = routes.find(exchange.agent)
    if (route === null || route === 'stopped' || route.mcp !== 'exec') return false
    backends.exec?.serve(exchange)
    return true
  }

  return {
    handle(exchange) {
      const { endpoint } = exchange
      if (endpoint.kind === 'agent') return serveAgent({ ...exchange, agent: endpoint.agent })
      return endpoint.kind === 'tasks' && serveTasks({ ...exchange, agent: endpoint.agent })
    },
    async close() {
      await Promise.all(Object.values(backends).map((backend) => backend.close()))
    },
  }
}

/** Made when it is asked for first. */
function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => (made ??= make())
}

/** Tools of images without Node: the AgentServer runs here, the tools through the runtime's exec. */
function execBackend({ platform, log, version, target, tasksDir }: McpGatewayOptions): Backend {
  const mcp = createExecMcp({ fs: platform.fs, log, version, target, tasksDir })
  const makeListener = () =>
    platform.net.toListener((request: Request, { agent }: { agent: string }) => mcp.handle(agent, request))
  let listener: ReturnType<typeof makeListener> | null = null
  return {
    serve(exchange) {
      const { incoming, outgoing, agent, requestId } = exchange
      listener ??= makeListener()
      listener.then((listen) => {
        // The listener takes a body that was read already from there.
        if (exchange.body !== undefined) Object.assign(incoming, { rawBody: exchange.body })
        else if (incoming.headers.expect !== undefined) outgoing.writeContinue()
        outgoing.setHeader('x-request-id', requestId)
        listen(incoming, outgoing, { agent })
      }, exchange.fail)
    },
    close: () => mcp.close(),
  }
}

/** Programs on standard streams: the bridge is loaded when the first of them is called. */
function stdioBackend(options: McpGatewayOptions): Backend {
  let bridge: Promise<Backend> | null = null
  return {
    serve(exchange) {
      bridge ??= import('./stdio/index.ts').then(({ createStdioBackend }) => createStdioBackend(options))
      bridge.then((backend) => backend.serve(exchange)).catch(exchange.fail)
    },
    close: async () => (await bridge)?.close(),
  }
}
