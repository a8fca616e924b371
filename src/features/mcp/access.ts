/** What the gateway's own endpoints know of agents: which there are, whether they can be called, and how. */
import { PloinkyError } from '../../core/error.ts'
import { OWN_AGENT } from '../../core/id.ts'
import { INVOCATION_HEADER } from '../../core/invocation.ts'
import type { RouteEntry } from '../../config/documents.ts'
import { callingAgent, type Principal } from '../../core/principal.ts'
import type { HttpClient, Network } from '../../platform/index.ts'
import type { Demand } from '../demand/index.ts'
import { fetchServed } from './served.ts'
import type { Backend } from './exchange.ts'
import { fetchContainer, type UpstreamAnswer, type UpstreamCall } from './upstream.ts'
import type { Visibility } from './visibility.ts'

export interface AgentAccess extends Visibility {
  /** Names of the agents that speak MCP or may do so when they run, sorted, of those that the caller may see. */
  visible(principal: Principal): string[]
  /** Null: it can be called now. Otherwise why not. */
  obstacle(agent: string): PloinkyError | null
  /** The exchange's own `relay` reaches it, with nothing to be done on the way. */
  isRelayed(agent: string, principal: Principal): boolean
  /** It is worth listening to what it tells by itself: a stream must not keep awake who starts on demand. */
  tells(agent: string): boolean
  /** Its lists may be kept: nobody but itself changes what is shown of it. */
  keeps(agent: string): boolean
  /** Differs after each change of where the agent runs. */
  instance(agent: string): string
  /** Throws the obstacle, if there is one. */
  fetch(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
  /** Calls back when agents came, went or changed. */
  onChange(listener: () => void): () => void
}

export interface GatewayAccess extends AgentAccess {
  /** The last part of `fetch`: to an agent that runs, when nothing has to serve the caller before. */
  reach(agent: string, call: UpstreamCall): Promise<UpstreamAnswer>
}

export interface AccessRoutes {
  find(agent: string): RouteEntry | 'stopped' | null
  refusal(agent: string): PloinkyError | null
  /** Of all enabled agents. */
  names(): readonly string[]
}

/** What has to serve a caller's requests to an agent before they reach it; null: nothing. */
export type ServedWay = (agent: string, principal: Principal) => Backend['serve'] | null

export interface AccessOptions {
  way: ServedWay
  demand: Pick<Demand, 'has'>
  /** Knows whose tools are locked. */
  guard: Pick<Demand, 'has'>
  net: Network
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

export function createAgentAccess(options: AccessOptions): GatewayAccess {
  const { routes, visibility } = options

  /** Null: our own agent. `'stopped'`: a call starts it. */
  function routeOf(agent: string): RouteEntry | 'stopped' | PloinkyError | null {
    const route = routes.find(agent)
    if (route === null) {
      if (agent === OWN_AGENT) return null
      return new PloinkyError('AGENT_NOT_FOUND', `Agent "${agent}" not found in enabled agents`, {
        hint: 'Run: ploinky status',
      })
    }
    if (route === 'stopped' && options.demand.has(agent)) return route
    const refusal = routes.refusal(agent)
    if (refusal !== null) return refusal
    if (route === 'stopped')
      return new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent}" is not running`, {
        hint: `Run: ploinky start ${agent}`,
      })
    if (route.mcp === 'none') return new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" does not speak MCP`)
    if (route.mcp === 'container' && route.hostPort === 0)
      return new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" has no HTTP service`)
    return route
  }

  const isSilent = (agent: string): boolean => {
    const route = routes.find(agent)
    return typeof route === 'object' && route !== null && route.mcp === 'none'
  }

  /** Agents are vouched for one by one, where their calls are admitted. */
  function vouched(agent: string, call: UpstreamCall): UpstreamCall {
    const word = callingAgent(call.principal) === null ? options.vouch(call.principal, agent) : null
    return word === null ? call : { ...call, headers: { ...call.headers, [INVOCATION_HEADER]: word } }
  }

  function kindOf(agent: string): RouteEntry['mcp'] | 'own' {
    const route = routeOf(agent)
    if (route instanceof PloinkyError) throw route
    if (route === 'stopped') throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent}" is not running`)
    return route === null ? 'own' : route.mcp
  }

  async function toContainer(agent: string, call: UpstreamCall): Promise<UpstreamAnswer> {
    const route = routes.find(agent)
    if (route === null || route === 'stopped')
      throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent}" is not running`)
    return await reached(agent, fetchContainer(options.client(), route, vouched(agent, call)))
  }

  async function reach(agent: string, call: UpstreamCall): Promise<UpstreamAnswer> {
    const kind = kindOf(agent)
    if (kind === 'container') return await toContainer(agent, call)
    const backend = kind === 'none' ? undefined : options.backend(kind)
    if (backend === undefined) throw new PloinkyError('ROUTE_NOT_FOUND', `Agent "${agent}" does not speak MCP`)
    return await backend.fetch(agent, call)
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
    isRelayed: (agent, principal) => kindOf(agent) === 'container' && options.way(agent, principal) === null,
    tells: (agent) => !options.demand.has(agent),
    keeps: (agent) => !options.demand.has(agent) && !options.guard.has(agent),
    instance(agent) {
      // Its sessions outlive its runs: who serves it on demand sees to that.
      if (options.demand.has(agent)) return 'on demand'
      const route = routes.find(agent)
      if (route === null || route === 'stopped') return String(route)
      return `${route.mcp} ${route.container} ${route.hostIp}:${route.hostPort}${route.mcpPath}`
    },
    async fetch(agent, call) {
      const obstacle = routeOf(agent)
      if (obstacle instanceof PloinkyError) throw obstacle
      const serve = options.way(agent, call.principal)
      if (serve !== null)
        return await fetchServed(options.net, {
          ...{ agent, call, serve },
          relay: ({ body = call.body, headers = [] }) =>
            toContainer(agent, {
              ...{ ...call, headers: { ...call.headers, ...Object.fromEntries(headers) } },
              ...(body === undefined ? {} : { body }),
            }),
        })
      return await reach(agent, call)
    },
    reach,
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
