/**
 * The one error type and the one table of codes.
 *
 * A code decides the exit status of the CLI and the HTTP status of the router; no other place does.
 * Exit statuses are those of the README: 1 bug, 2 usage, 3 configuration, 4 not found, 5 runtime unavailable,
 * 6 conflict, 7 timeout, 8 denied, 9 a tool answered with an error, 130 interrupted.
 */
export const ERRORS = {
  INTERNAL: { exit: 1, status: 500, title: 'Internal error' },
  USAGE_INVALID: { exit: 2, status: 400, title: 'Invalid usage' },
  COMMAND_UNKNOWN: { exit: 2, status: 404, title: 'Unknown command' },
  REQUEST_INVALID: { exit: 2, status: 400, title: 'Invalid request' },
  REQUEST_TOO_LARGE: { exit: 2, status: 413, title: 'Request too large' },
  METHOD_NOT_ALLOWED: { exit: 2, status: 405, title: 'Method not allowed' },
  RANGE_INVALID: { exit: 2, status: 416, title: 'Range not satisfiable' },
  NAME_INVALID: { exit: 2, status: 400, title: 'Invalid name' },
  CONFIG_INVALID: { exit: 3, status: 500, title: 'Invalid configuration' },
  MANIFEST_INVALID: { exit: 3, status: 422, title: 'Invalid manifest' },
  STATE_INVALID: { exit: 3, status: 500, title: 'Unreadable state file' },
  STATE_VERSION: { exit: 3, status: 500, title: 'State file of another version' },
  WORKSPACE_NOT_FOUND: { exit: 4, status: 404, title: 'No workspace' },
  AGENT_NOT_FOUND: { exit: 4, status: 404, title: 'Unknown agent' },
  AGENT_AMBIGUOUS: { exit: 6, status: 409, title: 'Ambiguous agent name' },
  REPO_NOT_FOUND: { exit: 4, status: 404, title: 'Unknown repository' },
  REPO_UNAVAILABLE: { exit: 5, status: 502, title: 'Repository unavailable' },
  ARCHIVE_INVALID: { exit: 3, status: 422, title: 'Invalid archive' },
  ROUTE_NOT_FOUND: { exit: 4, status: 404, title: 'No such page' },
  SESSION_NOT_FOUND: { exit: 4, status: 404, title: 'No such session' },
  FILE_NOT_FOUND: { exit: 4, status: 404, title: 'No such file' },
  BLOB_NOT_FOUND: { exit: 4, status: 404, title: 'No such blob' },
  PACKAGE_NOT_FOUND: { exit: 4, status: 404, title: 'Unknown package' },
  TOOL_NOT_FOUND: { exit: 4, status: 404, title: 'Unknown tool, resource or prompt' },
  TOOL_FAILED: { exit: 9, status: 502, title: 'Tool failed' },
  WORKLOAD_NOT_FOUND: { exit: 4, status: 404, title: 'No such container' },
  IMAGE_NOT_FOUND: { exit: 4, status: 502, title: 'Image not found' },
  RUNTIME_UNAVAILABLE: { exit: 5, status: 503, title: 'Container engine unavailable' },
  RUNTIME_FAILED: { exit: 5, status: 502, title: 'Container engine failed' },
  RUNTIME_OUTPUT_UNREADABLE: { exit: 5, status: 502, title: 'Container engine answered something unreadable' },
  CAPABILITY_UNSUPPORTED: { exit: 5, status: 501, title: 'Not supported by this runtime' },
  AGENT_FAILED: { exit: 5, status: 503, title: 'Agent failed' },
  AGENT_NOT_READY: { exit: 5, status: 503, title: 'Agent not ready' },
  AGENT_NOT_RUNNING: { exit: 5, status: 503, title: 'Agent not running' },
  UPSTREAM_UNREACHABLE: { exit: 5, status: 502, title: 'Agent unreachable' },
  UPSTREAM_TIMEOUT: { exit: 7, status: 504, title: 'Agent timed out' },
  ROUTER_NOT_RUNNING: { exit: 5, status: 503, title: 'Router not running' },
  ROUTER_FAILED: { exit: 5, status: 500, title: 'Router failed' },
  ROUTER_ALREADY_RUNNING: { exit: 6, status: 409, title: 'Router already running' },
  PORT_TAKEN: { exit: 6, status: 409, title: 'Port taken' },
  LOCKED: { exit: 6, status: 409, title: 'Locked by another process' },
  CONFLICT: { exit: 6, status: 409, title: 'Conflict' },
  TIMEOUT: { exit: 7, status: 504, title: 'Timed out' },
  UNAUTHENTICATED: { exit: 8, status: 401, title: 'Not signed in' },
  DENIED: { exit: 8, status: 403, title: 'Denied' },
  RATE_LIMITED: { exit: 8, status: 429, title: 'Too many requests' },
  CONFIRMATION_REQUIRED: { exit: 8, status: 403, title: 'Confirmation required' },
  INTERRUPTED: { exit: 130, status: 499, title: 'Interrupted' },
} as const satisfies Record<string, { exit: number; status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

const BRAND = Symbol.for('ploinky.error')

export interface ErrorOptions {
  /** What to do next: an imperative with a runnable command. */
  hint?: string
  /** Safe to show to anybody who may see the error: never a secret, never a stack. */
  details?: Record<string, unknown>
  cause?: unknown
}

/** An error that a person or a program can act on. Anything else that is thrown counts as a bug. */
export class PloinkyError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PloinkyError'
    this.code = code
    this.hint = options.hint
    this.details = options.details ?? {}
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Recognises our errors by brand, so that two bundles of this module still agree. */
export function isPloinkyError(value: unknown): value is PloinkyError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[BRAND] === true
}

/** Turns whatever was thrown into a PloinkyError; unknown errors become INTERNAL with their message kept in `cause`. */
export function asPloinkyError(value: unknown): PloinkyError {
  if (isPloinkyError(value)) return value
  if (value instanceof Error && value.name === 'AbortError') {
    return new PloinkyError('INTERRUPTED', 'Interrupted', { cause: value })
  }
  const message = value instanceof Error ? value.message : String(value)
  return new PloinkyError('INTERNAL', message || 'Unknown error', { cause: value })
}

export interface ErrorBody {
  error: { code: ErrorCode; message: string; details: Record<string, unknown> & { suggestion?: string } }
}

/** The one shape of an error in HTTP bodies and `--json` output (seed 000, "Error Response Format"). */
export function toErrorBody(error: PloinkyError, extra: Record<string, unknown> = {}): ErrorBody {
  const details: Record<string, unknown> & { suggestion?: string } = { ...error.details, ...extra }
  if (error.hint !== undefined) details.suggestion = error.hint
  return { error: { code: error.code, message: error.message, details } }
}

/**
 * The error that a body in this shape stands for, or null when it is none. It may come from another version or from a stranger:
 * an unknown code counts as `unknown`.
 */
export function fromErrorBody(body: unknown, unknown: ErrorCode): PloinkyError | null {
  const error = recordOf(recordOf(body)?.['error'])
  if (error === null || typeof error['message'] !== 'string') return null
  const { suggestion, ...details } = recordOf(error['details']) ?? {}
  const code = String(error['code'])
  return new PloinkyError(Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : unknown, error['message'], {
    details,
    ...(typeof suggestion === 'string' ? { hint: suggestion } : {}),
  })
}

const recordOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null

export const exitCodeOf = (error: PloinkyError): number => ERRORS[error.code].exit
export const httpStatusOf = (error: PloinkyError): number => ERRORS[error.code].status

/** The message of anything thrown, for logs. */
export function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : String(value)
}

/** A word as it has to be typed, for a hint that can be pasted; `splitWords` gives it back. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}
