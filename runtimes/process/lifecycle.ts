/** apply, stop and remove of plain processes. */
import { join } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import { Secret, type MaybeSecret } from '../../src/core/secret.ts'
import { until } from '../../src/core/time.ts'
import type { ApplyOutcome, CallOptions, PortSpec, WorkloadSpec } from '../adapter.ts'
import { specHash } from './hash.ts'
import type { Program } from './kind.ts'
import { allocatePorts, reachablePorts } from './ports.ts'
import { WORKLOAD_TAG, type Tag } from './processes.ts'
import { RECORD_VERSION, type ProcessRecord } from './record.ts'
import { readPid, readState, toWorkload, type ProcessContext } from './state.ts'
import { MAX_LOG_BYTES, SUPERVISOR } from './supervisor.ts'

/** Another process of ours may be stopping the same instance, for as long as its grace lasts. */
const LOCK_WAIT_MS = 15 * 60_000
const STARTED_MS = 30_000
/** From the kill to the supervisor's record of it. */
const RECORDED_MS = 5_000
const KILLED = 137

const tagOf = (name: string): Tag => ({ variable: WORKLOAD_TAG, value: name })

const checkAborted = (options: CallOptions | undefined, what: string): void => {
  if (options?.signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: ${what}`)
}

export interface ProcessLifecycle {
  apply(spec: WorkloadSpec, options?: CallOptions): Promise<ApplyOutcome>
  stop(name: string, options?: CallOptions & { graceSeconds?: number }): Promise<boolean>
  remove(name: string, options?: CallOptions): Promise<boolean>
}

export function createProcessLifecycle(context: ProcessContext): ProcessLifecycle {
  const { platform, records, kind } = context
  const locked = <T>(name: string, what: string, run: () => Promise<T>): Promise<T> =>
    platform.lock(records.lockPath(name), { waitMs: LOCK_WAIT_MS, what: `${what} "${name}"` }, run)

  return {
    async apply(spec, options) {
      checkAborted(options, `start of "${spec.name}"`)
      await kind.check(spec)
      return locked(spec.name, 'starts', async () => {
        checkAborted(options, `start of "${spec.name}"`)
        return apply(context, spec, options)
      })
    },
    async stop(name, options) {
      // Without a record there is nothing to lock, and a name that could be a path never gets further.
      if ((await records.read(name)) === null) return false
      return locked(name, 'stops', async () => {
        const record = await records.read(name)
        if (record === null) return false
        return stop(context, record, { ...options, graceSeconds: options?.graceSeconds ?? record.stopGraceSeconds })
      })
    },
    async remove(name) {
      if ((await records.read(name)) === null) return false
      return locked(name, 'removes', async () => {
        const record = await records.read(name)
        if (record === null) return false
        await kill(context, record)
        await records.remove(name)
        return true
      })
    },
  }
}

async function apply(context: ProcessContext, spec: WorkloadSpec, options?: CallOptions): Promise<ApplyOutcome> {
  const { platform, records, kind } = context
  const hash = specHash(platform, kind.format, spec)
  const existing = await records.read(spec.name)
  if (existing !== null && (existing.workspace !== spec.workspace || existing.agent !== spec.agent)) {
    throw new PloinkyError('CONFLICT', `"${spec.name}" belongs to agent "${existing.agent}" of another workspace`, {
      hint: 'Rename the agent in one of the two workspaces: ploinky enable agent <agent> --as <name>',
    })
  }
  const same = existing?.spec === hash
  if (existing !== null && same && (await readState(context, existing)).state === 'running') {
    return { workload: await toWorkload(context, existing), outcome: 'unchanged' }
  }
  const before = existing?.ports ?? []
  // Checked before the stop: a typing error must not cost a running agent. Its own ports are free in a moment.
  await kind.checkCommand(spec, kind.command(spec, before))
  if (existing !== null) {
    const foreign = reachablePorts(spec).filter(({ host }) => host !== 0 && before.every((own) => own.host !== host))
    await portsOf(context, { name: spec.name, ports: foreign }, [])
    await stop(context, existing, { ...options, graceSeconds: existing.stopGraceSeconds })
    if (!same) await records.remove(spec.name)
  }
  const ports = await portsOf(context, { name: spec.name, ports: reachablePorts(spec) }, before)
  const created = same ? existing.created : platform.hash.randomToken(9)
  const record = await start(context, { spec, hash, created, ports })
  return {
    workload: await toWorkload(context, record),
    outcome: existing === null ? 'created' : same ? 'started' : 'replaced',
  }
}

/** Ports of stopped instances stay theirs too, as long as there are others. */
async function portsOf(
  { platform, records }: ProcessContext,
  { name: own, ports }: Pick<WorkloadSpec, 'name' | 'ports'>,
  before: readonly PortSpec[],
): Promise<PortSpec[]> {
  const others = (await records.names()).filter((name) => name !== own)
  const theirs = await Promise.all(others.map((name) => records.read(name).catch(() => null)))
  const taken = new Set(theirs.flatMap((record) => record?.ports ?? []).map(({ host }) => host))
  return allocatePorts(platform, ports, { before, taken })
}

interface Start {
  readonly spec: WorkloadSpec
  readonly hash: string
  readonly created: string
  readonly ports: readonly PortSpec[]
}

async function start(context: ProcessContext, { spec, hash, created, ports }: Start): Promise<ProcessRecord> {
  const { platform, records, processes, kind } = context
  const { fs } = platform
  const { folder, pid, exit, log } = records.paths(spec.name)
  // What an earlier run left, or a process of ours that died between start and record.
  await processes.end(tagOf(spec.name), { politely: false })
  await fs.mkdir(log, { mode: 0o700 })
  await fs.chmod(folder, 0o700)
  await fs.remove(exit)
  await fs.remove(pid)
  const command = kind.command(spec, ports)
  const program = await kind.launch(spec, command, { folder, ourSession: false })
  const startedAt = new Date().toISOString()
  const child = await platform.processes.detach(
    {
      file: '/bin/sh',
      args: ['-c', SUPERVISOR, kind.supervisor, folder, spec.name, ...program.argv],
      cwd: program.cwd,
      env: program.env,
    },
    { stdout: join(log, 'stdout.log'), stderr: join(log, 'stderr.log') },
  )
  const record: ProcessRecord = {
    version: RECORD_VERSION,
    name: spec.name,
    workspace: spec.workspace,
    agent: spec.agent,
    spec: hash,
    created,
    run: platform.hash.randomToken(9),
    startedAt,
    cwd: command.cwd,
    ...withoutSecrets(command, processes.hasProc),
    labels: spec.labels,
    ports: [...ports],
    stopGraceSeconds: spec.stopGraceSeconds,
    mounts: [...spec.mounts],
    supervisor: { pid: child.pid, since: await processes.since(child.pid) },
  }
  await records.write(record)
  const started = async (): Promise<true | null> => {
    const running = await readPid(context, spec.name)
    if (running !== null && (await kind.isUp(running))) return true
    return (await readState(context, record)).state === 'running' ? null : true
  }
  await until(started, { timeoutMs: STARTED_MS, intervalMs: 2, what: `the start of "${spec.name}"` })
  if ((await readState(context, record)).state !== 'running') await checkStarted(context, record)
  return record
}

/** A program that has ended is a fact; one that never began is an error, and leaves nothing. */
async function checkStarted({ platform, records, kind }: ProcessContext, record: ProcessRecord): Promise<void> {
  const { log } = records.paths(record.name)
  const options = { maxBytes: MAX_LOG_BYTES }
  const stderr = await platform.fs.readText(join(log, 'stderr.log'), options).catch(() => null)
  const reason = kind.explain(stderr ?? '')
  if (reason === null) return
  await records.remove(record.name)
  throw new PloinkyError('RUNTIME_FAILED', `${kind.displayName}: "${record.agent}" cannot be started: ${reason}`, {
    hint: `Look at the manifest's volumes and at: ploinky doctor, then run: ploinky start ${record.agent}`,
    details: { agent: record.agent },
  })
}

/**
 * Secrets are not written down where the system can be asked for the environment of the running supervisor. Elsewhere they
 * are needed for `exec`, and the record is readable by its owner alone.
 */
function withoutSecrets({ env }: Program, hasProc: boolean): Pick<ProcessRecord, 'env' | 'secrets'> {
  const kept: Record<string, string> = {}
  const secrets: string[] = []
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string') kept[name] = value
    else if (!hasProc) kept[name] = value.reveal()
    if (value instanceof Secret) secrets.push(name)
  }
  return { env: kept, secrets }
}

/** Environment of the instance for programs that are started in it. */
export async function environmentOf(
  { processes, kind }: ProcessContext,
  record: ProcessRecord,
): Promise<Record<string, MaybeSecret>> {
  if (record.secrets.length === 0) return { ...record.env }
  const running = kind.environment((await processes.environment(record.supervisor.pid)) ?? {})
  const secrets = record.secrets.flatMap((name) => {
    const value = running[name] ?? record.env[name]
    return value === undefined ? [] : [[name, new Secret(value)] as const]
  })
  return { ...record.env, ...Object.fromEntries(secrets) }
}

async function stop(
  context: ProcessContext,
  record: ProcessRecord,
  { graceSeconds, signal }: { graceSeconds: number; signal?: AbortSignal },
): Promise<boolean> {
  if ((await readState(context, record)).state !== 'running') {
    // A supervisor that was killed leaves its program behind.
    await context.processes.end(tagOf(record.name), { politely: false })
    return false
  }
  // Taken now: when its parent has ended, nothing tells any more whose child a program was that cleared its environment.
  const family = await namedFamily(context, record)
  await context.kind.terminate({ record, pid: (await readPid(context, record.name)) ?? record.supervisor.pid })
  const ended = async (): Promise<true | null> => ((await readState(context, record)).state === 'running' ? null : true)
  const wait = { timeoutMs: graceSeconds * 1000, what: `the end of "${record.name}"`, ...(signal ? { signal } : {}) }
  const inTime = await until(ended, wait).catch((error: unknown) => {
    if (signal?.aborted)
      throw new PloinkyError('INTERRUPTED', `Interrupted: stop of "${record.name}"`, { cause: error })
    return null
  })
  if (inTime === null) await kill(context, record)
  // What left the process group, with a session of its own, is still there.
  const left = await Promise.all(family.map(async (item) => ((await context.processes.isSame(item)) ? [item.pid] : [])))
  await context.processes.end(tagOf(record.name), { politely: false, roots: left.flat() })
  return true
}

/** Process ids together with what tells them from later owners of the same number. */
async function namedFamily(
  { processes }: ProcessContext,
  record: ProcessRecord,
): Promise<{ pid: number; since: string | null }[]> {
  const pids = await processes.family(tagOf(record.name))
  const named = await Promise.all(pids.map(async (pid) => ({ pid, since: await processes.since(pid) })))
  return named.filter(({ since }) => since !== null)
}

/** SIGKILL to everything; the supervisor outlives it for a moment to write the exit code down. */
async function kill(context: ProcessContext, record: ProcessRecord): Promise<void> {
  const { platform, records, processes } = context
  const ended = async (): Promise<true | null> => ((await readState(context, record)).state === 'running' ? null : true)
  const running = (await ended()) === null
  const pid = running ? await readPid(context, record.name) : null
  await processes.end(tagOf(record.name), { politely: false, roots: pid === null ? [] : [pid] })
  if (!running) return
  const recorded = await until(ended, { timeoutMs: RECORDED_MS, what: record.name }).catch(() => null)
  if (recorded !== null) return
  platform.processes.signal(record.supervisor.pid, 'SIGKILL', { group: true })
  await platform.fs.writeAtomic(records.paths(record.name).exit, `${KILLED}\n`, { mode: 0o600 })
}
