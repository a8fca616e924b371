/** How a run of an instance ended, in facts and in words. */
import { tellingLine } from './last-lines.ts'

/** How the last run of an instance ended. */
export interface LastExit {
  readonly at: string
  /** 128 + n when ended by signal n; null when nobody knows. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly oomKilled: boolean
  /** The container itself was removed. */
  readonly removed: boolean
  /** Last lines of its log. */
  readonly lines: readonly string[]
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}

/** The signal that an exit code stands for, or null. */
export const signalOf = (exitCode: number | null): string | null =>
  exitCode === null || exitCode <= 128 ? null : (SIGNALS[exitCode - 128] ?? null)

/** For a person: `out of memory`, `killed by SIGSEGV`, `ended with exit code 3: <last line>`. */
export function describeEnd({ removed, oomKilled, exitCode, signal, lines }: LastExit): string {
  if (removed) return 'its container was removed'
  const last = tellingLine(lines)
  const said = last === null ? '' : `: ${last.slice(0, 200)}`
  if (oomKilled) return `out of memory${said}`
  // Somebody ended it: its last line is about something else.
  if (signal === 'SIGKILL' || signal === 'SIGTERM') return `killed by ${signal}`
  if (signal !== null) return `killed by ${signal}${said}`
  return `ended with ${exitCode === null ? 'an unknown exit code' : `exit code ${exitCode}`}${said}`
}
