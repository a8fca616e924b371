/** Reads recordings: asciicast versions 2 and 3 (https://docs.asciinema.org/manual/asciicast/v3/). */
export interface Cast {
  readonly cols: number
  readonly rows: number
  readonly title: string
  readonly events: readonly CastEvent[]
  /** Seconds. */
  readonly duration: number
}
export type CastEvent =
  /** `at`: seconds since the beginning. */
  | { readonly at: number; readonly kind: 'output'; readonly data: string }
  | { readonly at: number; readonly kind: 'resize'; readonly cols: number; readonly rows: number }
  | { readonly at: number; readonly kind: 'marker'; readonly data: string }
  | { readonly at: number; readonly kind: 'exit'; readonly data: string }

const MAX_SIDE = 1000
const DEFAULT_COLS = 80
const DEFAULT_ROWS = 24

/** Null: not a recording. Lines that are no events are left out: a recording that was cut off plays up to there. */
export function parseCast(text: string): Cast | null {
  const lines = text.split('\n')
  const header = jsonOf(lines[0] ?? '')
  if (!isRecord(header)) return null
  const version = header['version']
  if (version !== 2 && version !== 3) return null
  const term = isRecord(header['term']) ? header['term'] : {}
  const events: CastEvent[] = []
  let at = 0
  for (const line of lines.slice(1)) {
    const entry = jsonOf(line)
    if (!Array.isArray(entry)) continue
    const [time, code, data] = entry as unknown[]
    if (typeof time !== 'number' || !Number.isFinite(time) || typeof data !== 'string') continue
    // Version 2 counts from the beginning, version 3 from the event before; time never runs backwards.
    at = Math.max(at, version === 2 ? time : at + time)
    const event = eventOf(at, String(code), data)
    if (event !== null) events.push(event)
  }
  return {
    cols: sideOf(version === 2 ? header['width'] : term['cols'], DEFAULT_COLS),
    rows: sideOf(version === 2 ? header['height'] : term['rows'], DEFAULT_ROWS),
    title: typeof header['title'] === 'string' ? header['title'] : '',
    events,
    duration: at,
  }
}

function eventOf(at: number, code: string, data: string): CastEvent | null {
  if (code === 'o') return { at, kind: 'output', data }
  if (code === 'm') return { at, kind: 'marker', data }
  if (code === 'x') return { at, kind: 'exit', data }
  const size = code === 'r' ? /^(\d{1,4})x(\d{1,4})$/.exec(data) : null
  if (size === null) return null
  return {
    at,
    kind: 'resize',
    cols: sideOf(Number(size[1]), DEFAULT_COLS),
    rows: sideOf(Number(size[2]), DEFAULT_ROWS),
  }
}

/** How many events lie at or before `seconds`. */
export function eventsUntil(cast: Cast, seconds: number): number {
  let low = 0
  let high = cast.events.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cast.events[middle]?.at ?? 0) <= seconds) low = middle + 1
    else high = middle
  }
  return low
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const sideOf = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 ? Math.min(value, MAX_SIDE) : fallback
