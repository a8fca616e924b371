/** One line of a log as the page shows it: its level found, what a terminal would obey taken away. */
import { asRecord, textOr } from '../../shared/api.ts'
import { lineText } from '../../shared/ansi.ts'
import { plainText } from '../../shared/format.ts'

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]

export interface LogLine {
  readonly id: number
  readonly source: string
  /** ISO 8601, or ''. */
  readonly at: string
  readonly isError: boolean
  /** As it came, colours included. */
  readonly raw: string
  /** What is seen, searched and copied. */
  readonly text: string
  readonly level: Level
}

/** Longer lines are cut: nobody reads them here, and the download has them whole. */
const MAX_SHOWN = 20_000
/** Where a level is looked for. */
const HEAD = 160

const WORDS: Readonly<Record<string, Level>> = {
  ...{ trace: 'debug', debug: 'debug', verbose: 'debug', dbg: 'debug' },
  ...{ info: 'info', information: 'info', notice: 'info', log: 'info', inf: 'info' },
  ...{ warn: 'warn', warning: 'warn', wrn: 'warn' },
  ...{ error: 'error', err: 'error', fatal: 'error', critical: 'error', crit: 'error', panic: 'error', alert: 'error' },
  ...{ emerg: 'error', severe: 'error', ftl: 'error' },
}
const NAMES = Object.keys(WORDS).join('|')
/** `level=warn`, `"severity": "ERROR"`. */
const NAMED = new RegExp(`\\b(?:level|lvl|severity)["']?\\s*[=:]\\s*["']?(${NAMES})\\b`, 'i')
/** `[warn]`, `<error>`, `info:` at the begin, `WARN` in capitals anywhere in the head. */
const BRACKETED = new RegExp(`[[<(](${NAMES})[\\])>]`, 'i')
const FIRST = new RegExp(`^(${NAMES})(?:[:\\s|]|$)`, 'i')
const CAPITALS = new RegExp(`(?:^|[\\s|:])(${NAMES.toUpperCase()})(?:[\\s|:\\]]|$)`)
/** `E1126 12:34:56.789`: the form of glog and klog. */
const GLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/
const FAILURE =
  /^(?:Traceback \(most recent|panic:|Uncaught |Unhandled |(?:[A-Za-z.]+)?(?:Error|Exception)\b(?:: | \[))/
const CONTINUES = /^(?:\s+\S|at |\.\.\. \d+ more|Caused by:)/

/** Null: the line does not say. */
export function levelOf(text: string): Level | null {
  const head = text.slice(0, HEAD)
  if (head.startsWith('{')) return levelOfJson(text) ?? wordIn(NAMED, head)
  const glog = GLOG.exec(head)?.[1]
  if (glog !== undefined) return glog === 'I' ? 'info' : glog === 'W' ? 'warn' : 'error'
  if (FAILURE.test(head)) return 'error'
  return wordIn(FIRST, head) ?? wordIn(NAMED, head) ?? wordIn(BRACKETED, head) ?? wordIn(CAPITALS, head)
}

const wordIn = (pattern: RegExp, head: string): Level | null =>
  WORDS[pattern.exec(head)?.[1]?.toLowerCase() ?? ''] ?? null

/** Numbers are those of bunyan and pino: 10 trace to 60 fatal. */
function levelOfJson(text: string): Level | null {
  const record = asRecord(parsed(text))
  const level = record['level'] ?? record['severity'] ?? record['lvl'] ?? record['levelname']
  if (typeof level === 'number') return level >= 50 ? 'error' : level >= 40 ? 'warn' : level >= 30 ? 'info' : 'debug'
  return typeof level === 'string' ? (WORDS[level.toLowerCase()] ?? null) : null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export interface LineReader {
  /** One line of the API's stream; null for what is none (an empty line, an error: see `problemIn`). */
  read(value: unknown): LogLine | null
}

/** Lines without a level of their own that go on what came before (stack traces) have that one's. */
export function createLineReader(): LineReader {
  const before = new Map<string, Level>()
  let id = 0
  return {
    read(value) {
      const { source, stream, at, text } = asRecord(value)
      if (typeof text !== 'string' || typeof source !== 'string') return null
      const raw = text.slice(0, MAX_SHOWN)
      const shown = lineText(raw)
      const name = plainText(source)
      const level = levelOf(shown) ?? (CONTINUES.test(shown) ? before.get(name) : undefined) ?? 'info'
      before.set(name, level)
      id += 1
      return { id, source: name, at: textOr(at, ''), isError: stream === 'stderr', raw, text: shown, level }
    },
  }
}

export const isAtLeast = (level: Level, least: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(least)
