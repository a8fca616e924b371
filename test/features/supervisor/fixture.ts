/** A supervisor over the fake runtime: engine, files and network are made here, the time is turned by hand. */
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'
import { createFakeRuntime, createFakeWorld, type FakePrograms } from '../../../runtimes/fake/index.ts'
import { agentsDocument, routingDocument, supervisorDocument } from '../../../src/config/documents.ts'
import type { Health, RestartPolicy } from '../../../src/config/manifest/types.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { createEventBus, type PloinkyEvent } from '../../../src/core/events.ts'
import { own, workloadName } from '../../../src/core/id.ts'
import { silentLogger } from '../../../src/core/log.ts'
import { createMemoryStore, type Store } from '../../../src/core/store.ts'
import type { EnabledAgent, Launched } from '../../../src/features/agents/index.ts'
import { createRoutesWriter } from '../../../src/features/agents/routes-writer.ts'
import { DEFAULT_RESTART } from '../../../src/config/manifest/index.ts'
import { createSupervisor } from '../../../src/features/supervisor/index.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { specFor } from '../../helpers/runtime-spec.ts'
import { createManualClock } from './clock.ts'

const PLAIN = { mode: { kind: 'isolated' as const }, profile: null }
const WORKSPACE = '0a1b2c3d'
const IMAGE = 'fake.invalid/node:1'
const PORT = 7000
const platform = createPlatform()

export interface Options {
  readonly programs?: FakePrograms
  /** argv of an MCP server on standard streams, instead of an HTTP server. */
  readonly server?: readonly string[]
  readonly health?: Partial<Health>
  readonly restart?: RestartPolicy
  /** State of a workspace that a router served before. */
  readonly store?: Store
  readonly world?: ReturnType<typeof createFakeWorld>
  /** Makes written routes count for requests. */
  readonly routed?: () => Promise<void>
}

const unavailable = (): PloinkyError => new PloinkyError('RUNTIME_UNAVAILABLE', 'The engine is gone')

/** The adapter of an engine that can go away and come back. */
function createEngine(adapter: RuntimeAdapter) {
  let away: AbortController | null = new AbortController()
  const back = away
  let gone = back
  let isAway = false
  const checked =
    <A extends unknown[], R>(run: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (isAway) throw unavailable()
      return await run(...args)
    }
  const engine: RuntimeAdapter = {
    ...adapter,
    get capabilities() {
      return adapter.capabilities
    },
    list: checked(adapter.list),
    inspect: checked(adapter.inspect),
    apply: checked(adapter.apply),
    async *events(selector, options) {
      const cut = gone.signal
      const signal = AbortSignal.any([cut, ...(options?.signal ? [options.signal] : [])])
      yield* adapter.events(selector, { signal })
      if (cut.aborted) throw unavailable()
    },
  }
  away = null
  return {
    engine,
    use: async () => (isAway ? Promise.reject(unavailable()) : engine),
    leave(): void {
      isAway = true
      gone.abort()
    },
    comeBack(): void {
      isAway = false
      gone = new AbortController()
    },
  }
}

export async function createFixture(options: Options = {}) {
  const world = options.world ?? createFakeWorld([IMAGE])
  const clock = createManualClock()
  const store = options.store ?? createMemoryStore()
  const definition = createFakeRuntime({ world, ...(options.programs ? { programs: options.programs } : {}) })
  const { engine, ...power } = createEngine(definition.create({ platform, log: silentLogger, stateDir: '/nowhere' }))
  const events = createEventBus()
  const seen: PloinkyEvent[] = []
  events.on((event) => seen.push(event))
  const routes = createRoutesWriter(store)
  const list = async (): Promise<EnabledAgent[]> =>
    Object.entries((await store.read(agentsDocument)).agents).map(([name, record]) => ({ name, ...record }))
  const { server } = options
  const readiness = {
    protocol: server ? ('mcp' as const) : ('http' as const),
    port: null,
    path: '/',
    timeoutSeconds: null,
  }
  const health = { startup: null, liveness: null, readiness: null, ...options.health }
  const mcp = server ? { transport: 'stdio', argv: server } : { transport: 'http', port: null, path: '/mcp' }
  const manifest = { readiness, mcp, health, restart: options.restart ?? DEFAULT_RESTART }
  let locked: Promise<unknown> = Promise.resolve()
  let launches = 0
  let isBusy = false
  const exclusive = <T>(_what: string, run: () => Promise<T>): Promise<T> => {
    const mine = locked.then(() => {
      isBusy = true
      return run()
    })
    locked = mine.catch(() => {}).then(() => (isBusy = false))
    return mine
  }

  async function launch(agent: EnabledAgent): Promise<Launched> {
    const ports = [{ container: PORT, host: 0, hostIp: '127.0.0.1', protocol: 'tcp' as const }]
    const spec = specFor(WORKSPACE, { agent: agent.name, image: IMAGE, command: [agent.agent], ports })
    launches += 1
    const { workload, outcome } = await engine.apply(spec)
    const hostPort = workload.ports[0]?.host ?? 0
    const route = {
      ...{ container: spec.name, runtime: 'fake' as const, hostIp: '127.0.0.1', hostPort, containerPort: PORT },
      ...{ mcp: server ? ('stdio' as const) : ('container' as const), mcpPath: '/mcp', files: null },
    }
    return { workload, outcome, route, manifest: manifest as never, noted: Promise.resolve() }
  }

  const note = async (name: string, change: Record<string, unknown>): Promise<void> => {
    await store.update(agentsDocument, (current) => {
      const before = { repo: 'r', agent: name, enabledAt: '', runtime: 'fake' as const, wanted: true, ...PLAIN }
      const record = { ...before, ...own(current.agents, name), ...change }
      return { ...current, agents: { ...current.agents, [name]: record } }
    })
  }

  const supervisor = createSupervisor({
    ...{ store, routes, clock, events, exclusive, log: silentLogger, net: platform.net },
    workspaceId: WORKSPACE,
    readySeconds: 30,
    isBusy: async () => isBusy,
    registry: { list },
    runtimes: { use: power.use },
    instances: { launch, load: async () => ({ definition: {} as never, manifest: manifest as never }) },
  })
  const ended = new AbortController()
  const container = (name: string): string => workloadName(WORKSPACE, name)

  return {
    ...{ world, clock, store, supervisor, seen, engine, ...power, exclusive, container, note },
    launches: () => launches,
    run: () => supervisor.run(ended.signal, options.routed ?? (async () => {})),
    /** As `ploinky start` does it. */
    async start(name: string): Promise<void> {
      await exclusive('start', async () => {
        const record = { repo: 'r', agent: name, enabledAt: '', runtime: null, wanted: false, ...PLAIN }
        const { route } = await launch({ name, ...record })
        await note(name, { wanted: true })
        await routes.set(name, route)
      })
      await supervisor.look()
    },
    async stop(name: string): Promise<void> {
      await exclusive('stop', async () => {
        await store.update(routingDocument, (now) => ({ ...now, routes: {} }))
        await note(name, { wanted: false })
        await engine.stop(container(name))
      })
    },
    kill: (name: string): void => world.instances.get(container(name))?.main?.signal('SIGKILL'),
    state: (name: string): string | undefined => view(name)?.state,
    view,
    types: (name: string): string[] =>
      seen.filter(({ subject, type }) => subject === name && type.startsWith('agent.')).map(({ type }) => type),
    remembered: async (name: string) => own((await store.read(supervisorDocument)).agents, name),
    /** Lets things happen, a tenth of a second at a time, until it is so. */
    async until(what: string, check: () => boolean): Promise<void> {
      const deadline = Date.now() + 15_000
      while (!check()) {
        if (Date.now() > deadline) throw new Error(`in vain: ${what}; ${JSON.stringify(seen.slice(-5))}`)
        await clock.advance(100)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async close(): Promise<void> {
      ended.abort()
      for (const name of world.instances.keys()) await engine.remove(name)
    },
  }

  function view(name: string) {
    const base = { name, state: 'unknown', lastError: null } as never
    const status = supervisor.complete(base)
    return status.supervision === undefined ? null : { ...status, state: status.state, ...status.supervision }
  }
}
