import type { JsonObject } from './check.ts'
import { isObject } from './check.ts'
import { LIMITS } from './limits.ts'

/** A progress report of a tool: one line of JSON on standard error. */
export interface Progress {
  progress: number
  total?: number
  message?: string
}

/** Levels of MCP logging (RFC 5424). */
const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const
export type McpLogLevel = (typeof LOG_LEVELS)[number]

export type StderrLine =
  { kind: 'progress'; progress: Progress } | { kind: 'log'; level: McpLogLevel; data: unknown } | { kind: 'text' }

/**
 * What a line of standard error means: `{"progress":n,"total":m,"message":"..."}` is progress and no text;
 * `{"level":"info",...}` with an MCP level is a log line as well as text; anything else is text.
 */
export function readStderrLine(line: string): StderrLine {
  const object = parseObject(line)
  if (object === undefined) return { kind: 'text' }
  const { progress, total, message, level } = object
  if (typeof progress === 'number') {
    const report: Progress = { progress }
    if (typeof total === 'number') report.total = total
    if (typeof message === 'string') report.message = message.slice(0, LIMITS.errorChars)
    return { kind: 'progress', progress: report }
  }
  const known = LOG_LEVELS.find((entry) => entry === level)
  return known === undefined
    ? { kind: 'text' }
    : { kind: 'log', level: known, data: object['data'] ?? message ?? object }
}

function parseObject(line: string): JsonObject | undefined {
  const trimmed = line.trim()
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return undefined
  try {
    const value: unknown = JSON.parse(trimmed)
    return isObject(value) ? value : undefined
  } catch {
    // Not JSON: ordinary text.
    return undefined
  }
}

/** Standard error without progress lines, for runners that cannot leave them out. */
export function withoutProgress(stderr: string): string {
  if (!stderr.includes('"progress"')) return stderr
  return stderr
    .split('\n')
    .filter((line) => readStderrLine(line).kind !== 'progress')
    .join('\n')
}

/**
 * Sends progress at most every `LIMITS.progressIntervalMs`, always rising (as MCP asks) and always with the last value:
 * a tool that reports in a tight loop must not fill the connection or the memory.
 */
export function createProgressReporter(
  send: (progress: Progress) => Promise<void>,
  now: () => number,
): { report: (progress: Progress) => void; flush: () => Promise<void> } {
  let last = Number.NEGATIVE_INFINITY
  let sentAt = Number.NEGATIVE_INFINITY
  let waiting: Progress | undefined
  let sending = Promise.resolve()
  const push = (progress: Progress): void => {
    waiting = undefined
    sentAt = now()
    // A client that has gone away is no reason to fail the tool.
    sending = sending.then(() => send(progress)).catch(() => undefined)
  }
  return {
    report: (progress) => {
      if (progress.progress <= last) return
      last = progress.progress
      if (now() - sentAt >= LIMITS.progressIntervalMs) push(progress)
      else waiting = progress
    },
    flush: async () => {
      if (waiting !== undefined) push(waiting)
      await sending
    },
  }
}
