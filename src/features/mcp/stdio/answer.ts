/**
 * The answer to one request of a client: JSON when the first thing to say is the last, otherwise a stream of events. What is
 * said late enough begins a stream too, so that nobody on the way takes the silence for an end.
 */
import type { ServerResponse } from '../../../platform/index.ts'
import { onOneLine } from './spans.ts'

/** Between signs of life; proxies on the way cut after 30 s or more. */
const KEEP_ALIVE_MS = 15_000
/** Unsent, above which the program is held back. */
const HIGH_WATER_BYTES = 256 * 1024
const KEEP_ALIVE = ': keep-alive\n\n'
const BEFORE = Buffer.from('data: ')
const AFTER = Buffer.from('\n\n')

export interface AnswerOptions {
  readonly outgoing: ServerResponse
  readonly requestId: string
  /** Events, JSON: what the client takes; at least one. */
  readonly accepts: { readonly stream: boolean; readonly json: boolean }
  /** A client that does not read is cut off after this long, ms. */
  readonly patienceMs: number
  /** Added to the head; asked for when it is written. */
  headers?(): Readonly<Record<string, string>>
  /** What a stream begins with that has no event yet. */
  opening?(): string
  /** The client went away before the end. */
  onGone(): void
}

export interface Answer {
  /** Nothing was written yet. */
  readonly isFresh: boolean
  readonly isStream: boolean
  readonly isOpen: boolean
  readonly canStream: boolean
  /** One more event; a promise holds the program back until the client has read enough. */
  event(line: Buffer, id?: string): Promise<void> | undefined
  /** The last thing to say. `status` counts while nothing was written. */
  finish(line: Buffer, options?: { id?: string | undefined; status?: number }): Promise<void> | undefined
  /** Ends without more to say. */
  close(): void
  /** Begins the stream now. */
  open(): void
}

/** One clock for all answers: a timer for each would cost more than most answers do. */
const waiting = new Set<() => void>()
let clock: ReturnType<typeof setInterval> | null = null

function watch(tick: () => void): () => void {
  waiting.add(tick)
  clock ??= setInterval(() => {
    for (const one of waiting) one()
  }, KEEP_ALIVE_MS / 3)
  clock.unref?.()
  return () => {
    waiting.delete(tick)
    if (waiting.size > 0 || clock === null) return
    clearInterval(clock)
    clock = null
  }
}

export function createAnswer(options: AnswerOptions): Answer {
  const { outgoing, accepts } = options
  let state: 'fresh' | 'stream' | 'done' = outgoing.destroyed ? 'done' : 'fresh'
  let silentTicks = 0
  const unwatch = watch(() => {
    silentTicks += 1
    if (silentTicks < 3 || !accepts.stream) return
    silentTicks = 0
    if (state === 'fresh') open()
    if (outgoing.writableLength < HIGH_WATER_BYTES) outgoing.write(KEEP_ALIVE)
  })
  outgoing.once('close', () => {
    const early = state !== 'done'
    done()
    if (early) options.onGone()
  })

  function done(): void {
    state = 'done'
    unwatch()
  }

  const common = () => ({ 'cache-control': 'no-store', 'x-request-id': options.requestId, ...options.headers?.() })

  function begin(): void {
    state = 'stream'
    outgoing.writeHead(200, {
      ...common(),
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
  }

  function open(): void {
    if (state !== 'fresh') return
    begin()
    const opening = options.opening?.() ?? ''
    if (opening === '') outgoing.flushHeaders()
    else outgoing.write(opening)
  }

  function event(line: Buffer, id?: string): Promise<void> | undefined {
    if (state === 'done') return undefined
    if (state === 'fresh') begin()
    silentTicks = 0
    const head = id === undefined ? BEFORE : Buffer.from(`id: ${id}\ndata: `)
    const more = outgoing.write(Buffer.concat([head, onOneLine(line), AFTER]))
    return more ? undefined : flushed(outgoing, options.patienceMs)
  }

  return {
    get isFresh() {
      return state === 'fresh'
    },
    get isStream() {
      return state === 'stream'
    },
    get isOpen() {
      return state !== 'done'
    },
    canStream: accepts.stream,
    event,
    finish(line, { id, status = 200 } = {}) {
      if (state === 'done') return undefined
      if (state === 'stream' || !accepts.json) {
        const held = event(line, id)
        done()
        outgoing.end()
        return held
      }
      done()
      const headers = { ...common(), 'content-type': 'application/json', 'content-length': String(line.length) }
      outgoing.writeHead(status, headers)
      outgoing.end(line)
      return outgoing.writableLength < HIGH_WATER_BYTES ? undefined : flushed(outgoing, options.patienceMs)
    },
    close() {
      if (state === 'done') return
      if (state === 'fresh') begin()
      done()
      outgoing.end()
    },
    open,
  }
}

/** Resolves when the client has read enough, is gone, or was cut off because it did not read. */
function flushed(outgoing: ServerResponse, patienceMs: number): Promise<void> | undefined {
  if (outgoing.destroyed || outgoing.writableLength < HIGH_WATER_BYTES) return undefined
  return new Promise((resolve) => {
    const timer = setTimeout(() => outgoing.destroy(), patienceMs)
    const settle = (): void => {
      clearTimeout(timer)
      for (const name of ['drain', 'finish', 'close']) outgoing.off(name, settle)
      resolve()
    }
    for (const name of ['drain', 'finish', 'close']) outgoing.once(name, settle)
  })
}
