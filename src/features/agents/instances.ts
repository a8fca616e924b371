/** Instances of enabled agents: start, stop, and the truth about their state, asked from the runtime. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { imagesDocument, type RouteEntry } from '../../config/documents.ts'
import type { Manifest } from '../../config/manifest.ts'
import { createBatch } from '../../core/batch.ts'
import { asPloinkyError, isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own, workloadName } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import { until } from '../../core/time.ts'
import type { ApplyOutcome, RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Catalog, Definition } from '../repos/index.ts'
import type { SecretStore } from '../secrets/index.ts'
import { explainEnd } from './explain-end.ts'
import { findNode, type Started } from './find-node.ts'
import { cliCommand, type Plan, planWorkload } from './plan.ts'
import { effectiveProtocol, isReady, PROBE_PACE } from './readiness.ts'
import type { EnabledAgent, Registry } from './registry.ts'
import type { RoutesWriter } from './routes-writer.ts'
import type { Runtimes } from './runtimes.ts'

/** Probes between two looks at whether the instance still runs: a look costs a call to the engine. */
const LOOKS_BEFORE_INSPECT = 10

export interface InstanceDeps {
  platform: Platform
  store: Store
  paths: WorkspacePaths
  workspaceId: string
  profile: string
  readyTimeoutSeconds: number
  catalog: Catalog
  registry: Registry
  runtimes: Runtimes
  routes: RoutesWriter
  secrets: SecretStore
  events: EventBus
}

export interface StartOptions {
  readonly adapter: RuntimeAdapter
  /** What is happening now, for a person. */
  readonly progress: (text: string) => void
  /** Called when the engine has been asked for the instance. */
  readonly underWay?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
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
  load(agent: EnabledAgent): Promise<{ definition: Definition; manifest: Manifest }>
  /** argv of its interactive program. */
  cli(agent: EnabledAgent, args: readonly string[]): Promise<readonly string[]>
}

export function createInstances(deps: InstanceDeps): Instances {
  const noteImage = createBatch(deps.store, imagesDocument)
  let imagesNoted: Promise<unknown> = Promise.resolve()
  const nameOf = (agent: EnabledAgent): string => workloadName(deps.workspaceId, agent.name)

  async function load(agent: EnabledAgent) {
    const definition = await deps.catalog.resolve(`${agent.repo}/${agent.agent}`)
    return { definition, manifest: await deps.catalog.manifest(definition, deps.profile) }
  }

  async function plan(
    agent: EnabledAgent,
    adapter: RuntimeAdapter,
  ): Promise<{ plan: Plan; manifest: Manifest; definition: Definition }> {
    const [{ definition, manifest }, secrets] = await Promise.all([
      load(agent),
      deps.secrets.all(),
      deps.platform.fs.mkdir(deps.paths.agentWork(agent.name)),
    ])
    const input = {
      agent: agent.name,
      definition,
      manifest,
      workspaceId: deps.workspaceId,
      paths: deps.paths,
      assetsDir: deps.platform.assetsDir,
      profile: deps.profile,
      capabilities: adapter.capabilities,
      secrets: withoutOwn(secrets),
      environment: deps.platform.env,
    }
    return { plan: planWorkload(input), manifest, definition }
  }

  async function launch(agent: EnabledAgent, startOptions: StartOptions): Promise<Launched> {
    const { adapter, progress, signal } = startOptions
    const options = signal === undefined ? {} : { signal }
    if (agent.runtime !== null && agent.runtime !== adapter.id) await leaveRuntime(agent, signal)
    const { plan: planned, manifest, definition } = await plan(agent, adapter)
    progress('starting')
    const applying = applyWithImage(startOptions, planned)
    startOptions.underWay?.()
    const applied = await applying
    // Written while the agent gets ready.
    const noted = deps.registry.note(agent.name, { runtime: adapter.id, wanted: true })
    noted.catch(() => {})
    const { workload, outcome } = applied
    const route = await routeOf({ adapter, planned, manifest, definition, workload }, options)
    return { workload, outcome, route, manifest, noted }
  }

  async function start(agent: EnabledAgent, startOptions: StartOptions): Promise<StartOutcome> {
    const { adapter, progress, signal } = startOptions
    const began = Date.now()
    const { outcome, route, manifest, noted } = await launch(agent, startOptions)
    progress('waiting until ready')
    await waitReady({ adapter, agent, manifest, route, signal })
    await Promise.all([deps.routes.set(agent.name, route), noted, imagesNoted])
    if (outcome !== 'unchanged') {
      deps.events.emit({
        type: 'agent.started',
        subject: agent.name,
        data: { outcome, runtime: adapter.id },
      })
    }
    deps.events.emit({ type: 'agent.ready', subject: agent.name, data: { milliseconds: Date.now() - began } })
    progress('ready')
    const warnings = manifest.warnings.map(({ path, message }) => `${path}: ${message}`)
    return { agent: agent.name, outcome, runtime: adapter.id, route, warnings }
  }

  /** The agent ran elsewhere before: what it left there is ended, or it would run twice. */
  async function leaveRuntime(agent: EnabledAgent, signal?: AbortSignal): Promise<void> {
    if (agent.runtime === null) return
    const previous = await deps.runtimes.use(agent.runtime).catch(() => null)
    await previous?.remove(nameOf(agent), signal === undefined ? {} : { signal })
  }

  async function routeOf(
    made: { adapter: RuntimeAdapter; planned: Plan; manifest: Manifest; definition: Definition; workload: Workload },
    options: { signal?: AbortSignal },
  ): Promise<RouteEntry> {
    const { adapter, planned, manifest, definition, workload } = made
    const at = endpointOf(adapter, workload, planned.primaryPort)
    const [endpoint, hasNode, files] = await Promise.all([
      at,
      planned.mcp === 'detect'
        ? at.then((found) => knowsNode({ adapter, workload, endpoint: found, ...options }))
        : true,
      staticFolder(definition),
    ])
    return {
      container: workload.name,
      runtime: adapter.id,
      hostIp: endpoint?.host ?? '127.0.0.1',
      hostPort: endpoint?.port ?? 0,
      containerPort: planned.primaryPort,
      mcp: hasNode
        ? manifest.readiness.protocol === 'mcp' || planned.mcp === 'detect'
          ? 'container'
          : await declaresMcp(definition)
        : 'exec',
      mcpPath: '/mcp',
      files,
    }
  }

  /** A program of its own (`start`) may serve MCP too; if the agent ships a tool configuration, its tools run through exec instead. */
  async function declaresMcp(definition: Definition): Promise<RouteEntry['mcp']> {
    const config = await deps.platform.fs.stat(join(definition.codeDir, 'mcp-config.json'))
    return config === null ? 'container' : 'exec'
  }

  async function staticFolder(definition: Definition): Promise<string | null> {
    const { fs } = deps.platform
    const folder = await fs.realPath(join(definition.codeDir, 'public'))
    // A link out of the agent's folder would publish files that are not its own.
    if (folder === null || !folder.startsWith(`${definition.dir}/`)) return definition.dir
    return (await fs.stat(folder))?.kind === 'directory' ? folder : definition.dir
  }

  /** Found out once; the answer is kept by image id. */
  async function knowsNode(started: Started): Promise<boolean> {
    const key = started.workload.imageId
    const known = key === null ? undefined : own((await deps.store.read(imagesDocument)).images, key)
    if (known !== undefined) return known.node
    const node = await findNode(deps.platform.net, started)
    if (key !== null && node !== null) {
      const noted = noteImage(({ images }) => ({ images: { ...images, [key]: { node } } }))
      imagesNoted = Promise.all([imagesNoted, noted])
      imagesNoted.catch(() => {})
    }
    // Nobody knows: then it is waited for, and an end is explained.
    return node ?? true
  }

  async function waitReady(wait: {
    adapter: RuntimeAdapter
    agent: EnabledAgent
    manifest: Manifest
    route: RouteEntry
    signal: AbortSignal | undefined
  }): Promise<void> {
    const { adapter, manifest, route, signal } = wait
    const name = route.container
    const { readiness } = manifest
    const protocol = effectiveProtocol(readiness.protocol, route.mcp)
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
      timeoutMs: (readiness.timeoutSeconds ?? deps.readyTimeoutSeconds) * 1000,
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
    async running(agent) {
      const adapter = await adapterOf(agent)
      const workload = (await adapter?.inspect(nameOf(agent))) ?? null
      if (adapter !== null && workload?.state === 'running') return { adapter, workload }
      throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent.name}" is not running`, {
        hint: `Run: ploinky start ${agent.name}`,
        details: { agent: agent.name, state: workload?.state ?? 'not created' },
      })
    },
    load,
    cli: async (agent, args) => cliCommand((await load(agent)).manifest, args),
  }
}

/** The workspace's own secrets are never given to an agent, not even by a wildcard. */
function withoutOwn<T>(secrets: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...secrets].filter(([name]) => !name.startsWith('PLOINKY_')))
}

async function endpointOf(adapter: RuntimeAdapter, workload: Workload, port: number) {
  const known = workload.ports.find((item) => item.container === port && item.protocol === 'tcp' && item.host !== 0)
  return known === undefined ? await adapter.endpoint(workload.name, port) : { host: known.hostIp, port: known.host }
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
