/**
 * Runs a program to its end and keeps its output. Over the runtime's own spawn: starting an agent is one such call, and
 * loading execa (which streams and terminals need) takes longer than all else that a start does before it.
 */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { PloinkyError } from '../core/error.ts'
import type { ProcessSpec, RunOptions, RunResult } from '../core/process.ts'
import { environment, exitCodeOf, notStarted } from './child.ts'

const DEFAULT_MAX_BYTES = 16 * 1024 * 1024
/** Time for a program to end after SIGTERM, ms. */
const KILL_AFTER_MS = 1000

// Asked for on use: `help` and `--version` start no process and must not pay for it.
const childProcess = (): typeof import('node:child_process') => process.getBuiltinModule('node:child_process')

function settingsOf(spec: ProcessSpec, options: RunOptions): SpawnOptions {
  return {
    stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment(spec) },
    windowsHide: true,
    ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
  }
}

/** The text of a stream once it has ended; `over` is called when it is longer than `limit` bytes. */
function collect(stream: ChildProcess['stdout'], limit: number, over: () => void): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.byteLength
    if (size <= limit) chunks.push(chunk)
    else over()
  })
  return () => Buffer.concat(chunks).toString('utf8')
}

export async function run(spec: ProcessSpec, options: RunOptions = {}): Promise<RunResult> {
  const { signal, timeoutMs, maxBytes = DEFAULT_MAX_BYTES } = options
  const interrupted = (): PloinkyError => new PloinkyError('INTERRUPTED', `Interrupted: ${spec.file}`)
  if (signal?.aborted) throw interrupted()
  const child = start(spec, options)
  let failure: PloinkyError | null = null
  let hard: ReturnType<typeof setTimeout> | undefined
  const end = (why: PloinkyError): void => {
    if (failure !== null) return
    failure = why
    child.kill('SIGTERM')
    hard = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
  }
  const onAbort = (): void => end(interrupted())
  const timeout = (): PloinkyError =>
    new PloinkyError('TIMEOUT', `Timed out after ${timeoutMs} ms: ${spec.file} ${spec.args[0] ?? ''}`)
  const soft = timeoutMs === undefined ? undefined : setTimeout(() => end(timeout()), timeoutMs)
  signal?.addEventListener('abort', onAbort, { once: true })
  const over = (): void => end(new PloinkyError('RUNTIME_FAILED', `More output than expected from "${spec.file}"`))
  const [stdout, stderr] = [collect(child.stdout, maxBytes, over), collect(child.stderr, maxBytes, over)]
  try {
    const exitCode = await ended(child, spec, () => failure !== null)
    if (failure !== null) throw failure as PloinkyError
    return { exitCode, stdout: stdout(), stderr: stderr() }
  } finally {
    clearTimeout(soft)
    clearTimeout(hard)
    signal?.removeEventListener('abort', onAbort)
  }
}

function start(spec: ProcessSpec, options: RunOptions): ChildProcess {
  let child: ChildProcess
  try {
    child = childProcess().spawn(spec.file, [...spec.args], settingsOf(spec, options))
  } catch (error) {
    // Arguments that no system takes: a NUL byte, or more than fits.
    throw notStarted(spec, error)
  }
  // A program that ends before reading all its input is not an error of ours.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.stdin)
  return child
}

/** Exit code, after its output has ended too; of a program that we end, whatever holds its output is not waited for. */
function ended(child: ChildProcess, spec: ProcessSpec, isGivenUp: () => boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      // Also told when a signal could not be delivered; then the program is going on, or has ended by itself.
      if (child.pid === undefined) reject(notStarted(spec, error))
    })
    child.once('exit', (exitCode, name) => {
      if (!isGivenUp()) return
      child.stdout?.destroy()
      child.stderr?.destroy()
      resolve(exitCodeOf({ exitCode, signal: name }))
    })
    child.once('close', (exitCode, name) => resolve(exitCodeOf({ exitCode, signal: name })))
  })
}
