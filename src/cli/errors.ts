/** Errors for a person: what happened, its code, where, what to do next; with `--debug` also how it came about. */
import { type PloinkyError, toErrorBody } from '../core/error.ts'
import { neutralise, neutraliseLine, paint, safeJson } from './text.ts'
import { PROGRAM } from './usage.ts'

interface ErrorView {
  readonly color: boolean
  readonly json: boolean
  readonly debug: boolean
}

const MOST_PROBLEMS = 20

/**
 * Text of an error for stderr, without a newline at the end. With `json` it is the error shape of the HTTP API on one line;
 * it goes to stderr as well, so that stdout holds data or nothing.
 */
export function renderError(error: PloinkyError, view: ErrorView): string {
  if (view.json) return safeJson(toErrorBody(error))
  const [first = '', ...more] = neutralise(error.message).split('\n')
  const lines = [`${paint('red', 'error:', view.color)} ${first}`, ...more.map((line) => `  ${line}`)]
  lines.push(paint('dim', `  ${error.code}`, view.color))
  const place = placeOf(error.details)
  if (place !== null) lines.push(`  at: ${place}`)
  lines.push(...problemsOf(error.details))
  const hint = error.hint ?? (error.code === 'INTERNAL' ? INTERNAL_HINT : undefined)
  // Never wrapped: the command in it is there to be copied.
  if (hint !== undefined) lines.push(`  ${paint('cyan', 'hint:', view.color)} ${neutraliseLine(hint)}`)
  if (view.debug) lines.push(...causesOf(error))
  return lines.join('\n')
}

const INTERNAL_HINT = `This is a fault of ${PROGRAM} itself; add --debug to see where it happened`

/** `file:line:column, key "a.b"` from the details that errors about files carry. */
function placeOf(details: Readonly<Record<string, unknown>>): string | null {
  const text = (key: string): string | null => {
    const value = details[key]
    return typeof value === 'string' || typeof value === 'number' ? neutraliseLine(String(value)) : null
  }
  const [file, line, column] = [text('file'), text('line'), text('column')]
  const key = text('keyPath') ?? text('path')
  const spot = file === null ? (line === null ? null : `line ${line}`) : line === null ? file : `${file}:${line}`
  const exact =
    spot === null || line === null || column === null ? spot : `${spot}${file === null ? ', column ' : ':'}${column}`
  const parts = [exact, key === null || key === '' ? null : `key "${key}"`].filter((part) => part !== null)
  return parts.length === 0 ? null : parts.join(', ')
}

/** Lists of mistakes (a manifest has several): `details.errors` or `details.problems`. */
function problemsOf(details: Readonly<Record<string, unknown>>): string[] {
  const list: unknown = details['errors'] ?? details['problems'] ?? details['refusals']
  if (!Array.isArray(list)) return []
  const shown = list.slice(0, MOST_PROBLEMS).map((item: unknown) => `  - ${neutraliseLine(problemText(item))}`)
  return list.length > MOST_PROBLEMS ? [...shown, `  - and ${list.length - MOST_PROBLEMS} more`] : shown
}

function problemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item)
  const record = item as Readonly<Record<string, unknown>>
  const text = (key: string): string => {
    const value = record[key]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const subject = ['path', 'keyPath', 'runtime', 'agent', 'id'].map(text).find((value) => value !== '') ?? ''
  const found = text('found') === '' ? '' : `found ${text('found')}, expected ${text('expected') || 'something else'}`
  const said = text('message') || found || JSON.stringify(item)
  const hint = text('hint') === '' ? '' : ` (${text('hint')})`
  return `${subject === '' ? '' : `${subject}: `}${said}${hint}`
}

function causesOf(error: PloinkyError): string[] {
  const lines: string[] = []
  let current: unknown = error
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    lines.push(
      ...neutralise(current.stack ?? current.message)
        .split('\n')
        .map((line) => `  | ${line}`),
    )
    current = current.cause
  }
  return lines
}
