/**
 * What tells the runtimes of plain processes apart: how a program is dressed before it runs, and how another one gets to
 * its side. Everything else (records, supervisor, logs, ports, events) is the same for all of them.
 */
import type { MaybeSecret } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { Detection, PortSpec, RuntimeCapabilities, RuntimeId, WorkloadSpec } from '../adapter.ts'
import type { ProcessTable } from './processes.ts'
import type { ProcessRecord } from './record.ts'

export type Environment = Readonly<Record<string, MaybeSecret>>

/** A program with its complete environment: as it sees itself, or dressed as this host runs it. */
export interface Program {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Environment
}

export interface Facts {
  /** Whether the system tells about processes in /proc. */
  readonly hasProc: boolean
  /** Whether this host can make terminals, and the kind can use them. */
  readonly terminals: boolean
}

/** Who is in an instance that runs. */
export interface Running {
  readonly record: ProcessRecord
  /** What the supervisor started. */
  readonly pid: number
}

/** Where a program is launched. */
export interface Place {
  /** The instance's own, private, and there already. */
  readonly folder: string
  /** It is started in a session that has a terminal of ours, maybe, and must not get at it. */
  readonly ourSession: boolean
}

export interface ProcessKind {
  readonly id: RuntimeId
  readonly displayName: string
  /** Part of the hash of a spec: to be raised when the same spec is to give another process. */
  readonly format: string
  /** Names the supervisor in process lists. */
  readonly supervisor: string
  capabilities(facts: Facts): RuntimeCapabilities
  detect(facts: Facts): Promise<Detection>
  /** Whether its programs can have terminals, where this host can make them. */
  hasTerminals(): Promise<boolean>
  /** Refuses what cannot be given, before anything is touched. */
  check(spec: WorkloadSpec): Promise<void>
  command(spec: WorkloadSpec, ports: readonly PortSpec[]): Program
  /** Refuses a folder or a program that is not there, with the name that the user knows. */
  checkCommand(spec: WorkloadSpec, command: Program): Promise<void>
  /** The program as this host runs it. */
  launch(spec: WorkloadSpec, command: Program, where: Place): Promise<Program>
  /** The program's environment, from what the supervisor was started with. */
  environment(supervisor: Readonly<Record<string, string>>): Readonly<Record<string, string>>
  /** Whether the program has begun, and others can be started beside it. */
  isUp(pid: number): Promise<boolean>
  /** Why the program never began, when what it wrote to stderr is not its own; null otherwise. */
  explain(stderr: string): string | null
  /** SIGTERM to those that are to end by themselves. */
  terminate(running: Running): Promise<void>
  /** Another program beside the one that runs, as this host runs it; `tag` must be found on it by this host. */
  enter(running: Running, command: Program, how: { tty: boolean; tag: Environment }): Promise<Program>
  /** Whether programs can run as this user; the name of the one as whom they do. */
  readonly user: { is(user: string): boolean; readonly name: string }
}

export type CreateKind = (platform: Platform, table: ProcessTable) => ProcessKind
