/** What a running container uses now. */
import * as z from 'zod/mini'
import type { CallOptions, WorkloadStats } from '../adapter.ts'
import type { EngineApi } from './api.ts'
import type { Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { readJson, type Source } from './parse.ts'

const count = z.nullish(z.number())

/** `GET /containers/ID/stats`: the same shape from both engines; the cgroup version decides which memory fields are there. */
const sampleSchema = z.object({
  cpu_stats: z.object({
    cpu_usage: z.object({ total_usage: z.number() }),
    system_cpu_usage: count,
    online_cpus: count,
  }),
  memory_stats: z.nullish(z.object({ usage: count, stats: z.nullish(z.record(z.string(), z.number())) })),
  pids_stats: z.nullish(z.object({ current: count })),
})

export interface Sample {
  /** CPU nanoseconds of the container and when they were read (milliseconds). */
  readonly cpuNanoseconds: number
  readonly readAt: number
  readonly memoryBytes: number | null
  readonly pids: number | null
}

/** As docker's own display does: file cache that the kernel can drop is not counted as use. */
function usedMemory(memory: z.infer<typeof sampleSchema>['memory_stats']): number | null {
  if (memory?.usage === null || memory?.usage === undefined) return null
  const cache = memory.stats?.['total_inactive_file'] ?? memory.stats?.['inactive_file'] ?? 0
  return cache < memory.usage ? memory.usage - cache : memory.usage
}

export function parseSample(body: string, source: Source, readAt: number): Sample {
  const raw = readJson(sampleSchema, body, source)
  return {
    cpuNanoseconds: raw.cpu_stats.cpu_usage.total_usage,
    readAt,
    memoryBytes: usedMemory(raw.memory_stats),
    pids: raw.pids_stats?.current ?? null,
  }
}

/** Per cent of one processor between two samples; null for the first. */
export function cpuPercent(before: Sample | undefined, now: Sample): number | null {
  if (before === undefined || now.readAt <= before.readAt || now.cpuNanoseconds < before.cpuNanoseconds) return null
  return ((now.cpuNanoseconds - before.cpuNanoseconds) / 1e6 / (now.readAt - before.readAt)) * 100
}

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** docker: `MemUsage`, `CPUPerc`, `PIDs`; podman: `mem_usage`, `cpu_percent`, `pids`. Values are text with units. */
const lineSchema = z.union([
  z.pipe(
    z.object({ MemUsage: z.string(), CPUPerc: z.string(), PIDs: z.string() }),
    z.transform((raw) => ({ memory: raw.MemUsage, cpu: raw.CPUPerc, pids: raw.PIDs })),
  ),
  z.pipe(
    z.object({ mem_usage: z.string(), cpu_percent: z.string(), pids: z.string() }),
    z.transform((raw) => ({ memory: raw.mem_usage, cpu: raw.cpu_percent, pids: raw.pids })),
  ),
])

const numberOrNull = (text: string): number | null => (/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null)

/** The answer of `stats --no-stream` as JSON: an object (docker) or an array of one (podman); "--" means unknown. */
export function parseStats(output: string, source: Source): WorkloadStats {
  const schema = z.union([
    z.array(lineSchema).check(z.minLength(1)),
    z.pipe(
      lineSchema,
      z.transform((line) => [line]),
    ),
  ])
  const [line] = readJson(schema as z.ZodMiniType<{ memory: string; cpu: string; pids: string }[]>, output, source)
  const match = /^([\d.]+)\s*([A-Za-z]+)/.exec(line?.memory ?? '')
  const unit = UNITS[match?.[2] ?? '']
  return {
    cpuPercent: numberOrNull((line?.cpu ?? '').replace(/%$/, '')),
    memoryBytes: match === null || unit === undefined ? null : Math.round(Number(match[1]) * unit),
    pids: numberOrNull(line?.pids ?? ''),
  }
}

export interface StatsParts {
  api(): EngineApi | null
  /** False where the engine's numbers are not those of the container (rootless without cgroup v2). */
  measures(): boolean
}

export function createStats(engine: Engine, containers: Containers, { api, measures }: StatsParts) {
  /** The sample before, by container id: CPU use is a difference. */
  const samples = new Map<string, Sample>()

  async function byApi(socket: EngineApi, id: string, options: CallOptions): Promise<WorkloadStats | null> {
    const path = `/containers/${id}/stats?stream=false&one-shot=true`
    const answer = await socket.call('GET', path, { signal: options.signal })
    if (answer.status !== 200) return null
    const now = parseSample(answer.body, { runtime: engine.dialect.id, command: `GET ${path}` }, Date.now())
    const percent = cpuPercent(samples.get(id), now)
    if (samples.size > 1000) samples.clear()
    samples.set(id, now)
    return { cpuPercent: percent, memoryBytes: now.memoryBytes, pids: now.pids }
  }

  return async function stats(name: string, options: CallOptions = {}): Promise<WorkloadStats | null> {
    if (!measures()) return null
    const container = await containers.owned(name, options)
    if (container?.workload.state !== 'running') return null
    const socket = api()
    const quick = socket === null ? null : await byApi(socket, container.id, options).catch(() => null)
    if (quick !== null) return quick
    const args = ['stats', '--no-stream', '--no-trunc', '--format', engine.dialect.jsonFormat, container.id]
    const result = await engine.call(args, { signal: options.signal })
    if (result.exitCode === 0) return parseStats(result.stdout, engine.source(args))
    if (/not supported/i.test(result.stderr)) return null
    const error = engine.fail(result, `measure "${name}"`)
    if (error.code === 'WORKLOAD_NOT_FOUND' || error.code === 'AGENT_NOT_RUNNING') return null
    throw error
  }
}
