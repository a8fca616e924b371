/** A command as a value, and the port of the one spawner that runs it. argv arrays only: no shell is ever involved. */
import type { MaybeSecret } from './secret.ts'

export interface ProcessSpec {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** Added to (or with `undefined` removed from) the environment of this process. */
  readonly env?: Readonly<Record<string, MaybeSecret | undefined>>
}

export interface RunOptions {
  stdin?: string | Uint8Array
  /** Milliseconds; none by default. On expiry the process group is killed and TIMEOUT is thrown. */
  timeoutMs?: number
  signal?: AbortSignal
  /** Bytes kept of each stream (default 16 MiB); more is an error, never a silent cut. */
  maxBytes?: number
}

export interface RunResult {
  exitCode: number
  stdout: string
  stderr: string
}

export interface StreamOptions {
  /** Closed at once when absent. */
  stdin?: AsyncIterable<Uint8Array> | Uint8Array | string
  signal?: AbortSignal
  /** In a process group of its own: the signal and `kill` end all that it started, too. Ctrl-C of a terminal does not reach it. */
  group?: boolean
}

/** A running child whose output is pulled: not reading it holds the child back, so memory stays flat. */
export interface RunningProcess {
  readonly pid: number
  readonly stdout: AsyncIterable<Uint8Array>
  readonly stderr: AsyncIterable<Uint8Array>
  /** Exit code; 128 + n when ended by signal n. */
  readonly exit: Promise<number>
  kill(signal?: 'SIGTERM' | 'SIGKILL' | 'SIGINT'): void
}

export interface DetachOptions {
  /** Files that stdout and stderr are appended to. */
  stdout: string
  stderr: string
}

export interface ProcessRunner {
  /** Runs to the end. A non-zero exit is a result; a missing program throws RUNTIME_UNAVAILABLE with the file's name. */
  run(spec: ProcessSpec, options?: RunOptions): Promise<RunResult>
  stream(spec: ProcessSpec, options?: StreamOptions): RunningProcess
  /** Hands over the real terminal (inherited stdio) and gives the child's own exit code. */
  interactive(spec: ProcessSpec): Promise<number>
  /** Starts a process in its own group that outlives this one. The environment is exactly `spec.env`. */
  detach(spec: ProcessSpec, options: DetachOptions): Promise<{ pid: number }>
  /** Absolute path of a program on PATH, or null. */
  which(program: string): Promise<string | null>
}
