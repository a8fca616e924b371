/**
 * The runtime without containers: each instance is a process group of this host, with its own ports and log files, that
 * outlives us. Nothing is isolated: programs run as the user who runs us and see the whole file system.
 */
import { PloinkyError } from '../../src/core/error.ts'
import type {
  CallOptions,
  Detection,
  RuntimeAdapter,
  RuntimeCapabilities,
  RuntimeContext,
  RuntimeDefinition,
} from '../adapter.ts'
import { assertSupported } from '../supported.ts'
import { watchHost } from './events.ts'
import { createHostExec, createHostInteractive, missing } from './exec.ts'
import { createHostJobs } from './jobs.ts'
import { createHostLifecycle } from './lifecycle.ts'
import { readLogs } from './logs.ts'
import { dialHost } from './ports.ts'
import { createHostProcesses } from './processes.ts'
import { createRecords } from './record.ts'
import { createHostStats } from './stats.ts'
import { toWorkload, type HostContext } from './state.ts'
import { canOpenTerminal, createHostTerminals } from './tty.ts'

export const hostRuntime: RuntimeDefinition = {
  id: 'host',
  displayName: 'Host processes',
  create: createHostAdapter,
}

const NOTES = [
  'No isolation: agents are plain processes that run as you and see your files',
  'Memory, cpu and process limits are not enforced',
]

function createHostAdapter({ platform, stateDir }: RuntimeContext): RuntimeAdapter {
  const disposed = new AbortController()
  const open = new Set<() => Promise<void>>()
  const track = (end: () => Promise<void>): (() => void) => {
    open.add(end)
    return () => void open.delete(end)
  }
  const until = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? disposed.signal : AbortSignal.any([signal, disposed.signal])

  // Looking at the system is asynchronous, making an adapter is not: the calls wait for it.
  const processes = createHostProcesses(platform)
  const context: HostContext = { platform, records: createRecords(platform.fs, stateDir), processes }
  const ready = processes.look
  const lifecycle = createHostLifecycle(context)
  const stats = createHostStats(context)
  const jobs = createHostJobs(context, track)
  let terminals = true

  const adapter: RuntimeAdapter = {
    id: 'host',
    displayName: hostRuntime.displayName,
    get capabilities() {
      return capabilitiesOf({ hasProc: processes.hasProc, tty: terminals, rootless: platform.os.uid !== 0 })
    },
    async detect() {
      await ready()
      terminals = await canOpenTerminal(context)
      return detect(context, terminals)
    },
    async *ensureImage(reference) {
      // There are no images; an agent's own files are what runs.
      yield { message: `No image needed: ${reference || 'plain processes'}`, fraction: 1, done: true }
      return { id: 'host', digest: null }
    },
    async apply(spec, options) {
      await ready()
      assertSupported(spec, adapter)
      return lifecycle.apply(spec, options)
    },
    async job(spec, options) {
      await ready()
      checkAborted(options)
      assertSupported(spec, adapter)
      return jobs.job(spec, options)
    },
    async sweep(workspace, options) {
      await ready()
      return { jobs: await jobs.removeJobs(workspace, options), networks: [] }
    },
    stop: (name, options) => ready().then(() => lifecycle.stop(name, options)),
    remove: (name, options) => ready().then(() => lifecycle.remove(name, options)),
    async inspect(name, options) {
      await ready()
      checkAborted(options)
      const record = await context.records.read(name)
      return record === null ? null : toWorkload(context, record)
    },
    async list({ workspace, agent }, options) {
      await ready()
      checkAborted(options)
      const names = await context.records.names()
      const records = await Promise.all(names.map((name) => context.records.read(name)))
      const ours = records.flatMap((record) =>
        record?.workspace === workspace && (agent === undefined || record.agent === agent) ? [record] : [],
      )
      return Promise.all(ours.map((record) => toWorkload(context, record)))
    },
    async endpoint(name, port) {
      const workload = await adapter.inspect(name)
      const matching = workload?.ports.filter(({ container }) => container === port) ?? []
      const found = matching.find(({ protocol }) => protocol === 'tcp') ?? matching[0]
      return found === undefined ? null : { host: dialHost(found.hostIp), port: found.host }
    },
    async *logs(name, options = {}) {
      await ready()
      const record = await context.records.read(name)
      if (record === null) throw missing(name)
      yield* readLogs({ context, record, options, ended: until(options.signal) })
    },
    exec: (name, argv, options) => ready().then(() => createHostExec(context, track)(name, argv, options)),
    interactive: (name, argv, options) => ready().then(() => createHostInteractive(context)(name, argv, options)),
    openTty: (name, argv, options) => ready().then(() => createHostTerminals(context, track)(name, argv, options)),
    events: (selector, options) => watchHost(context, selector, until(options?.signal)),
    stats: (name, options) => ready().then(() => stats(name, options?.signal)),
    async [Symbol.asyncDispose]() {
      disposed.abort()
      await Promise.allSettled([...open].map((end) => end()))
    },
  }
  return adapter
}

const checkAborted = (options: CallOptions | undefined): void => {
  if (options?.signal?.aborted) throw new PloinkyError('INTERRUPTED', 'Interrupted')
}

const capabilitiesOf = (facts: { hasProc: boolean; tty: boolean; rootless: boolean }): RuntimeCapabilities => ({
  images: false,
  isolation: false,
  tty: facts.tty,
  nativeEvents: false,
  stats: facts.hasProc,
  rootless: facts.rootless,
  limits: { memory: false, cpu: false, pids: false },
  api: false,
  hostGateway: '127.0.0.1',
  // A plain process is in the host's network: nothing can be taken away or given there.
  networks: { none: false, host: true, named: false },
  privileged: false,
})

async function detect({ platform, processes }: HostContext, terminals: boolean): Promise<Detection> {
  if ((await platform.fs.stat('/bin/sh').catch(() => null)) === null) {
    return {
      available: false,
      code: 'UNUSABLE',
      message: `Plain processes need a POSIX system with /bin/sh, and this is ${platform.os.platform}`,
      hint: 'Install Docker or podman, then run: ploinky doctor',
    }
  }
  const notes = [...NOTES]
  if (!processes.hasProc) {
    notes.push(
      'No /proc here: no statistics, and processes that leave their parent are not found when an agent is killed',
    )
  }
  if (!terminals) notes.push('No terminals: install the optional package "@lydell/node-pty"')
  return {
    available: true,
    version: platform.os.platform,
    endpoint: `this machine (${platform.os.hostname})`,
    rootless: platform.os.uid !== 0,
    notes,
  }
}
