/**
 * MCP at the router: which of the ways to an agent a request takes. Bytes for an agent's own endpoint are passed on by the front,
 * without anything of this; what the router answers itself is loaded when it is asked for first.
 */
import { PloinkyError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { McpGateway } from '../../http/mcp-exchange.ts'
import type { Platform } from '../../platform/index.ts'
import type { AgentExchange, Backend } from './backend.ts'
import { createExecMcp } from './exec.ts'
import type { StdioTarget } from './stdio/index.ts'

export interface McpRoutes {
  /** Null: no such agent. `'stopped'`: enabled, not running. */
  find(agent: string): RouteEntry | 'stopped' | null
  /** Why nothing is passed on to an agent that has a route; null when it is. */
  refusal(agent: string): PloinkyError | null
}

export interface McpGatewayOptions {
  platform: Platform
  log: Logger
  version: string
  routes: McpRoutes
  /** Where an agent runs now; throws AGENT_NOT_RUNNING. */
  target(agent: string): Promise<StdioTarget>
}

export function createMcpGateway(options: McpGatewayOptions): McpGateway & { close(): Promise<void> } {
  const { routes } = options
  const backends: Partial<Record<RouteEntry['mcp'], Backend>> = {
    exec: execBackend(options),
    stdio: stdioBackend(options),
  }

  function serveAgent(exchange: AgentExchange): boolean {
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

  return {
    handle(exchange) {
      const { endpoint } = exchange
      return endpoint.kind === 'agent' ? serveAgent({ ...exchange, agent: endpoint.agent }) : false
    },
    async close() {
      await Promise.all(Object.values(backends).map((backend) => backend.close()))
    },
  }
}

/** Tools of images without Node: the AgentServer runs here, the tools through the runtime's exec. */
function execBackend({ platform, log, version, target }: McpGatewayOptions): Backend {
  const mcp = createExecMcp({ fs: platform.fs, log, version, target })
  const makeListener = () =>
    platform.net.toListener((request: Request, { agent }: { agent: string }) => mcp.handle(agent, request))
  let listener: ReturnType<typeof makeListener> | null = null
  return {
    serve(exchange) {
      const { incoming, outgoing, agent, requestId } = exchange
      listener ??= makeListener()
      listener.then((listen) => {
        if (incoming.headers.expect !== undefined) outgoing.writeContinue()
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
