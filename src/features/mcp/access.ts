/** What the gateway's own endpoints know of agents: which there are, whether they can be called, and how. */
import { PloinkyError } from '../../core/error.ts'
import { OWN_AGENT } from '../../core/id.ts'
import { INVOCATION_HEADER } from '../../core/invocation.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { Principal } from '../../core/principal.ts'
import type { HttpClient } from '../../platform/index.ts'
import { fetchContainer, type UpstreamAnswer, type UpstreamCall } from './upstream.ts'
import type { Visibility } from './visibility.ts'

export interface AgentAccess extends Visibility {
  /** Names of the agents that speak MCP or may do so when they run, sorted, of those that the caller may see. */
  visible(principal: Principal): string[]
  /** Null: it can be called now. Otherwise why not. */
  obstacle(agent: string): PloinkyError | null
  /** The exchange's own `relay` reaches it. */
  isRelayed(agent: string): boolean
  /** Differs after each change of where the agent runs. */
  instance(agent: string): string
  /** Throws the obstacle, if there is one. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  /** Calls back when agents came, went or changed. */
  onChange(listener: () => void): () => void
}

export interface AccessRoutes {
  find(agent: string): RouteEntry | 'stopped' | null
  refusal(agent: string): PloinkyError | null
  /** Of all enabled agents. */
  names(): readonly string[]
}

export interface AccessOptions {
  routes: AccessRoutes
  visibility: Visibility
  /** The router's word to an agent on who is calling; null: the agent cannot check it. */
  vouch(principal: Principal, agent: string): string | null
  client(): HttpClient
  /** The way to agents that are no HTTP servers, by the kind of their route. */
  backend(
    kind: Exclude<RouteEntry['mcp'], 'container' | 'none'> | 'own',
  ): { fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer> } | undefined
  onChange(listener: () => void): () => void
}

export function createAgentAccess(options: AccessOptions): AgentAccess {
  const { routes, visibility } = options

  /** Null: our own agent. */
  function routeOf(agent: string): RouteEntry | PloinkyError | null {
    const route = routes.find(agent)
    if (route === null) {
      if (agent === OWN_AGENT) return null
      return new PloinkyError('AGENT_NOT_FOUND', `Agent "${agent}" not found in enabled agents`, {
        hint: 'Run: ploinky status',
      })
    }
    if (route === 'stopped')
      return new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent}" is not running`, {
        hint: `Run: ploinky start ${agent}`,
      })
    const refusal = routes.refusal(agent)
    if (refusal !== null) return refusal
    if (route.mcp === 'none') return new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" does not speak MCP`)
    if (route.mcp === 'container' && route.hostPort === 0)
      return new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" has no HTTP service`)
    return route
  }

  const isSilent = (agent: string): boolean => {
    const route = routes.find(agent)
    return typeof route === 'object' && route !== null && route.mcp === 'none'
  }

  function vouched(agent: string, call: UpstreamCall): UpstreamCall {
    const word = options.vouch(call.principal, agent)
    return word === null ? call : { ...call, headers: { ...call.headers, [INVOCATION_HEADER]: word } }
  }

  return {
    ...visibility,
    visible(principal) {
      const names = new Set([...routes.names(), OWN_AGENT])
      return [...names].filter((name) => !isSilent(name) && visibility.maySee(principal, name)).sort()
    },
    obstacle(agent) {
      const route = routeOf(agent)
      return route instanceof PloinkyError ? route : null
    },
    isRelayed(agent) {
      const route = routeOf(agent)
      return route !== null && 'mcp' in route && route.mcp === 'container'
    },
    instance(agent) {
      const route = routes.find(agent)
      if (route === null || route === 'stopped') return String(route)
      return `${route.mcp} ${route.container} ${route.hostIp}:${route.hostPort}${route.mcpPath}`
    },
    async fetch(agent, call) {
      const route = routeOf(agent)
      if (route instanceof PloinkyError) throw route
      if (route?.mcp === 'container')
        return await reached(agent, fetchContainer(options.client(), route, vouched(agent, call)))
      const backend = options.backend(route === null ? 'own' : (route.mcp as 'exec' | 'stdio'))
      if (backend === undefined) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" does not speak MCP`)
      return await backend.fetch(agent, call)
    },
    onChange: options.onChange,
  }
}

async function reached(agent: string, answer: Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
  try {
    return await answer
  } catch (error) {
    const code = (error as { code?: string } | null)?.code ?? ''
    if (error instanceof PloinkyError || !/^E[A-Z]+$/.test(code)) throw error
    throw new PloinkyError('UPSTREAM_UNREACHABLE', `Agent "${agent}" does not answer: ${code}`, {
      hint: `Run: ploinky logs ${agent}`,
      cause: error,
    })
  }
}
