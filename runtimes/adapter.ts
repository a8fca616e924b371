/**
 * The contract of a runtime: where instances of agents run.
 *
 * Rules that every adapter keeps (checked by `test/contract/runtime.ts`):
 * - names are derived, specs are complete; `apply` is the only way to create, and is idempotent;
 * - missing is data (`null`, `false`), not an exception; `stop` and `remove` may be repeated;
 * - nothing that does not carry our workspace label is ever listed, stopped or removed;
 * - every method honours `signal`; no method prints.
 */
import type { Logger } from '../src/core/log.ts'
import type { ProcessSpec } from '../src/core/process.ts'
import type { MaybeSecret } from '../src/core/secret.ts'
import type { Platform } from '../src/platform/index.ts'

export type RuntimeId = 'docker' | 'podman' | 'host' | 'bwrap' | 'fake'

export interface RuntimeCapabilities {
  /** Runs OCI images; otherwise the agent's files are run as plain processes. */
  readonly images: boolean
  /** Network and file system are separated from the host's. Policy must not rely on a runtime that says no. */
  readonly isolation: boolean
  /** Mounts are at their targets, so paths of the container hold; otherwise they are mapped to paths of the host. */
  readonly bindMounts: boolean
  /** `openTty` makes a real terminal. */
  readonly tty: boolean
  /** `events` is a stream of the engine; otherwise it is a poll. */
  readonly nativeEvents: boolean
  readonly stats: boolean
  readonly rootless: boolean
  /** Memory and cpu limits are enforced; `pids` likewise. Not enforced is reported, never pretended. */
  readonly limits: { readonly memory: boolean; readonly cpu: boolean; readonly pids: boolean }
  /** The engine's local API socket is in use as an accelerator. */
  readonly api: boolean
  /** Name by which an instance reaches this host, in every network mode but 'none'; null when it cannot. */
  readonly hostGateway: string | null
  /** Modes of `WorkloadSpec.network` beside 'default'. What is false here is refused with CAPABILITY_UNSUPPORTED. */
  readonly networks: { readonly none: boolean; readonly host: boolean; readonly named: boolean }
  /** Instances can be given all rights of the engine's user; refused with CAPABILITY_UNSUPPORTED otherwise. */
  readonly privileged: boolean
  /** Instances can be given GPUs, where the machine has any; refused with CAPABILITY_UNSUPPORTED otherwise. */
  readonly gpus: boolean
}

export type Detection =
  | {
      readonly available: true
      readonly version: string
      /** Human-readable address of the engine (socket, connection name). */
      readonly endpoint: string
      readonly rootless: boolean
      /** Limits of this host worth a line in `doctor` (for example: memory limits not enforced). */
      readonly notes: readonly string[]
    }
  | {
      readonly available: false
      readonly code: 'NOT_INSTALLED' | 'NOT_RUNNING' | 'NOT_PERMITTED' | 'UNUSABLE'
      readonly message: string
      readonly hint: string
    }

export interface MountSpec {
  /** Absolute host path. */
  readonly source: string
  /** Absolute path in the container. The host runtime gives it to the program by environment and working folder only. */
  readonly target: string
  readonly readOnly: boolean
}

export interface PortSpec {
  readonly container: number
  /** 0: the runtime picks a free one. */
  readonly host: number
  /** Loopback unless the operator asked for more. */
  readonly hostIp: string
  readonly protocol: 'tcp' | 'udp'
}

/** A network of the workspace, made at its first use. Others find the instance there by its aliases. */
export interface NetworkAttachment {
  /** Name within the workspace; the engine's own name for it is `networkName`. */
  readonly name: string
  readonly aliases: readonly string[]
}

/**
 * 'default': a network of its own way out, with published ports. 'none': loopback only. 'host': the host's own network;
 * nothing is published, every port of `ports` is at 127.0.0.1 under its container number. 'networks': those and no other,
 * at least one, the first is the primary one.
 */
export type NetworkSpec =
  | { readonly mode: 'default' | 'none' | 'host' }
  | { readonly mode: 'networks'; readonly attachments: readonly NetworkAttachment[] }

/** Everything that decides how an instance runs. A change of any field replaces the container. */
export interface WorkloadSpec {
  /** Container name, see `workloadName`. */
  readonly name: string
  readonly workspace: string
  readonly agent: string
  /** OCI reference; null on runtimes without images. */
  readonly image: string | null
  /** argv of the main process; null: the image's own. */
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  /** The main process has an input that nobody writes to and that does not end; without it, one that has ended. Containers only. */
  readonly openStdin?: boolean
  /** Working folder: absolute, in the container (host runtime: on the host). */
  readonly workdir: string | null
  readonly env: Readonly<Record<string, MaybeSecret>>
  readonly mounts: readonly MountSpec[]
  readonly ports: readonly PortSpec[]
  /** Extra labels; any text is allowed in values. */
  readonly labels: Readonly<Record<string, string>>
  readonly user: string | null
  readonly limits: { readonly pids: number; readonly memoryBytes: number | null; readonly cpus: number | null }
  readonly security: {
    readonly readOnlyRoot: boolean
    readonly dropCapabilities: readonly string[]
    readonly addCapabilities: readonly string[]
    /** All rights of the engine's user and all devices. Programs still gain none beyond them. */
    readonly privileged: boolean
    /** Size of /dev/shm; null: the engine's own. A plain process has the host's. */
    readonly shmBytes: number | null
    /** CAPABILITY_UNSUPPORTED where the engine has none to give. */
    readonly gpus: 'all' | null
  }
  readonly network: NetworkSpec
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopGraceSeconds: number
}

export type WorkloadState = 'created' | 'running' | 'paused' | 'stopped' | 'dead'

/**
 * A program that runs once, in the surroundings of an agent: its image, mounts and environment. It publishes no ports and
 * joins one network at most. `agent` says on whose behalf.
 */
export type JobSpec = Omit<WorkloadSpec, 'name' | 'ports' | 'stopGraceSeconds'>

/** One instance as the engine sees it now. */
export interface Workload {
  readonly name: string
  /** Engine's own id; the host runtime gives the pid with its start time. */
  readonly id: string
  readonly workspace: string
  readonly agent: string
  /** Hash of the spec that made it. */
  readonly spec: string
  /** Image id (content address) or null. */
  readonly imageId: string | null
  readonly state: WorkloadState
  /** Null while it runs or when the engine does not know. 128 + n when ended by signal n. */
  readonly exitCode: number | null
  readonly oomKilled: boolean
  /** Why the engine could not start it or lost it, in its own words; null when it says nothing. */
  readonly error: string | null
  /** How often the engine itself started it again; null when it does not count. We ask for no restarts. */
  readonly restartCount: number | null
  /** ISO 8601 or null. */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly labels: Readonly<Record<string, string>>
  readonly ports: readonly PortSpec[]
  readonly pid: number | null
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface ApplyOptions extends CallOptions {
  /** An instance whose image reference now stands for other content is replaced too. Costs a look at the image. */
  readonly checkImage?: boolean
}

export interface SweepOptions extends CallOptions {
  /** 'orphaned' (default): jobs whose starter is gone. 'all': every job of the workspace, also a running one. */
  readonly jobs?: 'orphaned' | 'all'
}
/** Names of what was removed. */
export interface Swept {
  readonly jobs: readonly string[]
  readonly networks: readonly string[]
}

export type ImagePolicy = 'missing' | 'always' | 'never'
/** Progress of a pull: at least one event, the last one has `done: true`. `fraction` is 0..1 or null when unknown. */
export interface ImageProgress {
  readonly message: string
  readonly fraction: number | null
  readonly done: boolean
}
export interface ImageInfo {
  readonly id: string
  readonly digest: string | null
  /** What it runs by itself; absent where the runtime does not tell. */
  readonly command?: { readonly entrypoint: readonly string[]; readonly arguments: readonly string[] }
}

export interface ApplyOutcome {
  readonly workload: Workload
  readonly outcome: 'created' | 'started' | 'replaced' | 'unchanged'
}

export interface LogOptions extends CallOptions {
  readonly follow?: boolean
  /** Last lines; all by default. */
  readonly tail?: number
  /** ISO 8601. */
  readonly since?: string
}
export interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  /** ISO 8601, or null when the runtime does not keep it. */
  readonly at: string | null
  readonly text: string
}

export interface ExecOptions extends CallOptions {
  readonly env?: Readonly<Record<string, MaybeSecret>>
  readonly cwd?: string
  readonly user?: string
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array>
}
/** A program started in a running instance. Output is pulled; unread output holds the program back. */
export interface ExecSession {
  readonly stdout: AsyncIterable<Uint8Array>
  readonly stderr: AsyncIterable<Uint8Array>
  /** The program's own exit code. Rejects only when the engine failed. */
  readonly exit: Promise<number>
  /** Ends the program and all that it started, inside the container too. */
  kill(): Promise<void>
}

export interface TtyOptions extends CallOptions {
  readonly cols: number
  readonly rows: number
  readonly env?: Readonly<Record<string, MaybeSecret>>
  readonly cwd?: string
  /** Random text by which `endTerminal` finds it, also after its maker was killed. One is made up without it. */
  readonly tag?: string
}
export interface TtySession {
  /** Bytes of the terminal. Must be read to the end: an unread terminal can block the engine. */
  readonly output: AsyncIterable<Uint8Array>
  write(data: Uint8Array): void
  /** Bytes that were written and that the engine has not taken, where that is known. */
  readonly unwritten?: number
  resize(cols: number, rows: number): Promise<void>
  /** Exit code; resolves once, also when the container went away. */
  readonly closed: Promise<number>
  /** Ends the program and all that it started, inside the container too. */
  kill(): Promise<void>
}

export interface FileEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  /** Bytes; null where nobody tells. */
  readonly size: number | null
  /** Milliseconds since 1970. */
  readonly mtimeMs: number | null
  readonly mode: number | null
}
export interface Folder {
  /** Absolute, without links, as the agent sees it. */
  readonly path: string
  /** By name. What an agent names is not to be trusted. */
  readonly entries: readonly FileEntry[]
  /** There are more: the limit of the call was reached. */
  readonly truncated: boolean
}
export interface FileContent {
  /** Absolute, as the agent sees it. */
  readonly path: string
  readonly size: number
  readonly mtimeMs: number | null
  /** Exactly `size` bytes, or an error. To be read or left (`return`): it holds a connection to the engine. */
  readonly bytes: AsyncIterable<Uint8Array>
}
export interface NewFile {
  readonly path: string
  readonly size: number
  /** Fewer or more than `size` is an error, and leaves nothing. */
  readonly bytes: AsyncIterable<Uint8Array>
  /** Otherwise CONFLICT when there is something of that name. */
  readonly overwrite: boolean
}
/**
 * Files as the agent sees them, with the rights of its user. A path is absolute or relative to the working folder. Kernel
 * and device folders (/proc, /sys, /dev) are refused, as is everything that is neither file nor folder.
 *
 * FILE_NOT_FOUND, DENIED (may not, read-only, outside), REQUEST_INVALID (not a file, not a folder, not a path), CONFLICT,
 * AGENT_NOT_RUNNING, WORKLOAD_NOT_FOUND.
 */
export interface InstanceFiles {
  list(name: string, path: string, options?: CallOptions & { limit?: number }): Promise<Folder>
  read(name: string, path: string, options?: CallOptions): Promise<FileContent>
  /** There is the old file or the new one, never a part, where the instance has a shell. Links are replaced, not followed. */
  write(name: string, file: NewFile, options?: CallOptions): Promise<{ path: string; replaced: boolean }>
}

export interface RuntimeEvent {
  readonly type: 'started' | 'exited' | 'paused' | 'unpaused' | 'removed'
  readonly name: string
  readonly agent: string
  readonly at: string
  readonly exitCode: number | null
}

export interface WorkloadStats {
  readonly cpuPercent: number | null
  readonly memoryBytes: number | null
  readonly pids: number | null
}

export interface Selector {
  readonly workspace: string
  readonly agent?: string
}

export interface RuntimeAdapter extends AsyncDisposable {
  readonly id: RuntimeId
  readonly displayName: string
  /** Valid after `detect` said available. */
  readonly capabilities: RuntimeCapabilities
  /** Never throws. */
  detect(options?: CallOptions): Promise<Detection>
  /** Pulls when the policy asks for it; the generator's return value is the image. IMAGE_NOT_FOUND when it cannot be had. */
  ensureImage(reference: string, policy: ImagePolicy, options?: CallOptions): AsyncGenerator<ImageProgress, ImageInfo>
  /** Makes the world match the spec; the instance runs when this resolves. IMAGE_NOT_FOUND when the image is not here (never pulls). */
  apply(spec: WorkloadSpec, options?: ApplyOptions): Promise<ApplyOutcome>
  /**
   * Runs a throw-away instance to its end, hardened as any other. It is removed when it ends, when it is killed and when
   * the signal aborts (for a deadline: `AbortSignal.timeout`); if we are killed, `sweep` finds what is left. Jobs are no
   * workloads: `list` and `events` do not tell of them. IMAGE_NOT_FOUND when the image is not here, by the exit at latest.
   */
  job(spec: JobSpec, options?: CallOptions): Promise<ExecSession>
  /** Removes what nobody needs any more: networks of the workspace that no instance uses, and jobs. */
  sweep(workspace: string, options?: SweepOptions): Promise<Swept>
  inspect(name: string, options?: CallOptions): Promise<Workload | null>
  /** Workloads only, no jobs. */
  list(selector: Selector, options?: CallOptions): Promise<readonly Workload[]>
  /** SIGTERM, then SIGKILL after the grace (the spec's by default). True when something changed. */
  stop(name: string, options?: CallOptions & { graceSeconds?: number }): Promise<boolean>
  /** Its networks go with the last instance that uses them. */
  remove(name: string, options?: CallOptions): Promise<boolean>
  /** Where this host can dial a container port; null when not running, or not published (host network: not in `ports`). */
  endpoint(name: string, port: number, options?: CallOptions): Promise<{ host: string; port: number } | null>
  logs(name: string, options?: LogOptions): AsyncIterable<LogLine>
  exec(name: string, argv: readonly string[], options?: ExecOptions): Promise<ExecSession>
  /** The command that hands a real terminal (or, without `tty`, plain pipes) over to a program in the instance. */
  interactive(
    name: string,
    argv: readonly string[],
    options: { tty: boolean; env?: Readonly<Record<string, string>>; cwd?: string },
  ): Promise<ProcessSpec>
  openTty(name: string, argv: readonly string[], options: TtyOptions): Promise<TtySession>
  readonly files: InstanceFiles
  /** Ends what a terminal that was opened with this tag has left in an instance. Nothing left, or no instance, is fine. */
  endTerminal(name: string, tag: string, options?: CallOptions): Promise<void>
  /** State changes of our workloads from now on. Ends when the signal aborts; throws RUNTIME_UNAVAILABLE when the engine goes away. */
  events(selector: Selector, options?: CallOptions): AsyncIterable<RuntimeEvent>
  stats(name: string, options?: CallOptions): Promise<WorkloadStats | null>
}

/** What every adapter is made with. */
export interface RuntimeContext {
  readonly platform: Platform
  readonly log: Logger
  /** Private folder for the adapter's files of this workspace (pid files, logs, env files); mode 0700, made on demand. */
  readonly stateDir: string
}

export interface RuntimeDefinition {
  readonly id: RuntimeId
  readonly displayName: string
  create(context: RuntimeContext): RuntimeAdapter
}
