/** State of every enabled agent, from what the runtimes say now. */
import { asPloinkyError, messageOf } from '../../core/error.ts'
import type { RouteEntry, Routing } from '../../config/documents.ts'
import { own, workloadName } from '../../core/id.ts'
import type { LastExit } from '../../core/last-exit.ts'
import type { RuntimeAdapter, RuntimeId, Workload } from '../../../runtimes/adapter.ts'
import type { Network } from '../../platform/index.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import { explainEnd } from './explain-end.ts'
import { effectiveProtocol, isAnswering } from './readiness.ts'
import type { Grant } from '../callers/index.ts'
import type { EnabledAgent } from './registry.ts'
import type { Runtimes } from './runtimes.ts'

export type AgentState =
  | 'stopped'
  | 'starting'
  | 'ready'
  | 'unready'
  | 'failed'
  /** Somebody paused its container. */
  | 'paused'
  /** Its engine cannot be asked. */
  | 'lost'

/** What the supervisor of a running router knows. */
export interface Supervision {
  /** Why the state is what it is; null when all is well. */
  readonly reason: string | null
  /** By the supervisor, since a person started it. */
  readonly restarts: number
  /** ISO 8601. */
  readonly nextRestartAt: string | null
  readonly lastExit: LastExit | null
  /** Of the manifest's probes: null when it has none. */
  readonly probes: Readonly<Record<'startup' | 'liveness' | 'readiness', 'waiting' | 'passing' | 'failing' | null>>
}

export interface AgentStatus {
  readonly name: string
  readonly ref: string
  readonly about: string
  readonly state: AgentState
  readonly runtime: RuntimeId | null
  readonly image: string | null
  readonly container: string | null
  readonly static: boolean
  /** Agents that its manifest asks for: they are started with it. */
  readonly needs: readonly string[]
  /** Ports of this host that lead into it. */
  readonly ports: readonly { readonly hostIp: string; readonly host: number; readonly container: number }[]
  /** What it may call of other agents, by its manifest and by grants of the workspace. */
  readonly calls: readonly { readonly agent: string; readonly tools: readonly string[] | null }[]
  /** Path on the router. */
  readonly mcpUrl: string | null
  readonly pageUrl: string | null
  readonly startedAt: string | null
  readonly lastError: { readonly code: string; readonly message: string; readonly hint?: string } | null
  /** Absent while no router runs. */
  readonly supervision?: Supervision
}

/** Seconds after its start during which an agent that does not answer yet counts as starting. */
const STARTING_SECONDS = 30

export interface StatusDeps {
  net: Network
  runtimes: Runtimes
  workspaceId: string
  load(agent: EnabledAgent): Promise<{ manifest: Manifest }>
}

export interface StatusInput {
  agents: readonly EnabledAgent[]
  grants: readonly Grant[]
  routing: Routing
}

type Found = ReadonlyMap<string, Workload>
type Place = { adapter: RuntimeAdapter; workloads: Found } | { error: unknown }

async function workloadsOf(deps: StatusDeps, agents: readonly EnabledAgent[]) {
  const ids = [...new Set(agents.flatMap((agent) => (agent.runtime === null ? [] : [agent.runtime])))]
  const found = new Map<RuntimeId, Place>()
  await Promise.all(
    ids.map(async (id) => {
      try {
        const adapter = await deps.runtimes.use(id)
        const list = await adapter.list({ workspace: deps.workspaceId })
        found.set(id, { adapter, workloads: new Map(list.map((item) => [item.name, item])) })
      } catch (error) {
        found.set(id, { error })
      }
    }),
  )
  return found
}

function answers(deps: StatusDeps, manifest: Manifest, route: RouteEntry): Promise<boolean> {
  const { protocol, path } = manifest.readiness
  return isAnswering({
    net: deps.net,
    protocol: effectiveProtocol(protocol, route.mcp),
    endpoint: { host: route.hostIp, port: route.hostPort },
    path,
    mcpPath: route.mcpPath,
  })
}

function stateOf(workload: Workload, isAnswering: boolean): AgentState {
  if (workload.state === 'paused') return 'paused'
  if (isAnswering) return 'ready'
  const age =
    workload.startedAt === null ? Number.POSITIVE_INFINITY : (Date.now() - Date.parse(workload.startedAt)) / 1000
  return age < STARTING_SECONDS ? 'starting' : 'unready'
}

function errorOf(error: unknown): AgentStatus['lastError'] {
  const { code, message, hint } = asPloinkyError(error)
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

interface Seen extends StatusInput {
  found: Awaited<ReturnType<typeof workloadsOf>>
}

/** As far as it is known: what runs nowhere would run its image. */
const runsImages = (place: Place | undefined): boolean =>
  place === undefined || 'error' in place || place.adapter.capabilities.images

async function statusOf(deps: StatusDeps, agent: EnabledAgent, seen: Seen): Promise<AgentStatus> {
  const { routing, found } = seen
  const base = {
    name: agent.name,
    ref: `${agent.repo}/${agent.agent}`,
    about: '',
    runtime: agent.runtime,
    image: null,
    container: null,
    static: routing.static === agent.name,
    calls: seen.grants
      .filter(({ caller }) => caller === agent.name)
      .map(({ agent: callee, tools }) => ({ agent: callee, tools })),
    needs: [],
    ports: [],
    mcpUrl: null,
    pageUrl: null,
    startedAt: null,
    lastError: null,
  }
  let manifest: Manifest
  try {
    manifest = (await deps.load(agent)).manifest
  } catch (error) {
    return { ...base, state: 'failed', lastError: errorOf(error) }
  }
  const place = agent.runtime === null ? undefined : found.get(agent.runtime)
  const common = {
    ...{ ...base, about: manifest.about, image: runsImages(place) ? manifest.image : null },
    needs: manifest.dependencies.map(({ ref, alias }) => alias ?? ref.split(/[/:]/).at(-1) ?? ref),
  }
  if (place === undefined) return { ...common, state: 'stopped' }
  if ('error' in place) return { ...common, state: 'lost', lastError: errorOf(place.error) }
  const name = workloadName(deps.workspaceId, agent.name)
  const workload = place.workloads.get(name)
  if (workload === undefined || workload.state === 'stopped' || workload.state === 'dead') {
    if (!agent.wanted) return { ...common, state: 'stopped' }
    const lastError = await explainEnd(place.adapter, agent.name, name).then(errorOf, (error: unknown) => ({
      code: 'AGENT_FAILED',
      message: messageOf(error),
    }))
    return { ...common, state: 'failed', lastError }
  }
  const route = own(routing.routes, agent.name)
  const reachable = route !== undefined && route.hostPort !== 0
  return {
    ...common,
    state: stateOf(workload, route !== undefined && (await answers(deps, manifest, route))),
    container: workload.name,
    startedAt: workload.startedAt,
    ports: workload.ports.map(({ hostIp, host, container }) => ({ hostIp, host, container })),
    mcpUrl: route === undefined || route.mcp === 'none' ? null : `/mcps/${agent.name}/mcp`,
    pageUrl: reachable && route.mcp === 'container' ? `/services/${agent.name}/` : null,
  }
}

export async function agentStatuses(deps: StatusDeps, input: StatusInput): Promise<AgentStatus[]> {
  const found = await workloadsOf(deps, input.agents)
  return await Promise.all(input.agents.map((agent) => statusOf(deps, agent, { ...input, found })))
}
