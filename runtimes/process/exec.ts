/** Programs started beside the instance, in its environment and folder. */
import { PloinkyError } from '../../src/core/error.ts'
import { mergeEnvironment } from './environment.ts'
import type { ProcessSpec } from '../../src/core/process.ts'
import type { CallOptions, ExecOptions, ExecSession } from '../adapter.ts'
import type { Environment, Program } from './kind.ts'
import { environmentOf } from './lifecycle.ts'
import { EXEC_TAG, WORKLOAD_TAG, type Tag } from './processes.ts'
import type { ProcessRecord } from './record.ts'
import { readPid, readState, type ProcessContext } from './state.ts'

export const missing = (name: string): PloinkyError =>
  new PloinkyError('WORKLOAD_NOT_FOUND', `There is no instance "${name}"`, { hint: 'See what runs: ploinky status' })

export async function runningRecord(
  context: ProcessContext,
  name: string,
  options?: CallOptions,
): Promise<ProcessRecord> {
  if (options?.signal?.aborted) throw new PloinkyError('INTERRUPTED', `Interrupted: program in "${name}"`)
  const record = await context.records.read(name)
  if (record === null) throw missing(name)
  if ((await readState(context, record)).state === 'running') return record
  throw new PloinkyError('AGENT_NOT_RUNNING', `"${name}" does not run`, {
    hint: `Start it: ploinky start ${record.agent}`,
  })
}

export interface Launch {
  /** As this host runs it. */
  readonly program: Program
  /** The program is found again by it. */
  readonly tag: Tag
}

/** A program in the instance: in its environment and folder unless told otherwise. */
export async function launchOf(
  context: ProcessContext,
  record: ProcessRecord,
  what: {
    argv: readonly string[]
    tty: boolean
    env?: Environment | undefined
    cwd?: string | undefined
    tag?: string | undefined
  },
): Promise<Launch> {
  const tag: Tag = { variable: EXEC_TAG, value: what.tag ?? context.platform.hash.randomToken(12) }
  const tags = { [WORKLOAD_TAG]: record.name, [tag.variable]: tag.value }
  const env = { ...(await environmentOf(context, record)), ...what.env, ...tags }
  const running = { record, pid: (await readPid(context, record.name)) ?? record.supervisor.pid }
  const program = { argv: what.argv, cwd: what.cwd ?? record.cwd, env }
  return { program: await context.kind.enter(running, program, { tty: what.tty, tag: tags }), tag }
}

/** 128 + SIGKILL. */
const KILLED = 137

const toSpec = (context: ProcessContext, { program }: Launch): ProcessSpec => {
  const [file = '', ...args] = program.argv
  return { file, args, cwd: program.cwd, env: mergeEnvironment(context.platform.env, program.env) }
}

/** What ends with the adapter; the result forgets it again. */
export type Track = (end: () => Promise<void>) => () => void

interface Start {
  readonly launch: Launch
  readonly stdin?: ExecOptions['stdin']
  readonly signal?: AbortSignal | undefined
  /** Awaited between the end of the program and that of the session. */
  readonly ended?: () => Promise<void>
}

/** Starts a tagged program; a kill finds everything that carries its tag. */
export function launchProgram(
  context: ProcessContext,
  track: Track,
  { launch, stdin, signal, ended: whenEnded }: Start,
): { readonly pid: number; readonly session: ExecSession } {
  const { platform, processes } = context
  const child = platform.processes.stream(toSpec(context, launch), stdin === undefined ? {} : { stdin })
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

export function createExec(context: ProcessContext, track: Track) {
  return async function exec(name: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecSession> {
    const { kind } = context
    const record = await runningRecord(context, name, options)
    if (options.user !== undefined && !kind.user.is(options.user)) {
      throw new PloinkyError('CAPABILITY_UNSUPPORTED', `Programs in "${name}" run as "${kind.user.name}"`, {
        hint: 'Choose a container runtime to run programs as other users',
      })
    }
    const launch = await launchOf(context, record, { argv, tty: false, env: options.env, cwd: options.cwd })
    return launchProgram(context, track, { launch, stdin: options.stdin, signal: options.signal }).session
  }
}

/** The command that hands the caller's terminal or pipes over. */
export function createInteractive(context: ProcessContext) {
  return async function interactive(
    name: string,
    argv: readonly string[],
    options: { tty: boolean; env?: Readonly<Record<string, string>>; cwd?: string },
  ): Promise<ProcessSpec> {
    const record = await runningRecord(context, name)
    const own = context.platform.env
    const terminal: Record<string, string> = options.tty ? { TERM: own['TERM'] || 'xterm-256color' } : {}
    if (options.tty && own['COLORTERM']) terminal['COLORTERM'] = own['COLORTERM']
    const env = { ...terminal, ...options.env }
    return toSpec(context, await launchOf(context, record, { argv, tty: options.tty, env, cwd: options.cwd }))
  }
}
