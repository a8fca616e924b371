/**
 * What the runtimes without an engine share: each instance is a process group of this host, with its own ports and log
 * files, that outlives us. A kind says how its program is dressed.
 */
import { PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, InstanceFiles, RuntimeAdapter, RuntimeContext } from '../adapter.ts'
import { assertSupported } from '../supported.ts'
import { watchProcesses } from './events.ts'
import { createExec, createInteractive, missing } from './exec.ts'
import { createFiles } from './files.ts'
import { createJobs } from './jobs.ts'
import type { CreateKind } from './kind.ts'
import { createProcessLifecycle } from './lifecycle.ts'
import { readLogs } from './logs.ts'
import { dialHost } from './ports.ts'
import { createProcessTable, EXEC_TAG } from './processes.ts'
import { createRecords } from './record.ts'
import { createProcessStats } from './stats.ts'
import { toWorkload, type ProcessContext } from './state.ts'
import { canOpenTerminal, createTerminals } from './tty.ts'

export function createProcessAdapter({ platform, stateDir }: RuntimeContext, createKind: CreateKind): RuntimeAdapter {
  const disposed = new AbortController()
  const open = new Set<() => Promise<void>>()
  const track = (end: () => Promise<void>): (() => void) => {
    open.add(end)
    return () => void open.delete(end)
  }
  const until = (signal?: AbortSignal): AbortSignal =>
    signal === undefined ? disposed.signal : AbortSignal.any([signal, disposed.signal])

  // Looking at the system is asynchronous, making an adapter is not: the calls wait for it.
  const processes = createProcessTable(platform)
  const kind = createKind(platform, processes)
  const context: ProcessContext = { platform, records: createRecords(platform.fs, stateDir), processes, kind }
  const ready = processes.look
  const lifecycle = createProcessLifecycle(context)
  const stats = createProcessStats(context)
  const jobs = createJobs(context, track)
  let terminals = true
  let files: InstanceFiles | undefined
  const facts = () => ({ hasProc: processes.hasProc, terminals })

  const adapter: RuntimeAdapter = {
    id: kind.id,
    displayName: kind.displayName,
    get capabilities() {
      return kind.capabilities(facts())
    },
    async detect() {
      await ready()
      terminals = (await canOpenTerminal(context)) && (await kind.hasTerminals())
      return kind.detect(facts())
    },
    async *ensureImage(reference) {
      // There are no images; an agent's own files are what runs.
      yield { message: `No image needed: ${reference || 'plain processes'}`, fraction: 1, done: true }
      return { id: kind.id, digest: null }
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
    exec: (name, argv, options) => ready().then(() => createExec(context, track)(name, argv, options)),
    interactive: (name, argv, options) => ready().then(() => createInteractive(context)(name, argv, options)),
    openTty: (name, argv, options) => ready().then(() => createTerminals(context, track)(name, argv, options)),
    get files() {
      return (files ??= createFiles(context, adapter))
    },
    async endTerminal(_name, tag) {
      await ready()
      await processes.end({ variable: EXEC_TAG, value: tag }, { politely: true })
    },
    events: (selector, options) => watchProcesses(context, selector, until(options?.signal)),
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
