/** State changes from the engine's own event stream. */
import * as z from 'zod/mini'
import { LABEL_AGENT, LABEL_WORKSPACE } from '../../src/core/id.ts'
import { messageOf, PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, RuntimeEvent, Selector } from '../adapter.ts'
import { bufferBytes, textLines } from './bytes.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { eventsArgs } from './oci.ts'
import { isJob, readJson, readTime, type Source } from './parse.ts'

/** An event carries all labels of its container; more than this is not an event. */
const MAX_EVENT_CHARACTERS = 4 * 1024 * 1024
/** Kept of what the engine says on stderr. */
const MAX_SAID = 4096

const text = z.string()
/** docker: `Action`, `Actor.Attributes` (labels, name, exit code), `timeNano`; podman: `Status`, `Attributes` (labels), `Time`. */
const eventSchema = z.union([
  z.object({
    Action: text,
    Actor: z.object({ ID: text, Attributes: z.record(text, text) }),
    timeNano: z.number(),
  }),
  z.object({
    Status: text,
    ID: text,
    Name: text,
    Time: text,
    Attributes: z.nullish(z.record(text, text)),
    ContainerExitCode: z.nullish(z.number()),
  }),
])

/** All names that engines have for a change of state; podman says docker's on its docker-like API, and its own elsewhere. */
const TYPES: Readonly<Record<string, RuntimeEvent['type']>> = {
  start: 'started',
  die: 'exited',
  died: 'exited',
  pause: 'paused',
  unpause: 'unpaused',
  destroy: 'removed',
  remove: 'removed',
}

export interface ParsedEvent extends RuntimeEvent {
  readonly workspace: string
  /** Same for the same event told twice. */
  readonly key: string
}

/** One line of the event stream; null for an event that says nothing about a state. */
export function parseEvent(line: string, source: Source): ParsedEvent | null {
  const raw = readJson(eventSchema, line, source)
  const facts =
    'Action' in raw
      ? {
          action: raw.Action,
          id: raw.Actor.ID,
          name: raw.Actor.Attributes['name'] ?? '',
          labels: raw.Actor.Attributes,
          at: new Date(raw.timeNano / 1e6).toISOString(),
          moment: String(raw.timeNano),
          exitCode: raw.Actor.Attributes['exitCode'],
        }
      : {
          action: raw.Status,
          id: raw.ID,
          name: raw.Name,
          labels: raw.Attributes ?? {},
          at: readTime(raw.Time) ?? new Date(0).toISOString(),
          moment: raw.Time,
          // podman leaves a zero out.
          exitCode: raw.ContainerExitCode ?? 0,
        }
  const type = TYPES[facts.action]
  const workspace = facts.labels[LABEL_WORKSPACE]
  if (type === undefined || workspace === undefined || isJob(facts.labels)) return null
  const exitCode = type === 'exited' && facts.exitCode !== undefined ? Number(facts.exitCode) : null
  return {
    type,
    name: facts.name,
    agent: facts.labels[LABEL_AGENT] ?? '',
    at: facts.at,
    exitCode,
    workspace,
    key: `${facts.id} ${type} ${facts.moment}`,
  }
}

/** Unix seconds with nanoseconds, the one form of time that both engines take. */
const unixNow = (): string => (Date.now() / 1000).toFixed(3)

export function createEvents(engine: Engine, api: () => EngineApi | null) {
  return function events(selector: Selector, options: CallOptions = {}): AsyncIterable<RuntimeEvent> {
    // From the call on, not from the first read: the engine replays what happened in between.
    return read({ engine, api: api(), selector, since: unixNow(), signal: options.signal })
  }
}

interface Reading {
  readonly engine: Engine
  readonly api: EngineApi | null
  readonly selector: Selector
  readonly since: string
  readonly signal: AbortSignal | undefined
}

/** An open stream of events. */
interface Channel {
  readonly bytes: AsyncIterable<Uint8Array>
  readonly source: Source
  end(): void
  /** After the end of the bytes: what the engine says about it. */
  why(): Promise<string>
}

/** Keys of events that a stream which is opened again could tell again. */
const MAX_SEEN = 1000
/** Ends that nobody asked for, within this time (ms), before they count as the engine's failure. */
const MAX_ENDS = 3
const ENDS_WITHIN_MS = 60_000

/**
 * Events until the caller has enough. An engine may end a stream and be well (podman does when it shortens its log of
 * events): then the stream is opened again where it ended, and nothing is lost or told twice.
 */
async function* read(reading: Reading): AsyncGenerator<RuntimeEvent> {
  const told = { since: reading.since, seen: new Set<string>() }
  let ends: number[] = []
  for (;;) {
    const why = yield* readOnce({ ...reading, since: told.since }, told)
    if (why === null) return
    const now = Date.now()
    ends = [...ends.filter((at) => now - at < ENDS_WITHIN_MS), now]
    if (ends.length < MAX_ENDS && (await isThere(reading))) continue
    throw new PloinkyError('RUNTIME_UNAVAILABLE', `${reading.engine.dialect.displayName} ended its events`, {
      hint: 'Run: ploinky doctor',
      details: { message: why },
    })
  }
}

const isThere = async ({ engine }: Reading): Promise<boolean> => {
  const answer = await engine.call(['ps', '--quiet', '--filter', `label=${LABEL_WORKSPACE}=none`]).catch(() => null)
  return answer?.exitCode === 0
}

interface Told {
  /** Where a stream that is opened again begins. */
  since: string
  readonly seen: Set<string>
}

function isNew(event: ParsedEvent, told: Told): boolean {
  if (told.seen.has(event.key)) return false
  told.seen.add(event.key)
  const [oldest] = told.seen
  if (told.seen.size > MAX_SEEN && oldest !== undefined) told.seen.delete(oldest)
  // Engines take seconds with three decimals; what happened in the same moment is told again and known.
  const at = Date.parse(event.at)
  if (at > 0) told.since = (at / 1000).toFixed(3)
  return true
}

/** One stream; returns null when the caller ended it, else what the engine says about its end. */
async function* readOnce(reading: Reading, told: Told): AsyncGenerator<RuntimeEvent, string | null> {
  const { engine, selector, signal } = reading
  if (signal?.aborted) return null
  const channel = (await overApi(reading)) ?? overCli(reading)
  let ended = false
  const end = (): void => {
    ended = true
    channel.end()
  }
  const forget = engine.track(end)
  if (signal?.aborted) end()
  else signal?.addEventListener('abort', end, { once: true })
  try {
    for await (const line of textLines(channel.bytes, MAX_EVENT_CHARACTERS)) {
      if (line.trim() === '') continue
      const event = parseEvent(line, channel.source)
      if (event === null || event.workspace !== selector.workspace || !isNew(event, told)) continue
      if (selector.agent !== undefined && event.agent !== selector.agent) continue
      yield { type: event.type, name: event.name, agent: event.agent, at: event.at, exitCode: event.exitCode }
    }
    return ended ? null : await channel.why()
  } finally {
    signal?.removeEventListener('abort', end)
    forget()
    end()
  }
}

/** One connection, no process: nothing is left behind when we are killed. Null when the API cannot be had. */
async function overApi({ api, selector, since, signal }: Reading): Promise<Channel | null> {
  if (api === null) return null
  const label = [`${LABEL_WORKSPACE}=${selector.workspace}`]
  if (selector.agent !== undefined) label.push(`${LABEL_AGENT}=${selector.agent}`)
  const filters = encodeURIComponent(JSON.stringify({ type: ['container'], label }))
  const path = `/events?since=${since}&filters=${filters}`
  const controller = new AbortController()
  const end = (): void => controller.abort()
  signal?.addEventListener('abort', end, { once: true })
  const body = await api.follow(path, controller.signal).catch(() => null)
  signal?.removeEventListener('abort', end)
  if (body === null) return null
  let broken = ''
  async function* bytes(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      // Cut by us or by the engine: an end in both cases.
      broken = messageOf(error)
    }
  }
  return {
    bytes: bytes(body),
    source: { runtime: 'engine API', command: 'GET /events' },
    end,
    why: async () => broken,
  }
}

function overCli({ engine, selector, since }: Reading): Channel {
  const args = eventsArgs(engine.dialect, selector, since)
  const child = engine.stream(args, {})
  let said = ''
  const decoder = new TextDecoder()
  const errors = bufferBytes(child.stderr, (chunk) => {
    said = (said + decoder.decode(chunk, { stream: true })).slice(-MAX_SAID)
  })
  errors.discard()
  return {
    bytes: bufferBytes(child.stdout).bytes,
    source: engine.source(args),
    end: () => child.kill('SIGKILL'),
    async why() {
      const exitCode = await child.exit
      return engine.fail({ exitCode, stderr: said }, 'give events').message
    },
  }
}
