/** Programs started in a running container: streams, exit code and a kill that reaches inside. */
import type { ProcessSpec, RunningProcess } from '../../src/core/process.ts'
import { delay } from '../../src/core/time.ts'
import type { ExecOptions, ExecSession } from '../adapter.ts'
import { bufferBytes } from './bytes.ts'
import type { Containers } from './containers.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import type { Container } from './parse.ts'
import { planEnvironment } from './environment.ts'
import { startOverApi } from './exec-api.ts'
import { execArgs } from './oci.ts'
import { sweep, TAG } from './sweep.ts'

/** The end of stderr, where an engine's own message stands. */
const TAIL_CHARACTERS = 2048

/**
 * How an engine speaks of its own failure while an exec runs. Its exit codes (1, 125, 255) are possible codes of a
 * program too, so the words decide. 126 and 127 (not executable, not found) are data: a shell would say the same.
 */
const ENGINE_CODES = new Set([1, 125, 255])
const ENGINE_MESSAGE =
  /^(?:Error response from daemon: |Cannot connect to the Docker daemon|error during connect: |Error: .*(?:container state improper|no container with name or ID|no such container|exec session|connect to Podman))/m
export const isEngineFailure = (code: number, tail: string): boolean =>
  ENGINE_CODES.has(code) && ENGINE_MESSAGE.test(tail)
/** After everything inside was ended, the CLI ends by itself; this is for one that does not. */
const CLI_END_MS = 2000
/** For the end of stderr to arrive after the exit code; a reader that holds it back is not waited for. */
const LAST_WORDS_MS = 1000
/** 128 + SIGKILL. */
const KILLED = 137

/** Runs a program and reads what it left of its input. */
const READ_ALL = '"$@"; code=$?; cat >/dev/null; exit "$code"'

/** argv whose input is read to its end by somebody; input without an end, and images without a shell, stay as they are. */
function createInputGuard(engine: Engine) {
  const shells = new Map<string, Promise<boolean>>()
  const hasShell = async (id: string): Promise<boolean> =>
    (await engine.call(['exec', '--', id, 'sh', '-c', 'command -v cat'])).exitCode === 0
  return async (
    { id, workload }: Container,
    argv: readonly string[],
    stdin: ExecOptions['stdin'],
  ): Promise<readonly string[]> => {
    const isFinite = typeof stdin === 'string' || stdin instanceof Uint8Array
    if (!isFinite || !engine.dialect.losesOutputOfUnreadInput) return argv
    const image = workload.imageId ?? id
    const found = shells.get(image) ?? hasShell(id)
    shells.set(image, found)
    return (await found) ? ['sh', '-c', READ_ALL, 'sh', ...argv] : argv
  }
}

/** A stream without an end is a conversation. */
const isConversation = (stdin: ExecOptions['stdin']): stdin is AsyncIterable<Uint8Array> =>
  typeof stdin === 'object' && Symbol.asyncIterator in stdin

/** `api`: the engine's, where conversations may go over it. */
export function createExec(engine: Engine, containers: Containers, api: () => Promise<EngineApi | null>) {
  const guarded = createInputGuard(engine)

  /** Null: not over the API; then the command line does it, and explains what is wrong. */
  async function converse(
    containerId: string,
    argv: readonly string[],
    { env = {}, stdin, cwd, user }: ExecOptions & { stdin: AsyncIterable<Uint8Array> },
  ): Promise<RunningProcess | null> {
    const socket = await api()
    if (socket === null) return null
    try {
      return await startOverApi(engine, socket, { containerId, argv, env, stdin, cwd, user })
    } catch (error) {
      engine.log.debug('no program over the API, trying the CLI', { error })
      return null
    }
  }

  return async function exec(name: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecSession> {
    const container = await containers.running(name, options)
    const tag = engine.platform.hash.randomToken(12)
    const supervised = {
      kill: () => sweep(engine, { name: container.id, tag, user: options.user, signal: 'TERM' as const }),
      signal: options.signal,
      what: `run "${argv[0] ?? ''}" in "${name}"`,
    }
    if (isConversation(options.stdin)) {
      const child = await converse(container.id, argv, {
        ...options,
        env: { ...options.env, [TAG]: tag },
        stdin: options.stdin,
      })
      if (child !== null)
        return supervise(engine, { ...supervised, child, ended: async () => {}, isFailure: () => false })
    }
    const environment = await engine.environment({ ...options.env, [TAG]: tag })
    const args = execArgs(container.id, await guarded(container, argv, options.stdin), {
      stdin: options.stdin !== undefined,
      tty: false,
      environment: environment.plan,
      envFile: environment.envFile,
      cwd: options.cwd,
      user: options.user,
    })
    const child = engine.stream(args, {
      env: environment.plan.env,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    })
    return supervise(engine, {
      ...supervised,
      child,
      ended: () => environment.dispose(),
      isFailure: isEngineFailure,
    })
  }
}

export interface Supervised {
  readonly child: RunningProcess
  kill(): Promise<void>
  ended(): Promise<void>
  readonly signal: AbortSignal | undefined
  readonly what: string
  /** Whether an exit code with this end of stderr is the engine's own failure. */
  isFailure(code: number, tail: string): boolean
}

/** A child whose output is pulled, and whose end reaches inside the container. */
export function supervise(engine: Engine, parts: Supervised): ExecSession {
  const { child, signal } = parts
  let tail = ''
  const decoder = new TextDecoder()
  const stdout = bufferBytes(child.stdout)
  const stderr = bufferBytes(child.stderr, (chunk) => {
    tail = (tail + decoder.decode(chunk.subarray(-TAIL_CHARACTERS), { stream: true })).slice(-TAIL_CHARACTERS)
  })
  let killing: Promise<void> | undefined
  let done = false
  const end = async (): Promise<void> => {
    // Nobody may hold the program back now: unread output can block the engine's other attached programs as well.
    stdout.discard()
    stderr.discard()
    await parts.kill()
    const late = setTimeout(() => child.kill('SIGKILL'), CLI_END_MS)
    await child.exit.catch(() => 1)
    clearTimeout(late)
  }
  const kill = (): Promise<void> => {
    if (done) return Promise.resolve()
    killing ??= end()
    return killing
  }
  const onAbort = (): void => void kill().catch(() => {})
  const forget = engine.track(kill)
  const ended = async (): Promise<number> => {
    try {
      const code = await child.exit
      // Ended by us is never a success, whatever the program or an engine that lost track of it says.
      if (killing !== undefined) return code === 0 ? KILLED : code
      // What the engine said about its failure may still be on its way.
      if (code !== 0) await Promise.race([stderr.ended, delay(LAST_WORDS_MS)])
      if (!parts.isFailure(code, tail)) return code
      throw engine.fail({ exitCode: code, stderr: tail }, parts.what)
    } finally {
      done = true
      forget()
      signal?.removeEventListener('abort', onAbort)
      await parts.ended()
    }
  }
  const exit = ended()
  exit.catch(() => {})
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return { stdout: stdout.bytes, stderr: stderr.bytes, exit, kill }
}

/** The command that hands a terminal (or plain pipes) over to a program in the container. */
export function createInteractive(engine: Engine, containers: Containers) {
  return async function interactive(
    name: string,
    argv: readonly string[],
    options: { tty: boolean; env?: Readonly<Record<string, string>>; cwd?: string },
  ): Promise<ProcessSpec> {
    const container = await containers.running(name)
    const own = engine.platform.env
    const terminal: Record<string, string> = options.tty ? { TERM: own['TERM'] || 'xterm-256color' } : {}
    if (options.tty && own['COLORTERM']) terminal['COLORTERM'] = own['COLORTERM']
    const environment = planEnvironment({ ...terminal, ...options.env }, { allowFile: false })
    const args = execArgs(container.id, argv, {
      stdin: true,
      tty: options.tty,
      environment,
      envFile: null,
      cwd: options.cwd,
    })
    return engine.spec(args, environment.env)
  }
}
