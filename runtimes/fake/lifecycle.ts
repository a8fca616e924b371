/** apply, stop and remove: the same states and refusals as a container engine's. */
import { PloinkyError } from '../../src/core/error.ts'
import { canonicalJson } from '../../src/core/id.ts'
import { revealed } from '../../src/core/secret.ts'
import { delay } from '../../src/core/time.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { ApplyOptions, ApplyOutcome, JobSpec, RuntimeAdapter, WorkloadSpec } from '../adapter.ts'
import { imageNotFound } from './errors.ts'
import { service } from './programs.ts'
import { startProgram, type FakeProgram, type FakePrograms } from './program.ts'
import {
  createInstance,
  endInstance,
  imageIdOf,
  joinNetworks,
  removeUnusedNetworks,
  toWorkload,
  type FakeInstance,
  type FakeWorld,
} from './world.ts'

interface Parts {
  platform: Platform
  world: FakeWorld
  programs: FakePrograms
}

export const environmentOf = (spec: Pick<WorkloadSpec, 'env'>): Record<string, string> =>
  Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)]))

/** The program of a command line by its first word, without the folder. */
export function programOf(programs: FakePrograms, argv: readonly string[]): FakeProgram | null {
  const word = argv[0]?.split('/').at(-1) ?? ''
  return Object.hasOwn(programs, word) ? (programs[word] ?? null) : null
}

export function createFakeLifecycle(parts: Parts): Pick<RuntimeAdapter, 'apply' | 'stop' | 'remove'> {
  const { world } = parts
  /** One call after the other for each name. */
  function queued<T>(name: string, run: () => Promise<T>): Promise<T> {
    const mine = (world.queues.get(name) ?? Promise.resolve()).then(run)
    const settled = mine.catch(() => {})
    world.queues.set(name, settled)
    void settled.then(() => {
      if (world.queues.get(name) === settled) world.queues.delete(name)
    })
    return mine
  }

  async function stopNow(name: string, graceSeconds?: number): Promise<boolean> {
    const instance = world.instances.get(name)
    if (instance?.state !== 'running') return false
    const ended = whenEnded(instance)
    instance.main?.signal('SIGTERM')
    const timer = new AbortController()
    const grace = delay((graceSeconds ?? instance.spec.stopGraceSeconds) * 1000, timer.signal)
    const inTime = await Promise.race([
      ended.then(() => true),
      grace.then(
        () => false,
        () => true,
      ),
    ])
    timer.abort()
    if (!inTime) instance.main?.signal('SIGKILL')
    await ended
    return true
  }

  async function removeNow(name: string): Promise<boolean> {
    const instance = world.instances.get(name)
    if (instance === undefined) return false
    instance.main?.signal('SIGKILL')
    await whenEnded(instance)
    world.instances.delete(name)
    world.emit('removed', instance)
    return true
  }

  return {
    apply: async (spec, options) => {
      check(spec)
      return queued(spec.name, async () => {
        if (options?.signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: start of "${spec.name}"`)
        return applyNow(parts, spec, { ...options, remove: removeNow })
      })
    },
    stop: (name, options) => queued(name, () => stopNow(name, options?.graceSeconds)),
    remove: (name) =>
      queued(name, async () => {
        const workspace = world.instances.get(name)?.spec.workspace
        const removed = await removeNow(name)
        if (workspace !== undefined) removeUnusedNetworks(world, workspace)
        return removed
      }),
  }
}

/** Resolves when the instance's end has been recorded, not only when its program is over. */
const ends = new WeakMap<FakeInstance, Promise<void>>()
const whenEnded = (instance: FakeInstance): Promise<void> => ends.get(instance) ?? Promise.resolve()

export function check(spec: JobSpec): void {
  for (const [name, value] of Object.entries(spec.env)) {
    if (!revealed(value).includes('\0')) continue
    throw new PloinkyError('CONFIG_INVALID', `The value of environment variable "${name}" has a NUL byte`, {
      hint: `Change "${name}", then run: ploinky start ${spec.agent}`,
    })
  }
}

async function applyNow(
  parts: Parts,
  spec: WorkloadSpec,
  options: ApplyOptions & { remove: (name: string) => Promise<boolean> },
): Promise<ApplyOutcome> {
  const { world, platform } = parts
  const hash = platform.hash.sha256Hex(canonicalJson({ ...spec, env: environmentOf(spec) }))
  const existing = world.instances.get(spec.name)
  if (world.foreign.has(spec.name) || (existing && existing.spec.workspace !== spec.workspace)) {
    throw new PloinkyError('CONFLICT', `Container "${spec.name}" is not of this workspace`, {
      hint: `Remove or rename that container, then run: ploinky start ${spec.agent}`,
    })
  }
  if (spec.image === null || !world.images.has(spec.image)) throw imageNotFound(spec.image ?? '(none)')
  await checkMounts(platform, spec)
  const current = !options.checkImage || existing?.imageId === imageIdOf(world, spec.image)
  if (existing?.hash === hash && current) {
    if (existing.state === 'running') return { workload: toWorkload(existing), outcome: 'unchanged' }
    joinNetworks(world, spec)
    await start(parts, existing)
    return { workload: toWorkload(existing), outcome: 'started' }
  }
  const replaced = await options.remove(spec.name)
  joinNetworks(world, spec)
  const instance = createInstance(world, { spec, hash, id: platform.hash.randomToken(16) })
  await start(parts, instance)
  world.instances.set(spec.name, instance)
  removeUnusedNetworks(world, spec.workspace)
  return { workload: toWorkload(instance), outcome: replaced ? 'replaced' : 'created' }
}

export async function checkMounts(platform: Platform, spec: JobSpec): Promise<void> {
  for (const { source } of spec.mounts) {
    if ((await platform.fs.stat(source)) !== null) continue
    throw new PloinkyError('CONFIG_INVALID', `The folder to mount does not exist: "${source}"`, {
      hint: `Make it: mkdir -p "${source}"`,
    })
  }
}

async function start({ platform, programs, world }: Parts, instance: FakeInstance): Promise<void> {
  const { spec } = instance
  const inHost = spec.network.mode === 'host'
  instance.ports.length = 0
  try {
    for (const port of spec.ports) {
      // Without a program behind it a datagram port has nothing to answer with; it is listed and silent.
      if (port.protocol === 'udp') {
        instance.ports.push({ ...port, host: port.host || (await platform.net.freePort(port.hostIp)) })
        continue
      }
      const server = await platform.net.serve(
        inHost ? { host: '127.0.0.1', port: port.container } : { host: port.hostIp, port: port.host },
        {
          request: (request, response) => {
            const handler = instance.handlers.get(port.container)
            if (handler !== undefined) return handler(request, response)
            response.writeHead(503).end()
          },
          upgrade: (_request, socket) => socket.destroy(),
        },
      )
      instance.servers.push(server)
      instance.ports.push({ ...port, host: server.port, ...(inHost ? { hostIp: '127.0.0.1' } : {}) })
    }
  } catch (error) {
    await Promise.all(instance.servers.splice(0).map((server) => server.close(0)))
    throw error
  }
  const argv = [...(spec.entrypoint ?? []), ...(spec.command ?? [])]
  const ports = instance.ports.map(({ container, host }) => [`PLOINKY_PORT_${container}`, String(host)])
  instance.state = 'running'
  instance.exitCode = null
  instance.startedAt = new Date().toISOString()
  instance.finishedAt = null
  instance.log.reopen()
  const main = startProgram(programOf(programs, argv) ?? service, {
    argv,
    env: { ...environmentOf(spec), AGENT_NAME: spec.agent, ...Object.fromEntries(ports) },
    cwd: spec.workdir ?? '/',
    stdin: (async function* () {})(),
    files: instance.files,
    serve: (port, handler) => void instance.handlers.set(port, handler),
  })
  instance.main = main
  world.emit('started', instance)
  const logged = Promise.all(
    (['stdout', 'stderr'] as const).map(async (stream) => {
      for await (const chunk of main[stream]) instance.log.append(stream, chunk)
    }),
  )
  ends.set(
    instance,
    main.exit.then(async (code) => {
      await logged
      await endInstance(world, instance, code)
    }),
  )
}
