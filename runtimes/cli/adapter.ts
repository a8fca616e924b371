/** The adapter of an engine that is driven by a docker-like command line: everything together. */
import type { CallOptions, Detection, RuntimeAdapter, RuntimeCapabilities, RuntimeContext } from '../adapter.ts'
import { assertSupported } from '../supported.ts'
import { createApi, type EngineApi } from './api.ts'
import { createApply } from './apply.ts'
import { createContainers } from './containers.ts'
import type { Dialect, Engine, Probe } from './dialect.ts'
import { createEngine } from './engine.ts'
import { createEvents } from './events.ts'
import { createExec, createInteractive } from './exec.ts'
import { createFiles } from './files.ts'
import { createImageIdOf } from './image-id.ts'
import { createImages } from './images.ts'
import { createJobs } from './jobs.ts'
import { createLogs } from './logs.ts'
import { createNetworks } from './networks.ts'
import { createService } from './service.ts'
import { checkAborted } from './signals.ts'
import { createStats } from './stats.ts'
import { sweep } from './sweep.ts'
import { createTerminals } from './terminal.ts'

export function createCliAdapter(context: RuntimeContext, dialect: Dialect): RuntimeAdapter {
  const engine = createEngine(context, dialect)
  const state = createState(engine)
  const containers = createContainers(engine, state.api)
  const networks = createNetworks(engine, state.api)
  const apply = createApply(engine, { containers, networks, imageIdOf: createImageIdOf(engine, state.api) })
  const support = (): RuntimeCapabilities => state.probe()?.capabilities ?? dialect.assumed
  const { job, removeJobs } = createJobs(engine, { containers, networks, support })
  const exec = createExec(engine, containers, state.apiForConversation)
  const logs = createLogs(engine, containers)
  const stats = createStats(engine, containers, {
    api: state.api,
    measures: () => state.probe()?.capabilities.stats ?? true,
  })
  return {
    id: dialect.id,
    displayName: dialect.displayName,
    get capabilities() {
      return support()
    },
    detect: state.detect,
    ensureImage: createImages(engine),
    async apply(spec, options) {
      checkAborted(options?.signal)
      assertSupported(spec, { displayName: dialect.displayName, capabilities: support() })
      return apply(spec, options)
    },
    async job(spec, options) {
      checkAborted(options?.signal)
      assertSupported(spec, { displayName: dialect.displayName, capabilities: support() })
      return job(spec, options)
    },
    async sweep(workspace, options = {}) {
      const jobs = await removeJobs(workspace, options)
      return { jobs, networks: await networks.removeUnused(workspace, undefined, options) }
    },
    async inspect(name, options) {
      return (await containers.owned(name, options))?.workload ?? null
    },
    list: containers.list,
    stop: containers.stop,
    async remove(name, options) {
      const container = await containers.owned(name, options)
      const removed = container !== null && (await containers.removeFound(container, options))
      const left = container?.networks.filter((network) => network.startsWith('ploinky-')) ?? []
      if (container !== null && left.length > 0) {
        await networks.removeUnused(container.workload.workspace, left, options)
      }
      return removed
    },
    endpoint: containers.endpoint,
    logs,
    async exec(name, argv, options) {
      checkAborted(options?.signal)
      return exec(name, argv, options)
    },
    interactive: createInteractive(engine, containers),
    openTty: createTerminals(engine, containers, state.apiForConversation),
    files: createFiles(engine, { containers, exec, api: state.apiForConversation }),
    async endTerminal(name, tag, options) {
      const container = await containers.owned(name, options)
      if (container?.workload.state !== 'running') return
      await sweep(engine, { name: container.workload.id, tag, signal: 'HUP' })
    },
    events: createEvents(engine, state.api),
    stats,
    [Symbol.asyncDispose]: engine.dispose,
  }
}

/** By the engine's API, by an API that we can serve, or by a pseudo-terminal of the host. */
async function hasTerminal(engine: Engine, { socket }: Probe): Promise<boolean> {
  if (socket !== null || engine.dialect.serviceArgs('') !== null) return true
  return (await engine.platform.pty()) !== null
}

interface State {
  probe(): Probe | null
  /** The API of the engine, once `detect` has found it. */
  api(): EngineApi | null
  /** The API of the engine, or one that we serve for terminals and conversations of ours; null when neither can be had. */
  apiForConversation(): Promise<EngineApi | null>
  detect(options?: CallOptions): Promise<Detection>
}

function createState(engine: Engine): State {
  let probe: Probe | null = null
  let api: EngineApi | null = null
  const service = createService(engine)
  async function detect(options: CallOptions = {}): Promise<Detection> {
    const asked = await engine.dialect.probe(engine, options.signal)
    const found = { ...asked, capabilities: { ...asked.capabilities, tty: await hasTerminal(engine, asked) } }
    probe = found
    if (found.socket !== api?.socket) {
      api = found.socket === null ? null : createApi(engine.platform.net, found.socket)
    }
    return found.detection
  }
  return {
    probe: () => probe,
    api: () => api,
    detect,
    async apiForConversation() {
      if (probe === null) await detect()
      return api ?? service.open()
    },
  }
}
