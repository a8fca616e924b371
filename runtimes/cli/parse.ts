/**
 * What engines answer, read through schemas: ids from lists, facts from `inspect` JSON, never a table for people.
 * Unknown fields are ignored; a missing one is RUNTIME_OUTPUT_UNREADABLE, never a silent gap.
 */
import * as z from 'zod/mini'
import { PloinkyError } from '../../src/core/error.ts'
import { LABEL_AGENT, LABEL_JOB, LABEL_PORTS, LABEL_SPEC, LABEL_WORKSPACE } from '../../src/core/id.ts'
import type { PortSpec, Workload, WorkloadState } from '../adapter.ts'

/** Who answered what, for the error. */
export interface Source {
  readonly runtime: string
  readonly command: string
}

function unreadable(source: Source, path: string, cause?: unknown): PloinkyError {
  const where = path === '' ? '' : ` at "${path}"`
  return new PloinkyError(
    'RUNTIME_OUTPUT_UNREADABLE',
    `Cannot read the answer of ${source.runtime} to "${source.command}"${where}`,
    {
      hint: 'Run: ploinky doctor',
      details: { runtime: source.runtime, command: source.command, path },
      ...(cause === undefined ? {} : { cause }),
    },
  )
}

/** Parses JSON text by a schema; throws RUNTIME_OUTPUT_UNREADABLE naming the runtime, the command and the path. */
export function readJson<T>(schema: z.ZodMiniType<T>, text: string, source: Source): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw unreadable(source, '', cause)
  }
  return readValue(schema, value, source)
}

export function readValue<T>(schema: z.ZodMiniType<T>, value: unknown, source: Source): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw unreadable(source, result.error.issues[0]?.path.map(String).join('.') ?? '', result.error)
}

const text = z.string()
/** Engines say `null` for an empty map. */
const labels = z.nullish(z.record(text, text))

const containerSchema = z.object({
  Id: text,
  Name: text,
  Image: z.nullish(text),
  State: z.object({
    Status: text,
    ExitCode: z.nullish(z.number()),
    OOMKilled: z.nullish(z.boolean()),
    StartedAt: z.nullish(text),
    FinishedAt: z.nullish(text),
    Pid: z.nullish(z.number()),
    Error: z.nullish(text),
  }),
  RestartCount: z.nullish(z.number()),
  HostConfig: z.nullish(z.object({ NetworkMode: z.nullish(text), Tmpfs: z.nullish(z.record(text, text)) })),
  Config: z.object({ Labels: labels, WorkingDir: z.nullish(text) }),
  NetworkSettings: z.nullish(
    z.object({
      Ports: z.nullish(z.record(text, z.nullable(z.array(z.object({ HostIp: z.nullish(text), HostPort: text }))))),
      Networks: z.nullish(z.record(text, z.unknown())),
    }),
  ),
})
type RawContainer = z.infer<typeof containerSchema>

/** One container as the engine describes it, before we know whether it is ours. */
export interface Container {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly labels: Readonly<Record<string, string>>
  /** The engine's names of the networks that it joined. */
  readonly networks: readonly string[]
  readonly workdir: string
  /** Where it has memory for a disk. */
  readonly tmpfs: readonly string[]
  readonly workload: Workload
}

/**
 * A throw-away container. Labels of an image become labels of its containers, but ours win: a workload always has the hash
 * of its spec, a job has an empty one.
 */
export const isJob = (own: Readonly<Record<string, string>>): boolean =>
  !own[LABEL_SPEC] && own[LABEL_JOB] !== undefined

/** Both engines' words for a state. A container that is being removed counts as dead: it cannot be used again. */
const STATES: Readonly<Record<string, WorkloadState>> = {
  created: 'created',
  configured: 'created',
  initialized: 'created',
  running: 'running',
  restarting: 'running',
  stopping: 'running',
  paused: 'paused',
  exited: 'stopped',
  stopped: 'stopped',
  removing: 'dead',
  dead: 'dead',
  unknown: 'dead',
}

/** ISO 8601 in UTC; null for the engines' zero time. */
export function readTime(value: string | null | undefined): string | null {
  if (!value || value.startsWith('0001-')) return null
  const time = new Date(value)
  return Number.isNaN(time.getTime()) ? null : time.toISOString()
}

export const withDigestPrefix = (id: string): string => (id.includes(':') ? id : `sha256:${id}`)

function readPorts(raw: RawContainer): PortSpec[] {
  return Object.entries(raw.NetworkSettings?.Ports ?? {}).flatMap(([key, bindings]) => {
    const [container, protocol] = key.split('/')
    return (bindings ?? []).map((binding) => ({
      container: Number(container),
      host: Number(binding.HostPort),
      hostIp: binding.HostIp || '0.0.0.0',
      protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
    }))
  })
}

/** In the host's network an engine knows no ports: those that were asked for, where the program listens. */
function readHostPorts(label: string | undefined): PortSpec[] {
  return [...(label ?? '').matchAll(/(?:^|,)([0-9]{1,5})\/(tcp|udp)(?=,|$)/g)].map(([, port, protocol]) => ({
    container: Number(port),
    host: Number(port),
    hostIp: '127.0.0.1',
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
  }))
}

function portsOf(raw: RawContainer): PortSpec[] {
  const inHost = raw.HostConfig?.NetworkMode === 'host'
  return inHost ? readHostPorts(raw.Config.Labels?.[LABEL_PORTS]) : readPorts(raw)
}

/** How it ended. An engine keeps the end of the run before; while a container runs that would be a lie. */
function readEnd(
  { State: { ExitCode, OOMKilled, Error, FinishedAt } }: RawContainer,
  ended: boolean,
): Pick<Workload, 'exitCode' | 'oomKilled' | 'error' | 'finishedAt'> {
  return {
    exitCode: ended ? (ExitCode ?? null) : null,
    oomKilled: OOMKilled ?? false,
    error: Error || null,
    finishedAt: ended ? readTime(FinishedAt) : null,
  }
}

/** Where it is, in which networks, and what it has for disks. */
function readPlace({
  NetworkSettings,
  Config,
  HostConfig,
}: RawContainer): Pick<Container, 'networks' | 'workdir' | 'tmpfs'> {
  return {
    networks: Object.keys(NetworkSettings?.Networks ?? {}),
    workdir: Config.WorkingDir || '/',
    tmpfs: Object.keys(HostConfig?.Tmpfs ?? {}).map((path) => path.replace(/(?<=.)\/+$/, '')),
  }
}

function toContainer(raw: RawContainer, source: Source): Container {
  const state = STATES[raw.State.Status.toLowerCase()]
  if (state === undefined) throw unreadable(source, `State.Status (${JSON.stringify(raw.State.Status.slice(0, 40))})`)
  const own = raw.Config.Labels ?? {}
  const name = raw.Name.replace(/^\//, '')
  return {
    id: raw.Id,
    name,
    status: raw.State.Status,
    labels: own,
    ...readPlace(raw),
    workload: {
      name,
      id: raw.Id,
      workspace: own[LABEL_WORKSPACE] ?? '',
      agent: own[LABEL_AGENT] ?? '',
      spec: own[LABEL_SPEC] ?? '',
      imageId: raw.Image ? withDigestPrefix(raw.Image) : null,
      state,
      ...readEnd(raw, state === 'stopped' || state === 'dead'),
      restartCount: raw.RestartCount ?? null,
      startedAt: readTime(raw.State.StartedAt),
      labels: own,
      // podman keeps telling the ports of the last run; nothing answers there any more.
      ports: state === 'running' || state === 'paused' ? portsOf(raw) : [],
      pid: raw.State.Pid ? raw.State.Pid : null,
    },
  }
}

/** The answer of `inspect`: an array of containers. */
export function parseContainers(output: string, source: Source): Container[] {
  // docker prints an empty array, or nothing but a line break, beside an error for an unknown id.
  if (output.trim() === '') return []
  return readJson(z.array(containerSchema), output, source).map((raw) => toContainer(raw, source))
}

/** The answer of the API's `GET /containers/ID/json`. */
export function parseContainer(output: string, source: Source): Container {
  return toContainer(readJson(containerSchema, output, source), source)
}

const ID = /^[0-9a-f]{12,64}$/

/** Ids of the API's `GET /containers/json`. */
export function parseListed(output: string, source: Source): string[] {
  return readJson(z.array(z.object({ Id: text })), output, source).map(({ Id }) => {
    if (!ID.test(Id)) throw unreadable(source, `id ${JSON.stringify(Id.slice(0, 40))}`)
    return Id
  })
}

const words = z.nullish(z.array(text))
const imageSchema = z.object({
  Id: text,
  RepoDigests: z.nullish(z.array(text)),
  Config: z.nullish(z.object({ Entrypoint: words, Cmd: words })),
})

export interface ImageFacts {
  readonly id: string
  readonly digest: string | null
  readonly command: { readonly entrypoint: readonly string[]; readonly arguments: readonly string[] }
}

/** The answer of `image inspect` for one reference; null when the array is empty. */
export function parseImage(output: string, source: Source): ImageFacts | null {
  if (output.trim() === '') return null
  const [image] = readJson(z.array(imageSchema), output, source)
  if (image === undefined) return null
  const digest = image.RepoDigests?.[0]?.split('@')[1] ?? null
  const command = { entrypoint: image.Config?.Entrypoint ?? [], arguments: image.Config?.Cmd ?? [] }
  return { id: withDigestPrefix(image.Id), digest, command }
}

/** Ids of `ps --quiet --no-trunc`, one a line. */
export function parseIds(output: string, source: Source): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      if (!ID.test(line)) throw unreadable(source, `id ${JSON.stringify(line.slice(0, 40))}`)
      return line
    })
}
