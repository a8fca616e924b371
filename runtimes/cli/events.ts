/** State changes from the engine's own event stream. */
import * as z from 'zod/mini'
import { LABEL_AGENT, LABEL_WORKSPACE } from '../../src/core/id.ts'
import { PloinkyError } from '../../src/core/error.ts'
import type { CallOptions, RuntimeEvent, Selector } from '../adapter.ts'
import { bufferBytes, textLines } from './bytes.ts'
import type { Dialect, Engine } from './dialect.ts'
import { eventsArgs } from './oci.ts'
import { readJson, readTime, type Source } from './parse.ts'

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

export interface ParsedEvent extends RuntimeEvent {
  readonly workspace: string
  /** Same for the same event told twice. */
  readonly key: string
}

/** One line of the event stream; null for an event that says nothing about a state. */
export function parseEvent(dialect: Dialect, line: string, source: Source): ParsedEvent | null {
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
  const type = dialect.eventTypes[facts.action]
  const workspace = facts.labels[LABEL_WORKSPACE]
  if (type === undefined || workspace === undefined) return null
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

export function createEvents(engine: Engine) {
  return function events(selector: Selector, options: CallOptions = {}): AsyncIterable<RuntimeEvent> {
    // From the call on, not from the first read: the engine replays what happened in between.
    const args = eventsArgs(engine.dialect, selector, unixNow())
    return read(engine, { args, selector, signal: options.signal })
  }
}

interface Reading {
  readonly args: readonly string[]
  readonly selector: Selector
  readonly signal: AbortSignal | undefined
}

async function* read(engine: Engine, { args, selector, signal }: Reading): AsyncGenerator<RuntimeEvent> {
  if (signal?.aborted) return
  const child = engine.stream(args, {})
  let disposed = false
  const forget = engine.track(() => {
    disposed = true
    child.kill('SIGKILL')
  })
  const end = (): void => child.kill('SIGKILL')
  signal?.addEventListener('abort', end, { once: true })
  let said = ''
  const decoder = new TextDecoder()
  const errors = bufferBytes(child.stderr, (chunk) => {
    said = (said + decoder.decode(chunk, { stream: true })).slice(-MAX_SAID)
  })
  errors.discard()
  const source = engine.source(args)
  let last = ''
  try {
    for await (const line of textLines(bufferBytes(child.stdout).bytes, MAX_EVENT_CHARACTERS)) {
      if (line.trim() === '') continue
      const event = parseEvent(engine.dialect, line, source)
      if (event === null || event.workspace !== selector.workspace || event.key === last) continue
      if (selector.agent !== undefined && event.agent !== selector.agent) continue
      last = event.key
      yield { type: event.type, name: event.name, agent: event.agent, at: event.at, exitCode: event.exitCode }
    }
    if (signal?.aborted || disposed) return
    const exitCode = await child.exit
    throw new PloinkyError('RUNTIME_UNAVAILABLE', `${engine.dialect.displayName} ended its events`, {
      hint: 'Run: ploinky doctor',
      details: { exitCode, message: engine.fail({ exitCode, stderr: said }, 'give events').message },
    })
  } finally {
    signal?.removeEventListener('abort', end)
    forget()
    end()
  }
}
