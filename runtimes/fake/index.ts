/**
 * The runtime without an engine: instances live in the memory of this process, programs are functions.
 * For fast tests and for work on the pages (`npm run dev`); states, events, logs and HTTP ports are real, programs are not.
 */
import type { Selector } from '../adapter.ts'
import type {
  ImageInfo,
  ImagePolicy,
  ImageProgress,
  RuntimeAdapter,
  RuntimeCapabilities,
  RuntimeContext,
  RuntimeDefinition,
  RuntimeEvent,
} from '../adapter.ts'
import { assertSupported } from '../supported.ts'
import { imageNotFound, missing } from './errors.ts'
import { createFakeExec } from './exec.ts'
import { createFakeFiles } from './files.ts'
import { createFakeJobs } from './jobs.ts'
import { createFakeLifecycle } from './lifecycle.ts'
import { defaultPrograms } from './programs.ts'
import type { FakePrograms } from './program.ts'
import { createFakeWorld, imageIdOf, toWorkload, type FakeWorld } from './world.ts'

export type { FakeProcess, FakeProgram, FakePrograms } from './program.ts'
export { createFakeWorld, removeFromWorld, type FakeWorld } from './world.ts'

export interface FakeOptions {
  /** Shared by adapters that stand for several processes on one engine. */
  world?: FakeWorld
  /** Added to the built-in ones; a name replaces the built-in of that name. */
  programs?: FakePrograms
  /** Says whether an image that is not here could be pulled. All but names under `.invalid` by default. */
  canPull?: (reference: string) => boolean
}

const CAPABILITIES: RuntimeCapabilities = {
  images: true,
  isolation: false,
  bindMounts: true,
  tty: true,
  nativeEvents: true,
  stats: true,
  rootless: true,
  limits: { memory: false, cpu: false, pids: false },
  api: false,
  hostGateway: '127.0.0.1',
  networks: { none: true, host: true, named: true },
  privileged: true,
  gpus: true,
}

/** `.invalid` is reserved: nothing can be there (RFC 2606). */
const canPullByName = (reference: string): boolean => !/^[^/]*\.invalid(?::\d+)?\//.test(reference)

export function createFakeRuntime(options: FakeOptions = {}): RuntimeDefinition {
  const world = options.world ?? createFakeWorld()
  const programs = { ...defaultPrograms, ...options.programs }
  const canPull = options.canPull ?? canPullByName
  return {
    id: 'fake',
    displayName: 'Fake',
    create: (context) => createAdapter(context, { world, programs, canPull }),
  }
}

export const fakeRuntime: RuntimeDefinition = createFakeRuntime()

interface Parts {
  world: FakeWorld
  programs: FakePrograms
  canPull: (reference: string) => boolean
}

function createAdapter(context: RuntimeContext, { world, programs, canPull }: Parts): RuntimeAdapter {
  const disposed = new AbortController()
  const lifecycle = createFakeLifecycle({ platform: context.platform, world, programs })
  const jobs = createFakeJobs({ world, programs, platform: context.platform, disposed: disposed.signal })
  const exec = createFakeExec({ world, programs, platform: context.platform, disposed: disposed.signal })
  /** Ends with the caller's signal or with the adapter. */
  const until = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? disposed.signal : AbortSignal.any([signal, disposed.signal])

  return {
    id: 'fake',
    displayName: 'Fake',
    capabilities: CAPABILITIES,
    detect: async () => ({
      available: true,
      version: '1',
      endpoint: 'memory',
      rootless: true,
      notes: ['Nothing runs: agents are made up, and limits mean nothing'],
    }),
    ensureImage: (reference, policy) => ensureImage({ reference, policy, world, canPull }),
    ...lifecycle,
    async apply(spec, options) {
      assertSupported(spec, { displayName: 'Fake', capabilities: CAPABILITIES })
      return lifecycle.apply(spec, options)
    },
    async job(spec, options) {
      assertSupported(spec, { displayName: 'Fake', capabilities: CAPABILITIES })
      return jobs.job(spec, options)
    },
    sweep: jobs.sweep,
    inspect: async (name) => {
      const instance = world.instances.get(name)
      return instance === undefined ? null : toWorkload(instance)
    },
    list: async ({ workspace, agent }) =>
      [...world.instances.values()]
        .filter(({ spec }) => spec.workspace === workspace && (agent === undefined || spec.agent === agent))
        .map(toWorkload),
    endpoint: async (name, port) => {
      const workload = world.instances.get(name)
      const found = workload?.state === 'running' && workload.ports.find(({ container }) => container === port)
      return found ? { host: found.hostIp === '0.0.0.0' ? '127.0.0.1' : found.hostIp, port: found.host } : null
    },
    async *logs(name, options = {}) {
      const instance = world.instances.get(name)
      if (instance === undefined) throw missing(name)
      yield* instance.log.read(options, until(options.signal))
    },
    ...exec,
    files: createFakeFiles(world),
    // Nothing of it outlives the process that made it.
    endTerminal: async () => {},
    events: (selector, options) => watch(world, selector, until(options?.signal)),
    stats: async (name) => {
      const instance = world.instances.get(name)
      if (instance?.state !== 'running') return null
      const held = [...instance.files.values()].reduce((sum, text) => sum + text.length, instance.log.size)
      return { cpuPercent: 0, memoryBytes: held, pids: 1 + instance.executions.size }
    },
    async [Symbol.asyncDispose]() {
      disposed.abort()
    },
  }
}

async function* ensureImage(call: {
  reference: string
  policy: ImagePolicy
  world: FakeWorld
  canPull: (reference: string) => boolean
}): AsyncGenerator<ImageProgress, ImageInfo> {
  const { reference, policy, world, canPull } = call
  if (policy === 'always' || (policy === 'missing' && !world.images.has(reference))) {
    if (!canPull(reference)) throw imageNotFound(reference)
    yield { message: `Pulls ${reference}`, fraction: 0, done: false }
    world.images.add(reference)
  }
  if (!world.images.has(reference)) throw imageNotFound(reference)
  yield { message: `${reference} is here`, fraction: 1, done: true }
  return { id: imageIdOf(world, reference), digest: null }
}

/** Listens from the call on, not only from the first read: nothing between the two is missed. */
function watch(world: FakeWorld, selector: Selector, ended: AbortSignal): AsyncIterable<RuntimeEvent> {
  const queue: RuntimeEvent[] = []
  let wake = (): void => {}
  const unlisten = world.listen(selector, (event) => {
    queue.push(event)
    wake()
  })
  ended.addEventListener('abort', () => {
    unlisten()
    wake()
  })
  async function* read(): AsyncGenerator<RuntimeEvent> {
    try {
      while (!ended.aborted) {
        const event = queue.shift()
        if (event !== undefined) yield event
        else
          await new Promise<void>((resolve) => {
            wake = resolve
            if (ended.aborted) resolve()
          })
      }
    } finally {
      unlisten()
    }
  }
  return read()
}
