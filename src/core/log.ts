/** Structured logs: one JSON object a line. Writing is the sink's job; this module only shapes and filters. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
export type LogFields = Record<string, unknown>

export interface LogRecord extends LogFields {
  ts: string
  level: LogLevel
  msg: string
}

export interface Logger {
  debug(msg: string, fields?: LogFields): void
  info(msg: string, fields?: LogFields): void
  warn(msg: string, fields?: LogFields): void
  error(msg: string, fields?: LogFields): void
  /** A logger whose every record also carries `fields` (request id, agent). */
  child(fields: LogFields): Logger
  readonly level: LogLevel
}

export type LogSink = (record: LogRecord) => void

const SENSITIVE = /(token|secret|password|passwd|authorization|cookie|api[-_]?key|master[-_]?key)$/i

/** Replaces values under sensitive names and `token=`-like query values. Depth-limited: logs are not a dump. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactUrl(value)
  if (value instanceof Error) return { name: value.name, message: redactUrl(value.message) }
  if (typeof value !== 'object' || value === null) return value
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return (value as { toJSON(): unknown }).toJSON()
  if (depth >= 4) return '[…]'
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, SENSITIVE.test(key) ? '[redacted]' : redact(item, depth + 1)]),
  )
}

/** Hides credentials in query strings of logged addresses. */
export function redactUrl(text: string): string {
  return text.replace(/([?&](?:token|code|key|password|secret)=)[^&#\s"]*/gi, '$1[redacted]')
}

export function createLogger(sink: LogSink, level: LogLevel = 'info', base: LogFields = {}): Logger {
  const threshold = LOG_LEVELS.indexOf(level)
  const write = (at: LogLevel, msg: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(at) < threshold) return
    const extra = redact({ ...base, ...fields }) as LogFields
    sink({ ts: new Date().toISOString(), level: at, msg, ...extra })
  }
  return {
    level,
    debug: (msg, fields) => write('debug', msg, fields),
    info: (msg, fields) => write('info', msg, fields),
    warn: (msg, fields) => write('warn', msg, fields),
    error: (msg, fields) => write('error', msg, fields),
    child: (fields) => createLogger(sink, level, { ...base, ...fields }),
  }
}

export const silentLogger: Logger = createLogger(() => {}, 'error')
