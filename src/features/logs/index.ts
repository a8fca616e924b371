/** Logs of agents (kept by their runtime) and of the router (a file of JSON lines). */
import type { WorkspacePaths } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { LogRecord } from '../../core/log.ts'
import { delay } from '../../core/time.ts'
import { workloadName } from '../../core/id.ts'
import type { Platform } from '../../platform/index.ts'
import type { EnabledAgent, Runtimes } from '../agents/index.ts'
import { createLogTail } from './tail.ts'

export { createRotation, type LogLimits, type Rotation } from './rotation.ts'
export { createLogTail, type LogTail } from './tail.ts'
export { createLogWriter } from './writer.ts'

export interface LogEntry {
  readonly source: string
  readonly stream: 'stdout' | 'stderr' | 'log'
  readonly at: string | null
  readonly text: string
}

export interface LogQuery {
  readonly tail?: number
  /** ISO 8601. */
  readonly since?: string
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

export interface LogService {
  agent(agent: EnabledAgent, query: LogQuery): AsyncIterable<LogEntry>
  router(query: LogQuery): AsyncIterable<LogEntry>
  /** `10m`, `2h`, `90s`, `1d` or a date -> ISO 8601. USAGE_INVALID otherwise. */
  parseSince(text: string): string
}

export interface LogOptions {
  platform: Platform
  paths: WorkspacePaths
  runtimes: Runtimes
  workspaceId: string
}

/** Bytes read from the end of the router's logs when only their tail is wanted. */
const TAIL_BYTES = 4 * 1024 * 1024
const FOLLOW_MS = 250

function parseSince(text: string): string {
  const relative = /^(\d+)([smhd])$/.exec(text)
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[relative?.[2] ?? '']
  const time = relative !== null && unit !== undefined ? Date.now() - Number(relative[1]) * unit : Date.parse(text)
  // The range of dates (ECMA-262, 21.4.1.1); a duration may be of any length.
  if (Math.abs(time) <= 8.64e15) return new Date(time).toISOString()
  throw new PloinkyError(
    'USAGE_INVALID',
    `Invalid time: found ${JSON.stringify(text.slice(0, 80))}, expected a duration or a date`,
    {
      hint: 'Use for example: --since 10m, or --since 2026-11-20T12:00:00Z',
    },
  )
}

function toEntry(line: string): LogEntry | null {
  if (line.trim() === '') return null
  const json = parseJson(line)
  // Not a record of ours: what a crashing runtime printed, or a value alone.
  if (!json.ok || typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return { source: 'router', stream: 'stderr', at: null, text: line }
  }
  const { ts, level, msg, ...fields } = json.value as LogRecord
  const extra = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`
  return { source: 'router', stream: 'log', at: ts ?? null, text: `${level ?? ''} ${msg ?? ''}${extra}` }
}

/** Of what there is now: the last `tail` entries, or all; those since a time. */
async function* lastOf(entries: AsyncIterable<LogEntry>, { tail, since }: LogQuery): AsyncGenerator<LogEntry> {
  const kept: LogEntry[] = []
  for await (const entry of entries) {
    if (since !== undefined && (entry.at === null || entry.at < since)) continue
    if (tail === undefined) yield entry
    else if (kept.push(entry) > tail) kept.shift()
  }
  yield* kept
}

export function createLogService({ platform, paths, runtimes, workspaceId }: LogOptions): LogService {
  async function* router(query: LogQuery): AsyncGenerator<LogEntry> {
    const tail = createLogTail(platform.fs, paths.routerLog, query.tail === undefined ? {} : { lastBytes: TAIL_BYTES })
    const entries = async function* (): AsyncGenerator<LogEntry> {
      for await (const line of tail.next()) {
        const entry = toEntry(line)
        if (entry !== null) yield entry
      }
    }
    try {
      yield* lastOf(entries(), query)
      while (query.follow && !query.signal?.aborted) {
        await delay(FOLLOW_MS, query.signal).catch(() => {})
        yield* entries()
      }
    } finally {
      await tail.close()
    }
  }

  return {
    router,
    parseSince,
    async *agent(agent, query) {
      if (agent.runtime === null) {
        throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent.name}" was never started, it has no log`, {
          hint: `Run: ploinky start ${agent.name}`,
        })
      }
      const adapter = await runtimes.use(agent.runtime)
      for await (const line of adapter.logs(workloadName(workspaceId, agent.name), query))
        yield { source: agent.name, ...line }
    },
  }
}
