/** The live log: one request whose answer does not end, taken up again where it broke off. */
import { errorOf, goToSignIn, routerUrl } from '../../shared/api.ts'
import type { ApiError } from '../../shared/api.ts'
import { backoffMs } from '../../shared/live.ts'
import type { LogLine } from './log-line.ts'
import { createLineReader } from './log-line.ts'

export type StreamState =
  | { readonly kind: 'connecting' | 'live' | 'ended' }
  | { readonly kind: 'waiting'; readonly retryAt: number }
  | { readonly kind: 'failed'; readonly problem: ApiError }

export interface LogQuery {
  readonly sources: readonly string[]
  /** Lines of each that are there at once. */
  readonly lines: number
  /** As the command takes it; '' for none. */
  readonly since: string
  readonly until: string
}

export interface StreamOptions extends LogQuery {
  onLines(lines: LogLine[]): void
  onState(state: StreamState): void
}

/** Several logs do not arrive in step: so much before the last line is asked for again, and told once (ms). */
const OVERLAP_MS = 2000
const REMEMBERED = 2000
/** An unfinished line that is longer is given up. */
const MAX_LINE = 4 * 1024 * 1024

export function logAddress(query: LogQuery, options: { follow: boolean; after: string | null }): string {
  const search = new URLSearchParams({ source: query.sources.join(',') })
  if (options.follow) search.set('follow', 'true')
  if (options.after === null) search.set('lines', String(query.lines))
  const since = options.after ?? query.since
  if (since !== '') search.set('since', since)
  if (query.until !== '') search.set('until', query.until)
  return `api/v1/logs?${search.toString()}`
}

/** Cuts a stream of text into JSON values. Throws RangeError for a line that does not end. */
export function createNdjsonParser(): (text: string) => unknown[] {
  let rest = ''
  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new RangeError('Line too long')
    return lines.flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
  }
}

/** Tells the same line once: by its log, its time and its text. */
export function createOnce(): (line: LogLine) => boolean {
  let seen = new Set<string>()
  let before = new Set<string>()
  return ({ source, at, raw }) => {
    const key = `${source}\n${at}\n${raw}`
    if (at !== '' && (seen.has(key) || before.has(key))) return false
    seen.add(key)
    if (seen.size > REMEMBERED) [before, seen] = [seen, new Set()]
    return true
  }
}

/** Starts to read; returns the way out. */
export function openLogStream(options: StreamOptions): () => void {
  const ended = new AbortController()
  const reader = createLineReader()
  const isNew = createOnce()
  let lastAt: string | null = null
  let attempt = 0
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function take(values: readonly unknown[], isAgain: boolean): void {
    const lines: LogLine[] = []
    for (const value of values) {
      if (typeof value === 'object' && value !== null && 'error' in value) throw errorOf(0, value)
      const line = reader.read(value)
      if (line === null || (!isNew(line) && isAgain)) continue
      if (line.at !== '') lastAt = line.at
      lines.push(line)
    }
    if (lines.length > 0) options.onLines(lines)
  }

  async function read(): Promise<void> {
    const again = lastAt
    const after = again === null ? null : new Date(Date.parse(again) - OVERLAP_MS).toISOString()
    const response = await fetch(routerUrl(logAddress(options, { follow: options.until === '', after })), {
      ...{ cache: 'no-store', signal: ended.signal, headers: { accept: 'application/x-ndjson' } },
    })
    if (response.status === 401) return goToSignIn()
    if (!response.ok || response.body === null) {
      const problem = errorOf(response.status, await response.json().catch(() => null))
      // The question is wrong, and asking it again would not make it right.
      isOver = response.status < 500
      throw problem
    }
    attempt = 0
    options.onState({ kind: 'live' })
    const parse = createNdjsonParser()
    const decoder = new TextDecoder()
    const body = response.body.getReader()
    for (let chunk = await body.read(); !chunk.done; chunk = await body.read())
      take(parse(decoder.decode(chunk.value, { stream: true })), again !== null)
  }

  async function run(): Promise<void> {
    options.onState({ kind: 'connecting' })
    try {
      await read()
      if (options.until !== '') return options.onState({ kind: 'ended' })
    } catch (error) {
      if (ended.signal.aborted) return
      if (isOver) return options.onState({ kind: 'failed', problem: error as ApiError })
    }
    if (ended.signal.aborted) return
    const wait = backoffMs(attempt, Math.random())
    attempt += 1
    options.onState({ kind: 'waiting', retryAt: Date.now() + wait })
    timer = setTimeout(() => void run(), wait)
  }

  void run()
  return () => {
    clearTimeout(timer)
    ended.abort()
  }
}
