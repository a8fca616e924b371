/** The one spawner: streams and terminals over execa, short calls and detached processes over the runtime's own spawn. */
import { access, constants as fsConstants, mkdir, open } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Options } from 'execa'
import type { DetachOptions, ProcessSpec, RunningProcess, StreamOptions } from '../core/process.ts'
import { environment, exitCodeOf, notStarted } from './child.ts'
import type { Processes } from './index.ts'
import { createProcessTable } from './process-table.ts'
import { run } from './run.ts'
import { inputIsTaken } from './terminal.ts'
import { handOverTerminal } from './signals.ts'

// Loaded on first use: `help` and `--version` start no process and must not pay for it.
const loadExeca = async () => (await import('execa')).execa

/** Time for a group to end after SIGTERM, ms. */
const GROUP_GRACE_MS = 2000

/**
 * Starts at once although execa loads lazily: reading the streams waits for it.
 * Output is pulled through; an unread stream holds the child back.
 */
function stream(spec: ProcessSpec, options: StreamOptions = {}): RunningProcess {
  let pid = -1
  let wantedSignal: NodeJS.Signals | null = null
  const started = loadExeca().then((execa) => {
    const child = execa(spec.file, spec.args, {
      reject: false,
      buffer: false,
      encoding: 'buffer',
      env: environment(spec),
      forceKillAfterDelay: 2000,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...stdinOf(options),
      ...(options.group === true ? { detached: true } : {}),
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    })
    pid = child.pid ?? -1
    if (options.group === true && pid > 0) endGroupWith(pid, child, options.signal)
    if (wantedSignal !== null) child.kill(wantedSignal)
    // A program that ends before reading all its input is not an error of ours.
    child.stdin?.on('error', () => {})
    // Boxed: the child is a promise of its own end, and returning it bare would wait for that.
    // The end of the program, not of its output: that may be read later, or never.
    const ended = new Promise<number>((resolve) => {
      child.once('exit', (code, signal) => resolve(exitCodeOf({ exitCode: code, signal })))
    })
    return { child, ended, stdout: held(child.stdout), stderr: held(child.stderr) }
  })
  const exit = started.then(({ child, ended }) => {
    const failed = child.then((result) => {
      if (result.exitCode !== undefined || result.signal !== undefined || result.isCanceled) return ended
      throw notStarted(spec, result)
    })
    return Promise.race([ended, failed])
  })
  exit.catch(() => {})
  async function* bytes(which: 'stdout' | 'stderr'): AsyncGenerator<Uint8Array> {
    const source = (await started)[which]
    try {
      for await (const chunk of source) yield chunk as Uint8Array
    } catch (error) {
      // The stream of a killed child ends early; its exit code tells the story.
      if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    }
  }
  return {
    get pid() {
      return pid
    },
    stdout: bytes('stdout'),
    stderr: bytes('stderr'),
    exit,
    kill(signal = 'SIGTERM') {
      wantedSignal = signal
      void started.then(({ child }) => {
        if (options.group === true && pid > 0) signalGroup(pid, signal)
        else child.kill(signal)
      })
    },
  }
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch {
    // Nobody is left.
  }
}

/** Everything of a group goes with its leader, politely at first. A leader that ended by itself leaves what it started alone. */
function endGroupWith(
  pid: number,
  leader: { once(event: 'exit', listener: () => void): unknown },
  signal?: AbortSignal,
): void {
  let hard: ReturnType<typeof setTimeout> | undefined
  const onAbort = (): void => {
    signalGroup(pid, 'SIGTERM')
    hard = setTimeout(() => signalGroup(pid, 'SIGKILL'), GROUP_GRACE_MS)
  }
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  leader.once('exit', () => {
    signal?.removeEventListener('abort', onAbort)
    clearTimeout(hard)
    if (signal?.aborted === true) signalGroup(pid, 'SIGKILL')
  })
}

/**
 * Output in a stream of our own: both execa (one turn later) and the runtime (when the program ends) throw away what nobody
 * reads yet. Held here, a reader may come at any time, and an unread stream still holds the program back.
 */
function held(source: Readable | null | undefined): Readable {
  const { PassThrough, pipeline } = process.getBuiltinModule('node:stream')
  const pass = new PassThrough()
  if (source) pipeline(source, pass, () => {})
  else pass.end()
  return pass
}

function stdinOf(options: StreamOptions): Options {
  const { stdin } = options
  if (stdin === undefined) return { stdin: 'ignore' }
  if (stdin instanceof Uint8Array) return { input: stdin }
  // As bytes: execa takes some words ("ignore", "pipe") for settings of its own.
  if (typeof stdin === 'string') return { input: new TextEncoder().encode(stdin) }
  return { stdin }
}

async function interactive(spec: ProcessSpec): Promise<number> {
  const execa = await loadExeca()
  const takeBack = handOverTerminal()
  try {
    const result = await execa(spec.file, spec.args, {
      reject: false,
      stdio: [inputIsTaken() ? 'ignore' : 'inherit', 'inherit', 'inherit'],
      env: environment(spec),
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    })
    if (result.exitCode === undefined && result.signal === undefined) throw notStarted(spec, result)
    return exitCodeOf(result)
  } finally {
    takeBack()
  }
}

async function detach(spec: ProcessSpec, options: DetachOptions): Promise<{ pid: number }> {
  const { spawn } = await import('node:child_process')
  await mkdir(dirname(options.stdout), { recursive: true })
  const [out, err] = await Promise.all([open(options.stdout, 'a', 0o600), open(options.stderr, 'a', 0o600)])
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(spec.file, [...spec.args], {
        detached: true,
        stdio: ['ignore', out.fd, err.fd],
        env: environment(spec) as NodeJS.ProcessEnv,
        ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      })
      child.once('error', (error) => reject(notStarted(spec, error)))
      child.once('spawn', () => {
        child.unref()
        resolve({ pid: child.pid ?? -1 })
      })
    })
  } finally {
    await Promise.all([out.close(), err.close()])
  }
}

async function which(program: string): Promise<string | null> {
  const candidates = isAbsolute(program)
    ? [program]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder || '.', program))
  for (const candidate of candidates) {
    const found = await access(candidate, fsConstants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return candidate
  }
  return null
}

export function createProcesses(): Processes {
  return { run, stream, interactive, detach, which, ...createProcessTable() }
}
