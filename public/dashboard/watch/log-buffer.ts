/** The lines that a page holds, and those of them that are shown. Grows to a limit; the oldest go first, in heaps. */
import type { Level, LogLine } from './log-line.ts'
import { isAtLeast } from './log-line.ts'
import { isFound } from './log-search.ts'

export const MAX_LINES = 100_000
const HEAP = 10_000

export interface LineFilter {
  readonly level: Level
  readonly pattern: RegExp | null
  /** Only lines in which it is found; otherwise they are marked among the others. */
  readonly onlyFound: boolean
}

export interface LogBuffer {
  /** Those that pass the filter, oldest first. The same array until something changes. */
  readonly shown: readonly LogLine[]
  /** Places in `shown` where something was found. */
  readonly found: readonly number[]
  readonly total: number
  /** Grows with every change. */
  readonly version: number
  append(lines: readonly LogLine[]): void
  filter(filter: LineFilter): void
  clear(): void
}

export function createLogBuffer(limit = MAX_LINES): LogBuffer {
  let all: LogLine[] = []
  let shown: LogLine[] = []
  let found: number[] = []
  let version = 0
  let current: LineFilter = { level: 'debug', pattern: null, onlyFound: false }

  function show(line: LogLine): void {
    if (!isAtLeast(line.level, current.level)) return
    const isHit = current.pattern !== null && isFound(current.pattern, line.text)
    if (current.onlyFound && current.pattern !== null && !isHit) return
    if (isHit) found.push(shown.length)
    shown.push(line)
  }

  function again(): void {
    shown = []
    found = []
    all.forEach(show)
  }

  return {
    get shown() {
      return shown
    },
    get found() {
      return found
    },
    get total() {
      return all.length
    },
    get version() {
      return version
    },
    append(lines) {
      version += 1
      for (const line of lines) all.push(line)
      if (all.length > limit + HEAP) {
        all = all.slice(all.length - limit)
        again()
      } else lines.forEach(show)
    },
    filter(next) {
      version += 1
      current = next
      again()
    },
    clear() {
      version += 1
      all = []
      again()
    },
  }
}

export const asPlain = (lines: readonly LogLine[], withSource: boolean): string =>
  lines
    .map(({ at, source, text }) => [at, withSource ? source : '', text].filter((part) => part !== '').join(' '))
    .join('\n')

export const asNdjson = (lines: readonly LogLine[]): string =>
  lines
    .map(({ source, at, isError, level, raw }) =>
      JSON.stringify({ source, at: at === '' ? null : at, stream: isError ? 'stderr' : 'stdout', level, text: raw }),
    )
    .join('\n')
