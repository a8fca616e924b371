/** Instances of enabled agents: start, stop, and the truth about their state, asked from the runtime. */
import type { WorkspacePaths } from '../../config/paths.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import { asPloinkyError, isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { workloadName } from '../../core/id.ts'
import { until } from '../../core/time.ts'
import type { ApplyOutcome, RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Dependencies } from '../dependencies/index.ts'
import { explainEnd } from './explain-end.ts'
import type { HookSteps } from './hook-steps.ts'
import { cliCommand } from './plan/command.ts'
import type { Plan } from './plan/workload.ts'
import type { Loaded, Planner, Prepared } from './planner.ts'
import { effectiveProtocol, isReady, PROBE_PACE } from './readiness.ts'
import type { EnabledAgent, Registry } from './registry.ts'
import type { RouteFinder } from './route-of.ts'
import type { RoutesWriter } from './routes-writer.ts'
import type { Runtimes } from './runtimes.ts'
import { mustSpeak } from './stdio-ready.ts'
import { prepareMountPoints, prepareVolumes } from './volumes.ts'

/** Probes between two looks at whether the instance still runs: a look costs a call to the engine. */
const LOOKS_BEFORE_INSPECT = 10

export interface InstanceDeps {
  platform: Platform
  paths: WorkspacePaths
  workspaceId: string
  readyTimeoutSeconds: number
  planner: Planner
  dependencies: Dependencies
  hooks: HookSteps
  /** Makes what the agent reaches the router by. */
  prepareCaller(agent: EnabledAgent): Promise<void>
  routeFinder: RouteFinder
  registry: Registry
  runtimes: Runtimes
  routes: RoutesWriter
  events: EventBus
}

export interface StartOptions {
  readonly adapter: RuntimeAdapter
  /** What is happening now, for a person. */
  readonly progress: (text: string) => void
  /** Called when the engine has been asked for the instance. */
  readonly underWay?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
  /** Read already, with its values. */
  readonly prepared?: Prepared | undefined
}

export interface StartOutcome {
  readonly agent: string
  readonly outcome: ApplyOutcome['outcome']
  readonly runtime: string
  readonly route: RouteEntry
  readonly warnings: readonly string[]
}

/** An instance that the engine runs; whether it is ready is not known yet. */
export interface Launched {
  readonly workload: Workload
  readonly outcome: ApplyOutcome['outcome']
  readonly route: RouteEntry
  readonly manifest: Manifest
  /** The registry knows where it runs. */
  readonly noted: Promise<void>
}

export interface Instances {
  /** Asks the engine for the instance, and does not wait until it is ready. Routes are left as they are. */
  launch(agent: EnabledAgent, options: StartOptions): Promise<Launched>
  /** Brings one agent up and waits until it is ready. */
  start(agent: EnabledAgent, options: StartOptions): Promise<StartOutcome>
  stop(agent: EnabledAgent, signal?: AbortSignal): Promise<boolean>
  remove(agent: EnabledAgent, signal?: AbortSignal): Promise<boolean>
  /** The running instance and its runtime, or AGENT_NOT_RUNNING. */
  running(agent: EnabledAgent): Promise<{ adapter: RuntimeAdapter; workload: Workload }>
  load(agent: EnabledAgent): Promise<Loaded>
  /** Runs the manifest's update command in the running instance. */
  update(agent: EnabledAgent, options: Pick<StartOptions, 'progress' | 'signal'>): Promise<void>
  /** argv of its interactive program. */
  cli(agent: EnabledAgent, args: readonly string[]): Promise<readonly string[]>
}

const callsOf = ({ calls }: Manifest) => calls.map(({ agent, tools }) => ({ agent, tools: tools && [...tools] }))

export function createInstances(deps: InstanceDeps): Instances {
  const nameOf = (agent: EnabledAgent): string => workloadName(deps.workspaceId, agent.name)

  async function launch(agent: EnabledAgent, startOptions: StartOptions): Promise<Launched> {
    const { adapter, progress, signal } = startOptions
    const options = signal === undefined ? {} : { signal }
    if (agent.runtime !== null && agent.runtime !== adapter.id) await leaveRuntime(agent, signal)
    const [loaded] = await Promise.all([
      startOptions.prepared ?? prepare(agent),
      makeFolders(agent),
      deps.prepareCaller(agent),
    ])
    const { workspaceId: workspace } = deps
    const { definition, manifest, image } = loaded
    const packages = { agent: agent.name, workspace, definition, image, adapter, progress, signal }
    const nodeModules = await deps.dependencies.prepare(packages)
    const plan = deps.planner.plan(loaded, adapter.capabilities, nodeModules)
    const steps = deps.hooks.of({ agent, loaded, plan, progress, signal })
    await steps.beforeCreation(() => adapter.inspect(plan.spec.name, options))
    await prepareVolumes({ fs: deps.platform.fs, root: deps.paths.root, agent: agent.name }, plan.mounts)
    if (adapter.capabilities.bindMounts) await prepareMountPoints(deps.platform.fs, plan.spec.mounts)
    progress('starting')
    const applying = applyWithImage(startOptions, plan)
    startOptions.underWay?.()
    const applied = await applying
    // Written while the agent gets ready.
    const noted = deps.registry.note(agent.name, { runtime: adapter.id, wanted: true, calls: callsOf(manifest) })
    noted.catch(() => {})
    try {
      await steps.afterCreation(adapter, applied)
    } catch (error) {
      // What a failed hook leaves behind is of no use, and would not be set up again.
      await undo(agent, adapter)
      throw error
    }
    const { workload, outcome } = applied
    const route = await deps.routeFinder.find({ adapter, plan, definition, manifest, workload }, options)
    return { workload, outcome, route, manifest, noted }
  }

  async function start(agent: EnabledAgent, startOptions: StartOptions): Promise<StartOutcome> {
    const { adapter, progress, signal } = startOptions
    const began = Date.now()
    const { outcome, route, manifest, noted } = await launch(agent, startOptions)
    progress('waiting until ready')
    await waitReady({ adapter, agent, manifest, route, signal })
    await Promise.all([deps.routes.set(agent.name, route), noted, deps.routeFinder.noted()])
    tellStarted(agent, { outcome, runtime: adapter.id, began })
    progress('ready')
    const warnings = manifest.warnings.map(({ path, message }) => `${path}: ${message}`)
    return { agent: agent.name, outcome, runtime: adapter.id, route, warnings }
  }

  async function undo(agent: EnabledAgent, adapter: RuntimeAdapter): Promise<void> {
    await adapter.remove(nameOf(agent))
    await Promise.all([
      deps.routes.remove([agent.name]),
      deps.registry.note(agent.name, { runtime: null, wanted: false }),
    ])
  }

  async function prepare(agent: EnabledAgent): Promise<Prepared> {
    const [prepared] = await deps.planner.prepare([{ agent, ...(await deps.planner.load(agent)) }])
    if (prepared === undefined) throw new PloinkyError('INTERNAL', `Agent "${agent.name}" was not prepared`)
    return prepared
  }

  /** What is mounted has to be there; engines would make it, as root. */
  async function makeFolders(agent: EnabledAgent): Promise<void> {
    const { fs } = deps.platform
    const { paths } = deps
    await Promise.all([fs.mkdir(paths.agentWork(agent.name)), fs.mkdir(paths.shared), fs.mkdir(paths.hidden)])
  }

  function tellStarted(agent: EnabledAgent, what: { outcome: string; runtime: string; began: number }): void {
    const { outcome, runtime, began } = what
    if (outcome !== 'unchanged')
      deps.events.emit({ type: 'agent.started', subject: agent.name, data: { outcome, runtime } })
    deps.events.emit({ type: 'agent.ready', subject: agent.name, data: { milliseconds: Date.now() - began } })
  }

  /** The agent ran elsewhere before: what it left there is ended, or it would run twice. */
  async function leaveRuntime(agent: EnabledAgent, signal?: AbortSignal): Promise<void> {
    if (agent.runtime === null) return
    const previous = await deps.runtimes.use(agent.runtime).catch(() => null)
    await previous?.remove(nameOf(agent), signal === undefined ? {} : { signal })
  }

  async function waitReady(wait: {
    adapter: RuntimeAdapter
    agent: EnabledAgent
    manifest: Manifest
    route: RouteEntry
    signal: AbortSignal | undefined
  }): Promise<void> {
    const { adapter, route, signal } = wait
    const name = route.container
    const { readiness } = wait.manifest
    const protocol = effectiveProtocol(readiness.protocol, route.mcp)
    const timeoutMs = (readiness.timeoutSeconds ?? deps.readyTimeoutSeconds) * 1000
    if (protocol === 'stdio') {
      const { mcp } = wait.manifest
      const argv = mcp.transport === 'stdio' ? mcp.argv : []
      return await mustSpeak({ adapter, agent: wait.agent.name, container: name, argv, timeoutMs, signal })
    }
    const port = readiness.port === null ? route.hostPort : ((await adapter.endpoint(name, readiness.port))?.port ?? 0)
    const endpoint = { host: route.hostIp, port }
    const probe = { net: deps.platform.net, protocol, endpoint, path: readiness.path, mcpPath: route.mcpPath, signal }
    let looks = 0
    const look = async (): Promise<true | null> => {
      looks += 1
      const ready = await isReady(probe)
      // An instance that ended will never be ready: said at once instead of at the deadline. Without a probe, running is all there is.
      const asks = ready ? protocol === 'none' : looks % LOOKS_BEFORE_INSPECT === 0
      if (asks && !(await stillRuns(adapter, name))) throw await explainEnd(adapter, wait.agent.name, name)
      return ready ? true : null
    }
    await until(look, {
      timeoutMs,
      ...PROBE_PACE,
      what: `agent "${wait.agent.name}" is not ready (${protocol} on port ${readiness.port ?? route.containerPort}); see: ploinky logs ${wait.agent.name}`,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  async function stillRuns(adapter: RuntimeAdapter, name: string): Promise<boolean> {
    const workload = await adapter.inspect(name)
    return workload !== null && (workload.state === 'running' || workload.state === 'created')
  }

  async function adapterOf(agent: EnabledAgent): Promise<RuntimeAdapter | null> {
    return agent.runtime === null ? null : await deps.runtimes.use(agent.runtime)
  }

  const running: Instances['running'] = async (agent) => {
    const adapter = await adapterOf(agent)
    const workload = (await adapter?.inspect(nameOf(agent))) ?? null
    if (adapter !== null && workload?.state === 'running') return { adapter, workload }
    throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent.name}" is not running`, {
      hint: `Run: ploinky start ${agent.name}`,
      details: { agent: agent.name, state: workload?.state ?? 'not created' },
    })
  }

  return {
    launch,
    start: async (agent, options) => {
      try {
        return await start(agent, options)
      } catch (error) {
        const failure = asPloinkyError(error)
        deps.events.emit({
          type: 'agent.failed',
          subject: agent.name,
          data: { code: failure.code, message: failure.message },
        })
        throw failure
      }
    },
    async stop(agent, signal) {
      const adapter = await adapterOf(agent)
      await Promise.all([deps.routes.remove([agent.name]), deps.registry.note(agent.name, { wanted: false })])
      const changed = (await adapter?.stop(nameOf(agent), signal === undefined ? {} : { signal })) ?? false
      if (changed) deps.events.emit({ type: 'agent.stopped', subject: agent.name })
      return changed
    },
    async remove(agent, signal) {
      const adapter = await adapterOf(agent)
      await deps.routes.remove([agent.name])
      const changed = (await adapter?.remove(nameOf(agent), signal === undefined ? {} : { signal })) ?? false
      await deps.registry.note(agent.name, { runtime: null, wanted: false })
      if (changed) deps.events.emit({ type: 'agent.removed', subject: agent.name })
      return changed
    },
    running,
    load: deps.planner.load,
    async update(agent, { progress, signal }) {
      const { adapter } = await running(agent)
      const loaded = await prepare(agent)
      const plan = deps.planner.plan(loaded, adapter.capabilities, null)
      await deps.hooks.of({ agent, loaded, plan, progress, signal }).update(adapter)
    },
    cli: async (agent, args) => cliCommand((await deps.planner.load(agent)).manifest, args),
  }
}

async function applyWithImage({ adapter, progress, signal }: StartOptions, plan: Plan): Promise<ApplyOutcome> {
  const options = signal === undefined ? {} : { signal }
  try {
    return await adapter.apply(plan.spec, options)
  } catch (error) {
    // Asking first would cost a call on every start; the image is nearly always here.
    if (plan.spec.image === null || !isPloinkyError(error) || error.code !== 'IMAGE_NOT_FOUND') throw error
  }
  progress(`pulling ${plan.spec.image}`)
  for await (const step of adapter.ensureImage(plan.spec.image, 'missing', options)) {
    const percent = step.fraction === null ? '' : ` ${Math.round(step.fraction * 100)} %`
    progress(`pulling ${plan.spec.image}${percent}: ${step.message}`)
  }
  return await adapter.apply(plan.spec, options)
}
