/** The two shapes that everything here is written against: what differs between engines, and how an engine is called. */
import type { ErrorCode, PloinkyError } from '../../src/core/error.ts'
import type { Logger } from '../../src/core/log.ts'
import type { ProcessSpec, RunningProcess, RunResult, StreamOptions } from '../../src/core/process.ts'
import type { MaybeSecret } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { Detection, RuntimeCapabilities, WorkloadSpec } from '../adapter.ts'
import type { EnvironmentPlan } from './environment.ts'
import type { Source } from './parse.ts'

/** What an engine says about itself. */
export interface Probe {
  readonly detection: Detection
  readonly capabilities: RuntimeCapabilities
  /** Path of the engine's API socket on this machine, or null. */
  readonly socket: string | null
}

export interface Dialect {
  readonly id: 'docker' | 'podman'
  readonly displayName: string
  /** Program looked up on PATH. */
  readonly program: string
  /** Environment variable that may name another program. */
  readonly programVariable: string
  /** Flags of `run` that only this engine needs. */
  runFlags(spec: WorkloadSpec): readonly string[]
  /** The host has no name inside unless it is given one. */
  readonly addsHost: boolean
  /** Flags of `run` that give all GPUs. */
  readonly gpuFlags: readonly string[]
  /** Flags that make `rm` end a running container at once. */
  readonly removeFlags: readonly string[]
  /** The reference that `pull` is given: never one that needs a question to be answered. */
  pullReference(reference: string): string
  /** Value of `--format` that gives JSON. */
  readonly jsonFormat: string
  /** What this engine calls the events that say something about a state. */
  readonly eventNames: readonly string[]
  /**
   * How `logs --timestamps` shows a line that the engine stored in pieces: a time stamp before every block of this many
   * bytes, or (null) before pieces of any length.
   */
  readonly logBlockBytes: number | null
  /** Output of a program that leaves its input unread can be lost, with its exit code as if nothing had been (podman 4). */
  readonly losesOutputOfUnreadInput: boolean
  /** First API version whose terminals have their size before the program starts; null: none. */
  readonly sizedTerminalApi: readonly [major: number, minor: number] | null
  /** Of two sizes of a terminal that closely follow each other, the second can be lost (conmon 2.1, of podman). */
  readonly losesTerminalSizes: boolean
  /** Arguments that serve the engine's API on a socket of our own for a while; null where the engine cannot. */
  serviceArgs(socket: string): readonly string[] | null
  /** Asks the engine what it is. Never throws. */
  probe(engine: Engine, signal: AbortSignal | undefined): Promise<Probe>
  /** What is said about a dialect before it was probed. */
  readonly assumed: RuntimeCapabilities
}

export interface CallParts {
  readonly env?: Readonly<Record<string, MaybeSecret>>
  readonly stdin?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

export interface PreparedEnvironment {
  readonly plan: EnvironmentPlan
  readonly envFile: string | null
  dispose(): Promise<void>
}

export interface Engine {
  readonly dialect: Dialect
  readonly platform: Platform
  readonly log: Logger
  readonly program: string
  /** Private folder of this adapter. */
  readonly stateDir: string
  /** A non-zero exit is a result. Throws RUNTIME_UNAVAILABLE (no such program), TIMEOUT, INTERRUPTED. */
  call(args: readonly string[], parts?: CallParts): Promise<RunResult>
  /** A non-zero exit is an error, classified. `what` completes "Docker could not ...". */
  must(args: readonly string[], parts: CallParts & { what: string }): Promise<RunResult>
  spec(args: readonly string[], env?: Readonly<Record<string, MaybeSecret>>): ProcessSpec
  stream(args: readonly string[], options?: StreamOptions & { env?: CallParts['env'] }): RunningProcess
  fail(result: { exitCode: number; stderr: string }, what: string): PloinkyError
  codeOf(stderr: string): ErrorCode
  source(args: readonly string[]): Source
  /** Decides how variables travel and writes the private file when one is needed; dispose when the call is over. */
  environment(variables: Readonly<Record<string, MaybeSecret>>): Promise<PreparedEnvironment>
  /** Remembers what must end with the adapter; the result forgets it again. */
  track(end: () => Promise<void> | void): () => void
  dispose(): Promise<void>
}

/** Mebibytes of log kept on disk per container. Room for bursts of 50 MB, but never the whole disk. */
export const LOG_KEPT_MIB = 192
