/** Logs of agents (kept by their runtime) and of the router (a file of JSON lines). */
import type { WorkspacePaths } from '../../config/paths.ts'
import { asPloinkyError, PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { LogRecord } from '../../core/log.ts'
import { delay } from '../../core/time.ts'
import { workloadName } from '../../core/id.ts'
import type { Platform } from '../../platform/index.ts'
import type { EventBus } from '../../core/events.ts'
import type { EnabledAgent, Registry, Runtimes } from '../agents/index.ts'
import { followOver } from './follow.ts'
import { mergeEnding, mergeFollowed } from './merge.ts'
import { createLogTail } from './tail.ts'
import type { LogEntry, LogQuery } from './types.ts'

export { createRotation, type LogLimits, rotatedFiles, type Rotation } from './rotation.ts'
export { createLogTail, type LogTail } from './tail.ts'
export type { LogEntry, LogQuery } from './types.ts'
export { createLogWriter } from './writer.ts'

export interface LogService {
  agent(agent: EnabledAgent, query: LogQuery): AsyncIterable<LogEntry>
  router(query: LogQuery): AsyncIterable<LogEntry>
  /** One or several by name (`router` among them), by time. `overRestarts`: a follower waits for the next start of an agent. */
  read(names: readonly string[], query: LogQuery, options: { overRestarts: boolean }): AsyncIterable<LogEntry>
  /** `10m`, `2h`, `90s`, `1d` or a date -> ISO 8601. USAGE_INVALID otherwise. */
  parseSince(text: string): string
}

export interface LogOptions {
  platform: Platform
  paths: WorkspacePaths
  runtimes: Runtimes
  registry: Pick<Registry, 'get'>
  events: EventBus
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

/** Those in the time that was asked for; the end of it is the end of the log. */
async function* within(entries: AsyncIterable<LogEntry>, { since, until }: LogQuery): AsyncGenerator<LogEntry> {
  for await (const entry of entries) {
    if (until !== undefined && entry.at !== null && entry.at > until) return
    if (since === undefined || (entry.at !== null && entry.at >= since)) yield entry
  }
}

async function* lastOf(entries: AsyncIterable<LogEntry>, count: number | undefined): AsyncGenerator<LogEntry> {
  if (count === undefined) return yield* entries
  let kept: LogEntry[] = []
  for await (const entry of entries) {
    kept.push(entry)
    // Dropped in heaps: taking the first of a long list away moves all others.
    if (kept.length > count * 2 + 1000) kept = kept.slice(kept.length - count)
  }
  yield* count === 0 ? [] : kept.slice(-count)
}

export function createLogService(options: LogOptions): LogService {
  const { platform, paths, runtimes, workspaceId } = options

  async function* router(query: LogQuery): AsyncGenerator<LogEntry> {
    const tail = createLogTail(platform.fs, paths.routerLog, query.tail === undefined ? {} : { lastBytes: TAIL_BYTES })
    const entries = async function* (): AsyncGenerator<LogEntry> {
      for await (const line of tail.next()) {
        const entry = toEntry(line)
        if (entry !== null) yield entry
      }
    }
    const isOver = (): boolean => query.until !== undefined && new Date().toISOString() > query.until
    try {
      yield* lastOf(within(entries(), query), query.tail)
      while (query.follow && !query.signal?.aborted && !isOver()) {
        await delay(FOLLOW_MS, query.signal).catch(() => {})
        yield* within(entries(), { ...(query.until === undefined ? {} : { until: query.until }) })
      }
    } finally {
      await tail.close()
    }
  }

  async function* agent(agent: EnabledAgent, query: LogQuery): AsyncGenerator<LogEntry> {
    if (agent.runtime === null) {
      throw new PloinkyError('AGENT_NOT_RUNNING', `Agent "${agent.name}" was never started, it has no log`, {
        hint: `Run: ploinky start ${agent.name}`,
      })
    }
    const adapter = await runtimes.use(agent.runtime)
    const lines = async function* (asked: LogQuery): AsyncGenerator<LogEntry> {
      for await (const line of adapter.logs(workloadName(workspaceId, agent.name), asked))
        yield { source: agent.name, ...line }
    }
    if (query.until === undefined) return yield* lines(query)
    // Engines count the last lines of all, not of those before a time.
    const { tail: _tail, ...rest } = query
    yield* lastOf(within(lines({ ...rest, follow: false }), query), query.tail)
  }

  async function* followed(name: string, query: LogQuery & { signal: AbortSignal }): AsyncGenerator<LogEntry> {
    const { events } = options
    yield* followOver({
      ...{ agent: name, events, signal: query.signal },
      async *open(since) {
        // Enabled anew in the meantime, perhaps for another engine.
        const found = await options.registry.get(name)
        yield* agent(found, since === null ? query : { follow: true, signal: query.signal, since })
      },
    })
  }

  return {
    router,
    parseSince,
    agent,
    async *read(names, query, { overRestarts }) {
      const signal = query.signal ?? new AbortController().signal
      const follows = query.follow === true && query.until === undefined
      const open = async function* (name: string): AsyncGenerator<LogEntry> {
        if (name === 'router') return yield* router({ ...query, follow: follows })
        if (follows && overRestarts) return yield* followed(name, { ...query, signal })
        yield* agent(await options.registry.get(name), { ...query, follow: follows })
      }
      const [only, ...others] = names
      if (others.length === 0) return yield* open(only ?? 'router')
      const sources = names.map((name) => told(name, open(name)))
      for await (const entry of follows ? mergeFollowed(sources) : mergeEnding(sources))
        yield { ...entry, merged: true }
    },
  }
}

/** Of several logs, one that cannot be read is a line of the others and not their end. */
async function* told(name: string, entries: AsyncIterable<LogEntry>): AsyncGenerator<LogEntry> {
  try {
    yield* entries
  } catch (error) {
    const { code, message } = asPloinkyError(error)
    if (code === 'INTERRUPTED') throw error
    yield { source: name, stream: 'log', at: new Date().toISOString(), text: `warn ${message} (${code})` }
  }
}
