import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { constants } from 'node:os'
import { LIMITS } from './limits.ts'
import { createCappedText, createLineSplitter } from './output.ts'
import type { ToolRun, ToolRunner, ToolRunResult } from './types.ts'

interface SpawnRunnerOptions {
  /** Working directory of commands that name none. */
  cwd: string
  /** Environment that every command gets; variables of the run win. */
  env: Readonly<Record<string, string | undefined>>
  /** Milliseconds between SIGTERM and SIGKILL. */
  killGraceMs?: number
}

export interface SpawnRunner {
  run: ToolRunner
  /** Stops everything that runs, at once. */
  killAll: () => void
}

const KILL_GRACE_MS = 2000
/** After a command has ended, its pipes are left when nothing arrived for this long, or after ten times this. */
const DRAIN_MS = 500

/** Runs commands as child processes, each the leader of its own process group so that it can be stopped with its children. */
export function createSpawnRunner(options: SpawnRunnerOptions): SpawnRunner {
  const groups = new Set<number>()
  const base = Object.fromEntries(Object.entries(options.env).filter(([name]) => !name.startsWith('PLOINKY_ARG_')))
  return {
    run: (run) => {
      // A cancelled call whose command never started has nobody to report to.
      if (run.signal.aborted) return Promise.resolve(notStarted(130, 'The call was cancelled'))
      const cwd = run.cwd ?? options.cwd
      if (!isDirectory(cwd)) return Promise.resolve(notStarted(127, `Working directory "${cwd}" does not exist`))
      return execute(run, { cwd, env: { ...base, ...run.env }, groups, graceMs: options.killGraceMs ?? KILL_GRACE_MS })
    },
    killAll: () => {
      for (const pid of groups) killGroup(pid, 'SIGKILL')
    },
  }
}

interface Execution {
  cwd: string
  env: Record<string, string | undefined>
  groups: Set<number>
  graceMs: number
}

function execute(run: ToolRun, { cwd, env, groups, graceMs }: Execution): Promise<ToolRunResult> {
  const [file = '', ...args] = run.argv
  return new Promise((resolve) => {
    let child: ChildProcessWithoutNullStreams
    try {
      child = spawn(file, args, { cwd, env, detached: true, stdio: 'pipe' })
    } catch (error) {
      // An argument list that the system refuses (too long, an embedded zero byte) fails before there is a process.
      resolve(notStarted(126, `Cannot start "${file}": ${(error as Error).message}`))
      return
    }
    const { pid } = child
    if (pid !== undefined) groups.add(pid)
    const output = capture(child, run)
    const stopper = createStopper(child, { run, graceMs })
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (pid === undefined) finish(notStarted(error.code === 'EACCES' ? 126 : 127, startMessage(file, error)))
    })
    child.once('exit', () => {
      stopper.leaderEnded()
      leavePipes(child)
    })
    child.once('close', (code, signal) => {
      if (pid !== undefined) groups.delete(pid)
      finish({ exitCode: exitCode(code, signal), timedOut: stopper.timedOut(), ...output() })
    })
    const finish = (result: ToolRunResult): void => {
      stopper.dispose()
      resolve(result)
    }
  })
}

/** "close" waits for everyone who holds the pipes, which may be a daemon that the command started on purpose. */
function leavePipes(child: ChildProcessWithoutNullStreams): void {
  let isQuiet = true
  let rounds = 0
  const onData = (): void => {
    isQuiet = false
  }
  child.stdout.on('data', onData)
  child.stderr.on('data', onData)
  const look = (): void => {
    if (isQuiet || ++rounds >= 10) {
      child.stdout.destroy()
      child.stderr.destroy()
    }
    isQuiet = true
  }
  // Timers come first when a busy machine lets us run again after a while: what waits in the pipes is read before the look.
  const timer = setInterval(() => setImmediate(look), DRAIN_MS)
  child.once('close', () => clearInterval(timer))
}

/** Collects output within the caps; standard error is looked at line by line when somebody wants the lines. */
function capture(
  child: ChildProcessWithoutNullStreams,
  run: ToolRun,
): () => Pick<ToolRunResult, 'stdout' | 'stderr' | 'truncated'> {
  const stdout = createCappedText(run.maxStdoutBytes ?? LIMITS.stdoutBytes)
  const stderr = createCappedText(run.maxStderrBytes ?? LIMITS.stderrBytes)
  const { onStderrLine } = run
  const encoder = new TextEncoder()
  child.stdout.on('data', (chunk: Uint8Array) => stdout.push(chunk))
  if (run.onStdout !== undefined) {
    const { onStdout } = run
    const decoder = new TextDecoder()
    child.stdout.on('data', (chunk: Uint8Array) => onStdout(decoder.decode(chunk, { stream: true })))
  }
  if (onStderrLine === undefined) child.stderr.on('data', (chunk: Uint8Array) => stderr.push(chunk))
  else {
    const lines = createLineSplitter((line) => {
      if (onStderrLine(line) !== true) stderr.push(encoder.encode(`${line}\n`))
    }, LIMITS.stderrLineBytes)
    child.stderr.on('data', (chunk: Uint8Array) => lines.push(chunk))
    child.stderr.once('close', () => lines.end())
  }
  // A command that does not read its input closes the pipe; that is its right.
  child.stdin.on('error', () => undefined)
  child.stdin.end(run.stdin)
  return () => ({ stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.truncated() || stderr.truncated() })
}

/** Stops the process group on timeout or cancellation: SIGTERM, then SIGKILL after the grace. */
function createStopper(
  child: ChildProcessWithoutNullStreams,
  { run, graceMs }: { run: ToolRun; graceMs: number },
): { timedOut: () => boolean; leaderEnded: () => void; dispose: () => void } {
  let timedOut = false
  let stopping = false
  let killTimer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => {
    if (stopping || child.pid === undefined) return
    stopping = true
    killGroup(child.pid, 'SIGTERM')
    killTimer = setTimeout(() => killGroup(child.pid, 'SIGKILL'), graceMs)
  }
  const timer =
    run.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          stop()
        }, run.timeoutMs)
  run.signal.addEventListener('abort', stop, { once: true })
  return {
    timedOut: () => timedOut,
    leaderEnded: () => {
      clearTimeout(timer)
      clearTimeout(killTimer)
      // The number stays reserved only while a member lives, so the rest of the group is ended now or never.
      if (stopping) killGroup(child.pid, 'SIGKILL')
    },
    dispose: () => {
      clearTimeout(timer)
      run.signal.removeEventListener('abort', stop)
    },
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // ESRCH: the whole group has ended.
  }
}

function notStarted(exitCode: number, message: string): ToolRunResult {
  return { exitCode, stdout: '', stderr: message, timedOut: false, truncated: false }
}

function startMessage(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `Cannot start "${file}": no such program`
  if (error.code === 'EACCES') return `Cannot start "${file}": it is not executable`
  return `Cannot start "${file}": ${error.code ?? error.message}`
}

/** Death by a signal counts as 128 + its number, as in a shell. */
function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code
  return 128 + (signal === null ? 0 : constants.signals[signal])
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
