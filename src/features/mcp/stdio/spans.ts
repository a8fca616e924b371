/**
 * Where values stand in the bytes of a JSON text, so that one can be replaced and the rest stays as it was: `JSON.parse` and
 * back would lose large numbers, the order of keys and every escape.
 */

export interface Span {
  readonly start: number
  /** Behind the last byte of the value. */
  readonly end: number
}

/** Members to find: a name for what is found there, or what to find inside. */
export interface Wanted {
  readonly [key: string]: string | Wanted
}

/** A key that matters stands twice: programs disagree about which of the two counts. */
export const DUPLICATE = 'duplicate'

export type Spans = ReadonlyMap<string, Span>

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const COMMA = 0x2c
const SPACE = 0x20

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09

function skipBlanks(bytes: Uint8Array, start: number): number {
  let at = start
  while (isBlank(bytes[at])) at += 1
  return at
}

/** Behind the closing quote of the string that begins at `start`. */
function skipString(bytes: Uint8Array, start: number): number {
  let quote = bytes.indexOf(QUOTE, start + 1)
  while (quote >= 0) {
    let slashes = 0
    while (bytes[quote - 1 - slashes] === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    quote = bytes.indexOf(QUOTE, quote + 1)
  }
  return bytes.length
}

function skipNested(bytes: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) at = skipString(bytes, at) - 1
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return bytes.length
}

function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start]
  if (first === QUOTE) return skipString(bytes, start)
  if (first === OPEN_OBJECT || first === OPEN_LIST) return skipNested(bytes, start)
  let at = start
  while (at < bytes.length && !isBlank(bytes[at]) && bytes[at] !== COMMA && bytes[at] !== CLOSE_OBJECT) at += 1
  return at
}

/** The key between two quotes; one that is written with escapes is the same key. */
function keyAt(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
}

/** Finds members of the object that a text consists of. The text must be one that `JSON.parse` takes. */
export function findSpans(bytes: Buffer, wanted: Wanted): Spans | typeof DUPLICATE {
  const found = new Map<string, Span>()
  return walk({ bytes, found }, wanted, skipBlanks(bytes, 0)) ? found : DUPLICATE
}

interface Walk {
  readonly bytes: Buffer
  readonly found: Map<string, Span>
}

/** False when a wanted key stands twice. */
function walk(state: Walk, wanted: Wanted, start: number): boolean {
  const { bytes, found } = state
  if (bytes[start] !== OPEN_OBJECT) return true
  const seen = new Set<string>()
  let at = skipBlanks(bytes, start + 1)
  while (bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at)
    const key = keyAt(bytes, at, keyEnd)
    const value = skipBlanks(bytes, skipBlanks(bytes, keyEnd) + 1)
    const inner = Object.hasOwn(wanted, key) ? wanted[key] : undefined
    if (inner !== undefined && seen.has(key)) return false
    seen.add(key)
    const end = skipValue(bytes, value)
    if (typeof inner === 'string') found.set(inner, { start: value, end })
    else if (inner !== undefined && !walk(state, inner, value)) return false
    at = skipBlanks(bytes, end)
    if (bytes[at] === COMMA) at = skipBlanks(bytes, at + 1)
  }
  return true
}

export interface Change {
  readonly span: Span
  readonly by: Uint8Array
}

/** The same bytes with some values replaced. */
export function splice(bytes: Buffer, changes: readonly Change[]): Buffer {
  const parts: Uint8Array[] = []
  let at = 0
  for (const { span, by } of changes.toSorted((a, b) => a.span.start - b.span.start)) {
    parts.push(bytes.subarray(at, span.start), by)
    at = span.end
  }
  parts.push(bytes.subarray(at))
  return Buffer.concat(parts)
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

/** On one line: a line end in a JSON text is never inside of a string, so a space means the same. */
export function onOneLine(bytes: Buffer): Buffer {
  if (bytes.indexOf(LINE_FEED) < 0 && bytes.indexOf(CARRIAGE_RETURN) < 0) return bytes
  const copy = Buffer.from(bytes)
  for (let at = 0; at < copy.length; at++) if (copy[at] === LINE_FEED || copy[at] === CARRIAGE_RETURN) copy[at] = SPACE
  return copy
}
