/** Supervision of all agents of a workspace, for as long as a router runs: what engines tell, care for each agent, views of it. */
import { agentsDocument, supervisorDocument } from '../../config/documents.ts'
import { createBatch } from '../../core/batch.ts'
import { messageOf, type PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own, workloadName } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import { sharedRead } from '../../core/shared-read.ts'
import type { Store } from '../../core/store.ts'
import type { Network } from '../../platform/index.ts'
import type { RuntimeAdapter, RuntimeEvent, RuntimeId, Workload } from '../../../runtimes/adapter.ts'
import type { AgentStatus, EnabledAgent, Instances, Registry, RoutesWriter, Runtimes } from '../agents/index.ts'
import { createCare } from './care.ts'
import { createChanges } from './changes.ts'
import { createCheck } from './check.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Following, followRuntime } from './follow.ts'
import { createTurns } from './turns.ts'
import type { Care, ChangeKind } from './types.ts'

export interface SupervisorOptions {
  readonly registry: Pick<Registry, 'list'>
  readonly instances: Pick<Instances, 'launch' | 'load'>
  readonly runtimes: Pick<Runtimes, 'use'>
  readonly routes: Pick<RoutesWriter, 'read' | 'set'>
  readonly store: Store
  readonly net: Network
  readonly workspaceId: string
  readonly readySeconds: number
  readonly events: EventBus
  readonly log: Logger
  readonly clock?: Clock
  /** One change at a time for a workspace, over all processes. */
  exclusive<T>(what: string, run: () => Promise<T>): Promise<T>
  /** Whether such a change is under way, anybody's. */
  isBusy(): Promise<boolean>
}

export interface Supervisor {
  /**
   * Until the signal aborts. Resolves when everything that is in use is followed. `routed`: makes written routes count for
   * requests; an agent is ready only after it.
   */
  run(signal: AbortSignal, routed: () => Promise<void>): Promise<void>
  /** Looks at everything now: somebody changed something. */
  look(): Promise<void>
  /** Why requests to an agent are refused; null when they are passed on. */
  refusal(agent: string): PloinkyError | null
  /** The status of an agent with what is known here. */
  complete(status: AgentStatus): AgentStatus
}

/** States in which what was seen over time counts more than one look. */
const OVERRULES: ReadonlySet<string> = new Set(['failed', 'unready', 'paused', 'lost', 'stopped'])

/** Until agents that could not be read are read again, ms. */
const AGAIN_MS = 5000

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { events, log, runtimes, instances } = options
  const clock = options.clock ?? systemClock
  const cares = new Map<string, Care>()
  const followed = new Map<RuntimeId, Following>()
  const turns = createTurns()
  const check = createCheck(options.net)
  const remember = createBatch(options.store, supervisorDocument)
  const readRoutes = sharedRead(() => options.routes.read())
  const readAgents = sharedRead(
    async () => new Map((await options.registry.list()).map((agent) => [agent.name, agent])),
  )
  const ended = new AbortController()
  const changes = createChanges({ clock, log, signal: ended.signal, exclusive: options.exclusive, perform })
  let routed = async (): Promise<void> => {}
  let remembered: Awaited<ReturnType<typeof readMemory>> = {}

  async function readMemory() {
    try {
      return (await options.store.read(supervisorDocument)).agents
    } catch (error) {
      // Counts that cannot be read must not keep a router from its work.
      log.warn('the counts of restarts begin anew', { error: messageOf(error) })
      return {}
    }
  }

  function careOf(name: string): Care {
    const known = cares.get(name)
    if (known !== undefined) return known
    const agentNow = async (): Promise<EnabledAgent> => {
      const agent = (await readAgents()).get(name)
      if (agent === undefined) throw new Error(`Agent "${name}" is not enabled any more`)
      return agent
    }
    const care = createCare({
      ...{ name, net: options.net, check, clock, events, readySeconds: options.readySeconds },
      remembered: own(remembered, name),
      load: async () => (await instances.load(await agentNow())).manifest,
      routeOf: async () => own((await readRoutes()).routes, name),
      publish: async (route) => {
        if ((await agentNow()).wanted) await options.routes.set(name, route)
        await routed()
      },
      isDisturbed: async () => !changes.isBusy() && (await options.isBusy()),
      request: (kind) => changes.request(name, kind),
      remember: (record) => {
        const written = remember(({ agents }) => {
          const { [name]: _old, ...others } = agents
          return { agents: record === null ? others : { ...others, [name]: record } }
        })
        written.catch((error: unknown) => log.warn('the counts of restarts are not kept', { error: messageOf(error) }))
      },
    })
    cares.set(name, care)
    return care
  }

  /** Brings the care for one agent up to date. `seen`: by a look that is newer than all turns of the agent. */
  async function syncNow(name: string, seen?: { workload: Workload | null }): Promise<void> {
    if (ended.signal.aborted) return
    const agent = (await readAgents()).get(name) ?? null
    const runtime = agent?.runtime ?? null
    if (agent === null || runtime === null) {
      await cares.get(name)?.sync({ agent: null, workload: null, adapter: undefined as never })
      if (agent === null) cares.delete(name)
      return
    }
    const care = careOf(name)
    try {
      const adapter = await runtimes.use(runtime)
      const workload =
        seen === undefined ? await adapter.inspect(workloadName(options.workspaceId, name)) : seen.workload
      await care.sync({ agent, workload, adapter })
    } catch (error) {
      if (ended.signal.aborted) return
      log.warn('agent not looked at', { agent: name, error: messageOf(error) })
      care.lose(messageOf(error))
    }
  }

  const sync = (name: string): Promise<void> => turns.take(name, () => syncNow(name))

  /** Under the workspace's lock. */
  async function perform(name: string, kind: ChangeKind): Promise<void> {
    await turns.take(name, async () => {
      await change(name, kind)
      await syncNow(name)
    })
  }

  async function change(name: string, kind: ChangeKind): Promise<void> {
    const agent = (await readAgents()).get(name)
    if (agent === undefined || agent.runtime === null || !agent.wanted) return
    const care = careOf(name)
    try {
      const adapter = await runtimes.use(agent.runtime)
      const workload = await adapter.inspect(workloadName(options.workspaceId, name))
      if (!care.needs(kind, workload)) return
      if (kind === 'adopt' && own((await readRoutes()).routes, name) !== undefined) return
      if (kind === 'recycle') await adapter.stop(workloadName(options.workspaceId, name), { signal: ended.signal })
      const launched = await instances.launch(agent, { adapter, progress: () => {}, signal: ended.signal })
      launched.noted.catch((error: unknown) => log.warn('agent not noted', { agent: name, error: messageOf(error) }))
      log.info('agent started again', { agent: name, kind, outcome: launched.outcome })
      care.launched(launched)
    } catch (error) {
      if (ended.signal.aborted) return
      log.warn('agent not started', { agent: name, kind, error: messageOf(error) })
      care.launchFailed(error)
    }
  }

  function onEvent(adapter: RuntimeAdapter, event: RuntimeEvent): void {
    void tell(adapter, event).catch((error: unknown) => log.warn('event not handled', { error: messageOf(error) }))
  }

  async function tell(adapter: RuntimeAdapter, event: RuntimeEvent): Promise<void> {
    const known = (await readAgents()).get(event.agent)
    if (known === undefined || event.name !== workloadName(options.workspaceId, event.agent)) return
    const data = { runtime: adapter.id, exitCode: event.exitCode }
    events.emit({ type: `instance.${event.type}`, subject: event.agent, data })
    // What it left at another runtime is no news of it.
    if (known.runtime === null || known.runtime === adapter.id) await sync(event.agent)
  }

  function follow(runtime: RuntimeId, signal: AbortSignal): void {
    if (followed.has(runtime)) return
    let before = new Map<string, number>()
    const agentsHere = async () => [...(await readAgents()).values()].filter((agent) => agent.runtime === runtime)
    const following = followRuntime(
      {
        workspaceId: options.workspaceId,
        log,
        open: () => runtimes.use(runtime),
        onEvent,
        beforeLook: () => (before = new Map([...cares.keys()].map((name) => [name, turns.count(name)]))),
        async onLook(_adapter, workloads) {
          const counts = before
          const found = new Map(workloads.map((workload) => [workload.name, workload]))
          const one = ({ name }: EnabledAgent): Promise<void> => {
            const isFresh = turns.count(name) === (counts.get(name) ?? 0)
            const seen = { workload: found.get(workloadName(options.workspaceId, name)) ?? null }
            return turns.take(name, () =>
              isFresh && turns.count(name) === (counts.get(name) ?? 0) + 1 ? syncNow(name, seen) : syncNow(name),
            )
          }
          await Promise.all((await agentsHere()).map(one))
        },
        onLost(reason) {
          log.warn('engine lost', { runtime, error: reason })
          const tellAll = async (): Promise<void> => {
            for (const { name } of await agentsHere()) cares.get(name)?.lose(reason)
          }
          tellAll().catch(() => {})
        },
      },
      signal,
    )
    followed.set(runtime, following)
  }

  /** Runtimes that came into use. Agents that cannot be read now are read again: they must not stay without care. */
  async function followAll(signal: AbortSignal): Promise<readonly string[]> {
    if (signal.aborted) return []
    try {
      const agents = await readAgents()
      for (const { runtime } of agents.values()) if (runtime !== null) follow(runtime, signal)
      return [...agents.keys()]
    } catch (error) {
      log.error('agents are not supervised', { error: messageOf(error), againInMs: AGAIN_MS })
      clock.after(AGAIN_MS, () => void readIntent(signal))
      return []
    }
  }

  /** Also agents that went, or whose intent changed. */
  async function readIntent(signal: AbortSignal): Promise<void> {
    const names = await followAll(signal)
    await Promise.all([...new Set([...names, ...cares.keys()])].map(sync)).catch((error: unknown) =>
      log.warn('agents not looked at', { error: messageOf(error) }),
    )
  }

  return {
    async run(signal, tellRouted) {
      routed = tellRouted
      const close = (): void => {
        ended.abort()
        for (const care of cares.values()) care.close()
      }
      if (signal.aborted) return close()
      signal.addEventListener('abort', close, { once: true })
      remembered = await readMemory()
      if (signal.aborted) return
      // Before the first read: agents are being started while a router begins.
      const off = options.store.watch(agentsDocument, () => void readIntent(signal))
      signal.addEventListener('abort', off, { once: true })
      await followAll(signal)
    },
    async look() {
      await Promise.all([...followed.values()].map((following) => following.look().catch(() => {})))
    },
    refusal: (agent) => cares.get(agent)?.refusal() ?? null,
    complete(status) {
      const view = cares.get(status.name)?.view() ?? null
      if (view === null) return status
      const { supervision } = view
      const overrules = OVERRULES.has(view.state) || cares.get(status.name)?.refusal() != null
      if (!overrules) return { ...status, supervision }
      const problem = {
        code: view.state === 'failed' ? 'AGENT_FAILED' : 'AGENT_NOT_READY',
        message: supervision.reason ?? view.state,
      }
      const lastError = status.lastError ?? (view.state === 'stopped' ? null : problem)
      return { ...status, state: view.state, lastError, supervision }
    },
  }
}
