/** Pure builders of the command lines. Nothing here reads the environment, the clock or the disk. */
import { PloinkyError } from '../../src/core/error.ts'
import { LABEL_AGENT, LABEL_JOB, LABEL_OWNER, LABEL_PORTS, LABEL_SPEC, LABEL_WORKSPACE } from '../../src/core/id.ts'
import type {
  JobSpec,
  MountSpec,
  NetworkAttachment,
  PortSpec,
  RuntimeCapabilities,
  Selector,
  WorkloadSpec,
} from '../adapter.ts'
import { joinedNetworks } from '../supported.ts'
import type { Dialect } from './dialect.ts'
import type { EnvironmentPlan } from './environment.ts'
import { assertReference } from './reference.ts'

/** Detach keys that nobody types: the default (Ctrl-P Ctrl-Q) swallows Ctrl-P, and an empty value does not switch it off. */
export const DETACH_KEYS = 'ctrl-^,ctrl-_,ctrl-^'

const CAPABILITY = /^[A-Za-z_]{2,40}$/
const ADDRESS = /^[0-9A-Fa-f.:]{2,45}$/

const invalid = (message: string, hint: string): PloinkyError => new PloinkyError('CONFIG_INVALID', message, { hint })

/** A NUL would cut an argument short; engines would then see another value than we hashed. */
export function assertArguments(args: readonly string[]): readonly string[] {
  for (const arg of args) {
    if (arg.includes('\0')) throw invalid('A value contains a NUL byte', 'Remove the NUL byte from the configuration')
  }
  return args
}

/** One field of a `--mount` value, which both engines read as CSV. */
const csvField = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

function mountValue(mount: MountSpec): string {
  if (!mount.source.startsWith('/') || !mount.target.startsWith('/')) {
    throw invalid(`Mount paths must be absolute: "${mount.source}" at "${mount.target}"`, 'Use absolute paths')
  }
  const fields = ['type=bind', csvField(`source=${mount.source}`), csvField(`target=${mount.target}`)]
  return [...fields, ...(mount.readOnly ? ['readonly'] : [])].join(',')
}

function portValue(port: PortSpec): string {
  if (!ADDRESS.test(port.hostIp)) throw invalid(`Invalid host address: "${port.hostIp}"`, 'Use 127.0.0.1')
  for (const number of [port.container, port.host]) {
    if (!Number.isInteger(number) || number < 0 || number > 65_535 || port.container === 0) {
      throw invalid(`Invalid port: ${number}`, 'Use a port from 1 to 65535')
    }
  }
  const address = port.hostIp.includes(':') ? `[${port.hostIp}]` : port.hostIp
  return `${address}:${port.host === 0 ? '' : port.host}:${port.container}/${port.protocol}`
}

export function labelFlags(labels: Readonly<Record<string, string>>): string[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    if (key === '' || /[=\s]/.test(key)) throw invalid(`Invalid label: ${JSON.stringify(key)}`, 'Use a plain word')
    return ['--label', `${key}=${value}`]
  })
}

function securityFlags(spec: WorkloadSpec, enforced: Limits): string[] {
  const capability = (flag: string) => (name: string) => {
    if (!CAPABILITY.test(name)) throw invalid(`Invalid capability: "${name}"`, 'Use a name such as NET_ADMIN')
    return [flag, name]
  }
  return [
    '--init',
    '--security-opt',
    'no-new-privileges',
    ...(enforced.pids ? ['--pids-limit', String(spec.limits.pids)] : []),
    ...(spec.limits.memoryBytes === null || !enforced.memory ? [] : ['--memory', String(spec.limits.memoryBytes)]),
    ...(spec.limits.cpus === null || !enforced.cpu ? [] : ['--cpus', String(spec.limits.cpus)]),
    ...(spec.security.readOnlyRoot ? ['--read-only'] : []),
    ...spec.security.dropCapabilities.flatMap(capability('--cap-drop')),
    ...spec.security.addCapabilities.flatMap(capability('--cap-add')),
    ...(spec.security.privileged ? ['--privileged'] : []),
    ...(spec.security.shmBytes === null ? [] : ['--shm-size', String(spec.security.shmBytes)]),
  ]
}

/**
 * The name of this host inside. In the host's own network that is loopback, so that what listens there only is reached;
 * elsewhere the engine says where.
 */
function hostFlags({ assumed: { hostGateway }, addsHost }: Dialect, spec: WorkloadSpec): string[] {
  if (hostGateway === null || spec.network.mode === 'none') return []
  if (spec.network.mode === 'host') return ['--add-host', `${hostGateway}:127.0.0.1`]
  return addsHost ? ['--add-host', `${hostGateway}:host-gateway`] : []
}

export const aliasFlags = (prefix: string, { aliases }: NetworkAttachment): string[] =>
  aliases.flatMap((alias) => [`--${prefix}alias`, alias])

/** The primary network alone: no engine of ours takes several in one call. */
function networkFlags(spec: WorkloadSpec): string[] {
  const published = spec.ports.flatMap((port) => ['--publish', portValue(port)])
  const [primary] = joinedNetworks(spec)
  switch (spec.network.mode) {
    case 'default':
      return published
    case 'networks':
      return primary === undefined
        ? published
        : ['--network', primary.engineName, ...aliasFlags('network-', primary), ...published]
    case 'host':
      // Nothing is published there; the ports are kept where `inspect` finds them again.
      return ['--network', 'host', ...labelFlags({ [LABEL_PORTS]: hostPorts(spec) })]
    case 'none':
      if (published.length === 0) return ['--network', 'none']
      throw invalid('A container without a network cannot publish ports', 'Remove the ports or the network mode "none"')
  }
}

/** Which ports there are is ours to say. */
const withoutPorts = ({ [LABEL_PORTS]: _ports, ...labels }: Readonly<Record<string, string>>) => labels

const hostPorts = (spec: WorkloadSpec): string =>
  spec.ports.map(({ container, protocol }) => `${container}/${protocol}`).join(',')

/** The image and everything after it. An entrypoint of several words spills into the command, as engines take one word. */
function programWords(spec: WorkloadSpec): { flags: string[]; words: string[] } {
  const [first, ...rest] = spec.entrypoint ?? []
  const flags = spec.entrypoint === null ? [] : ['--entrypoint', first ?? '']
  return { flags, words: [...rest, ...(spec.command ?? [])] }
}

type Limits = RuntimeCapabilities['limits']
const ALL_LIMITS: Limits = { memory: true, cpu: true, pids: true }

export interface RunParts {
  /** Hash of the whole spec, kept as a label. */
  readonly hash: string
  readonly environment: EnvironmentPlan
  /** Path of the written env file, when there is one. */
  readonly envFile: string | null
}

/** `run`: creates and starts in one call. Throws CONFIG_INVALID for a spec that cannot be said safely. */
export const runArgs = (dialect: Dialect, spec: WorkloadSpec, parts: RunParts): readonly string[] =>
  containerArgs(dialect, spec, {
    ...parts,
    enforced: ALL_LIMITS,
    verb: ['run', '--detach'],
    own: workloadLabels(spec, parts.hash),
  })

/** The same without the start, for a container that first joins further networks. */
export const createArgs = (dialect: Dialect, spec: WorkloadSpec, parts: RunParts): readonly string[] =>
  containerArgs(dialect, spec, {
    ...parts,
    enforced: ALL_LIMITS,
    verb: ['create'],
    own: workloadLabels(spec, parts.hash),
  })

export interface JobParts extends Omit<RunParts, 'hash'> {
  /** A limit that is not enforced is left out: podman would warn of it among what the program says. */
  readonly enforced: Limits
  readonly name: string
  /** Who waits for the job, see `owner.ts`. */
  readonly owner: string
}

/** Seconds that a job has after SIGTERM when the engine itself goes down. */
const JOB_GRACE_SECONDS = 5

/** `run` of a program that is waited for; nothing is left of its container at its end. */
export function jobArgs(dialect: Dialect, job: JobSpec, parts: JobParts): readonly string[] {
  if (joinedNetworks(job).length > 1) throw invalid('A job joins one network at most', 'Name one network')
  const spec = { ...job, name: parts.name, ports: [], stopGraceSeconds: JOB_GRACE_SECONDS }
  const own = {
    [LABEL_WORKSPACE]: job.workspace,
    [LABEL_JOB]: job.agent,
    [LABEL_OWNER]: parts.owner,
    // An image's label must not make it a workload.
    [LABEL_AGENT]: '',
    [LABEL_SPEC]: '',
  }
  return containerArgs(dialect, spec, { ...parts, verb: ['run', '--rm'], own })
}

const workloadLabels = (spec: WorkloadSpec, hash: string): Record<string, string> => ({
  [LABEL_WORKSPACE]: spec.workspace,
  [LABEL_AGENT]: spec.agent,
  [LABEL_SPEC]: hash,
})

interface ContainerParts extends Omit<RunParts, 'hash'> {
  readonly enforced: Limits
  readonly verb: readonly string[]
  /** Our labels: last, so that they win. */
  readonly own: Readonly<Record<string, string>>
}

function containerArgs(dialect: Dialect, spec: WorkloadSpec, parts: ContainerParts): readonly string[] {
  if (spec.image === null) throw invalid(`No image for "${spec.agent}"`, 'Name an image in the manifest: "container"')
  const program = programWords(spec)
  return assertArguments([
    ...parts.verb,
    ...(spec.openStdin === true ? ['--interactive'] : []),
    '--pull',
    'never',
    '--name',
    spec.name,
    '--restart',
    'no',
    '--stop-timeout',
    String(spec.stopGraceSeconds),
    ...securityFlags(spec, parts.enforced),
    ...(spec.security.gpus === null ? [] : dialect.gpuFlags),
    ...dialect.runFlags(spec),
    ...hostFlags(dialect, spec),
    ...networkFlags(spec),
    ...labelFlags(withoutPorts(spec.labels)),
    ...labelFlags(parts.own),
    ...parts.environment.args,
    ...(parts.envFile === null ? [] : ['--env-file', parts.envFile]),
    ...spec.mounts.flatMap((mount) => ['--mount', mountValue(mount)]),
    ...(spec.workdir === null ? [] : ['--workdir', spec.workdir]),
    ...(spec.user === null ? [] : ['--user', spec.user]),
    ...program.flags,
    '--',
    assertReference(spec.image),
    ...program.words,
  ])
}

export interface ExecParts {
  readonly stdin: boolean
  readonly tty: boolean
  readonly detach?: boolean
  readonly environment: EnvironmentPlan
  readonly envFile: string | null
  readonly cwd?: string | undefined
  readonly user?: string | undefined
}

/** `exec`: a further program in a running container. */
export function execArgs(name: string, argv: readonly string[], parts: ExecParts): readonly string[] {
  if (argv.length === 0) throw new PloinkyError('USAGE_INVALID', 'No command to run', { hint: 'Name a program' })
  return assertArguments([
    'exec',
    ...(parts.detach ? ['--detach'] : []),
    ...(parts.stdin ? ['--interactive'] : []),
    ...(parts.tty ? ['--tty'] : []),
    ...(parts.stdin || parts.tty ? ['--detach-keys', DETACH_KEYS] : []),
    ...parts.environment.args,
    ...(parts.envFile === null ? [] : ['--env-file', parts.envFile]),
    ...(parts.cwd === undefined ? [] : ['--workdir', parts.cwd]),
    ...(parts.user === undefined ? [] : ['--user', parts.user]),
    '--',
    name,
    ...argv,
  ])
}

export const inspectArgs = (ids: readonly string[]): readonly string[] => [
  'inspect',
  '--type',
  'container',
  '--',
  ...ids,
]

const labelFilters = (selector: Selector): string[] => [
  '--filter',
  `label=${LABEL_WORKSPACE}=${selector.workspace}`,
  ...(selector.agent === undefined ? [] : ['--filter', `label=${LABEL_AGENT}=${selector.agent}`]),
]

/** Ids only: the table's other columns are for people. */
export const listArgs = (selector: Selector): readonly string[] => [
  'ps',
  '--all',
  '--quiet',
  '--no-trunc',
  ...labelFilters(selector),
]

export interface LogParts {
  readonly follow: boolean
  readonly tail?: number | undefined
  readonly since?: string | undefined
}

export const logsArgs = (name: string, parts: LogParts): readonly string[] => [
  'logs',
  '--timestamps',
  ...(parts.follow ? ['--follow'] : []),
  ...(parts.tail === undefined ? [] : ['--tail', String(parts.tail)]),
  ...(parts.since === undefined ? [] : ['--since', parts.since]),
  '--',
  name,
]

/** From `since` on (Unix seconds), so that nothing is missed while the CLI connects. */
export const eventsArgs = (dialect: Dialect, selector: Selector, since: string): readonly string[] => [
  'events',
  '--format',
  dialect.jsonFormat,
  '--since',
  since,
  '--filter',
  'type=container',
  ...dialect.eventNames.flatMap((action) => ['--filter', `event=${action}`]),
  ...labelFilters(selector),
]
