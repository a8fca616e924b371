/** Turns what an engine says on stderr into one of our codes, keeping the engine's own words. */
import { PloinkyError, type ErrorCode } from '../../src/core/error.ts'

export interface Failure {
  readonly code: ErrorCode
  /** The engine's message without its decoration. */
  readonly message: string
  readonly hint: string
}

export interface FailureSource {
  readonly displayName: string
  readonly program: string
  readonly stderr: string
}

interface Rule {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly hint: (program: string, match: RegExpExecArray) => string
}

const doctor = (): string => 'Run: ploinky doctor'

/** First match wins: the engine being away is asked before anything that a registry could say as well. */
const RULES: readonly Rule[] = [
  {
    pattern:
      /cannot connect to the docker daemon|error during connect|cannot connect to podman|unable to connect to podman|connection reset by peer|dial unix \S+|unexpected EOF|^EOF$|server closed idle connection/im,
    code: 'RUNTIME_UNAVAILABLE',
    hint: doctor,
  },
  {
    pattern: /permission denied while trying to connect|got permission denied/i,
    code: 'RUNTIME_UNAVAILABLE',
    hint: doctor,
  },
  {
    pattern: /container name "[^"]*" is already in use|that name is already in use/i,
    code: 'CONFLICT',
    hint: () => 'Remove or rename the other container',
  },
  {
    pattern: /could not select device driver|unresolvable CDI devices|nvidia\.com\/gpu|nvidia-container-cli/i,
    code: 'CAPABILITY_UNSUPPORTED',
    hint: () => 'Install the NVIDIA Container Toolkit, or remove "gpus" from the manifest',
  },
  {
    pattern: /unable to apply caps: operation not permitted/i,
    code: 'CAPABILITY_UNSUPPORTED',
    hint: () => 'Remove "privileged" and added capabilities from the manifest: this machine has not all rights to give',
  },
  {
    pattern: /address pools? .*(?:subnetted|exhausted)|non-overlapping IPv4 address pool|could not find free subnet/i,
    code: 'RUNTIME_FAILED',
    hint: (program) => `Remove networks that nobody uses: ${program} network prune`,
  },
  {
    pattern: /no such container|no container with name or id|no such object/i,
    code: 'WORKLOAD_NOT_FOUND',
    hint: () => 'Start the agent: ploinky start',
  },
  {
    pattern: /port is already allocated|address already in use|ports are not available/i,
    code: 'PORT_TAKEN',
    hint: () => 'Choose another host port in the manifest, or stop the program that uses it',
  },
  {
    pattern:
      /no such image|image not known|unable to find image|manifest unknown|pull access denied|repository does not exist|name unknown|requested access to the resource is denied|reading manifest/i,
    code: 'IMAGE_NOT_FOUND',
    hint: (program) => `Check the name and pull it: ${program} pull IMAGE`,
  },
  {
    pattern: /is not running|container state improper|is paused|cannot exec in a stopped/i,
    code: 'AGENT_NOT_RUNNING',
    hint: () => 'Start the agent: ploinky start',
  },
  {
    pattern: /bind source path does not exist|statfs \S+: no such file|invalid mount config|error mounting/i,
    code: 'CONFIG_INVALID',
    hint: () => 'Check the volumes of the manifest: every source must exist on this machine',
  },
  {
    pattern: /container-init binary not found|exec: "docker-init"|exec: "tini"/i,
    code: 'RUNTIME_FAILED',
    hint: (program) =>
      program.endsWith('podman') ? 'Install catatonit: sudo apt-get install catatonit' : 'Install docker-init or tini',
  },
  {
    pattern: /executable file not found|command that was not found|stat \S+: no such file or directory/i,
    code: 'AGENT_FAILED',
    hint: () => 'Check the command of the manifest: the program must exist in the image',
  },
  {
    pattern: /workdir "[^"]*" does not exist/i,
    code: 'AGENT_FAILED',
    hint: () => 'Check the working folder of the manifest: it must exist in the image',
  },
  {
    pattern: /no space left on device/i,
    code: 'RUNTIME_FAILED',
    hint: (program) => `Free some disk space: ${program} system df`,
  },
  {
    pattern: /unknown flag|unknown shorthand flag|flag provided but not defined/i,
    code: 'RUNTIME_FAILED',
    hint: (program) => `Update ${program}: this version lacks an option that is needed`,
  },
  {
    pattern: /cgroup controller|cgroups? .*not (?:available|supported|enabled)/i,
    code: 'CAPABILITY_UNSUPPORTED',
    hint: () => 'Remove the memory and cpu limits, or delegate the cgroup controllers to this user',
  },
]

/** A network that was there a moment ago, or when the container was made, is gone. */
export const isNetworkMissing = (stderr: string): boolean =>
  /network \S+ not found|unable to find network|no such network/i.test(stderr)

/**
 * An engine that was killed while it started a container forgot that it did, and what it began is in the way for ever:
 * docker 20.10 with its containerd ("task ID: already exists", "id already in use"), runc ("container with id exists").
 */
export const isLeftBehind = (stderr: string): boolean =>
  /task [0-9a-f]{12,}: already exists|\bid already in use|container with id exists/i.test(stderr)

const MAX_MESSAGE = 600

/** Lines that say nothing about the cause: help, podman's warnings and retries. */
const NOISE =
  /^(?:Run '.*--help' for more information|See '.*--help'|time=".*" level=(?:warning|info|debug)|WARN\[|Resource limits are not supported|Port mappings have been discarded|Trying to pull|Emulate Docker CLI)/i

/** The engine's own message: decoration, help and repeated warnings removed, bounded in length. */
export function engineMessage(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !NOISE.test(line))
    .map((line) => line.replace(/^(?:docker: |Error response from daemon: |Error: )+/i, ''))
  const unique = [...new Set(lines)].join('; ')
  return unique.length > MAX_MESSAGE ? `${unique.slice(0, MAX_MESSAGE)}…` : unique
}

/** What a failed call means. An unknown message is RUNTIME_FAILED. */
export function classifyFailure(source: FailureSource): Failure {
  const message = engineMessage(source.stderr)
  for (const rule of RULES) {
    const match = rule.pattern.exec(source.stderr)
    if (match !== null) return { code: rule.code, message, hint: rule.hint(source.program, match) }
  }
  return { code: 'RUNTIME_FAILED', message, hint: doctor() }
}

/** The error of a failed call. `what` completes "Docker could not ...". */
export function failureError(source: FailureSource & { exitCode: number }, what: string): PloinkyError {
  const failure = classifyFailure(source)
  const detail = failure.message === '' ? `exit status ${source.exitCode} without a message` : failure.message
  return new PloinkyError(failure.code, `${source.displayName} could not ${what}: ${detail}`, {
    hint: failure.hint,
    details: { program: source.program, exitCode: source.exitCode },
  })
}
