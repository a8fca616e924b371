/** Programs started beside the instance, in its environment and folder. */
import { PloinkyError } from '../../src/core/error.ts'
import { mergeEnvironment } from './environment.ts'
import type { ProcessSpec } from '../../src/core/process.ts'
import type { MaybeSecret } from '../../src/core/secret.ts'
import type { CallOptions, ExecOptions, ExecSession } from '../adapter.ts'
import { environmentOf } from './lifecycle.ts'
import { EXEC_TAG, WORKLOAD_TAG, type Tag } from './processes.ts'
import type { HostRecord } from './record.ts'
import { isOwnUser } from './spec.ts'
import { readState, type HostContext } from './state.ts'

/** 128 + SIGKILL. */
const KILLED = 137
/** A program that is not there ends with 127 and says so on stderr, as in a container; the words are never read as text. */
const LAUNCHER = 'exec "$@"'

export const missing = (name: string): PloinkyError =>
  new PloinkyError('WORKLOAD_NOT_FOUND', `There is no instance "${name}"`, { hint: 'See what runs: ploinky status' })

export async function runningRecord(context: HostContext, name: string, options?: CallOptions): Promise<HostRecord> {
  if (options?.signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: program in "${name}"`)
  const record = await context.records.read(name)
  if (record === null) throw missing(name)
  if ((await readState(context, record)).state === 'running') return record
  throw new PloinkyError('AGENT_NOT_RUNNING', `"${name}" does not run`, {
    hint: `Start it: ploinky start ${record.agent}`,
  })
}

export interface Launch {
  readonly env: Readonly<Record<string, MaybeSecret>>
  readonly cwd: string
  readonly tag: Tag
}

/** Environment and folder of a program in the instance; it is found again by its tag. */
export async function launchOf(
  context: HostContext,
  record: HostRecord,
  options: { env?: Readonly<Record<string, MaybeSecret>>; cwd?: string },
): Promise<Launch> {
  const tag: Tag = { variable: EXEC_TAG, value: context.platform.hash.randomToken(12) }
  const own = await environmentOf(context, record)
  return {
    env: { ...own, ...options.env, [WORKLOAD_TAG]: record.name, [tag.variable]: tag.value },
    cwd: options.cwd ?? record.cwd,
    tag,
  }
}

const toSpec = (context: HostContext, argv: readonly string[], launch: Launch): ProcessSpec => ({
  file: '/bin/sh',
  args: ['-c', LAUNCHER, 'ploinky-exec', ...argv],
  cwd: launch.cwd,
  env: mergeEnvironment(context.platform.env, launch.env),
})

/** What ends with the adapter; the result forgets it again. */
export type Track = (end: () => Promise<void>) => () => void

interface Program {
  readonly argv: readonly string[]
  readonly launch: Launch
  readonly stdin?: ExecOptions['stdin']
  readonly signal?: AbortSignal | undefined
  /** Awaited between the end of the program and that of the session. */
  readonly ended?: () => Promise<void>
}

/** Starts a tagged program; a kill finds everything that carries its tag. */
export function launchProgram(
  context: HostContext,
  track: Track,
  { argv, launch, stdin, signal, ended: whenEnded }: Program,
): { readonly pid: number; readonly session: ExecSession } {
  const { platform, processes } = context
  const child = platform.processes.stream(toSpec(context, argv, launch), stdin === undefined ? {} : { stdin })
  let ended = false
  let killing: Promise<void> | undefined
  const kill = (): Promise<void> => {
    if (ended) return Promise.resolve()
    killing ??= processes
      .end(launch.tag, { politely: true, roots: child.pid > 1 ? [child.pid] : [] })
      .finally(() => child.kill('SIGKILL'))
    return killing
  }
  const onAbort = (): void => void kill().catch(() => {})
  const forget = track(kill)
  const over = async (): Promise<number> => {
    try {
      const code = await child.exit
      // Ended by us is never a success, whatever the program makes of it.
      return killing !== undefined && code === 0 ? KILLED : code
    } finally {
      ended = true
      forget()
      signal?.removeEventListener('abort', onAbort)
      await whenEnded?.()
    }
  }
  const exit = over()
  exit.catch(() => {})
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return { pid: child.pid, session: { stdout: child.stdout, stderr: child.stderr, exit, kill } }
}

export function createHostExec(context: HostContext, track: Track) {
  return async function exec(name: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecSession> {
    const { platform } = context
    const record = await runningRecord(context, name, options)
    if (options.user !== undefined && !isOwnUser(platform, options.user)) {
      throw new PloinkyError('CAPABILITY_UNSUPPORTED', `Plain processes run as "${platform.os.user}"`, {
        hint: 'Choose a container runtime to run programs as other users',
      })
    }
    const launch = await launchOf(context, record, options)
    return launchProgram(context, track, { argv, launch, stdin: options.stdin, signal: options.signal }).session
  }
}

/** The command that hands the caller's terminal or pipes over. */
export function createHostInteractive(context: HostContext) {
  return async function interactive(
    name: string,
    argv: readonly string[],
    options: { tty: boolean; env?: Readonly<Record<string, string>>; cwd?: string },
  ): Promise<ProcessSpec> {
    const record = await runningRecord(context, name)
    const { env } = context.platform
    const terminal: Record<string, string> = options.tty ? { TERM: env['TERM'] || 'xterm-256color' } : {}
    if (options.tty && env['COLORTERM']) terminal['COLORTERM'] = env['COLORTERM']
    const launch = await launchOf(context, record, { ...options, env: { ...terminal, ...options.env } })
    return toSpec(context, argv, launch)
  }
}
