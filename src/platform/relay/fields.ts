/** Header field names: validity, and which of them the relay treats specially. */

export const PLAIN = 0
/** Meaningful for one hop only: never forwarded. */
export const HOP = 1
export const CONNECTION = 2
export const HOST = 3
export const CONTENT_LENGTH = 4
export const TRANSFER_ENCODING = 5
export const COOKIE = 6
export const EXPECT = 7
export const TRAILER = 8
export const UPGRADE = 9
export const CONTENT_TYPE = 10
export const CONTENT_ENCODING = 11
export const KEEP_ALIVE = 12
export const ACCEL_BUFFERING = 13

export interface Field {
  readonly lower: string
  /** `lower` with `_` as `-`: CGI-style servers cannot tell the two apart, so neither do strip lists. */
  readonly match: string
  readonly kind: number
}

const KINDS = new Map<string, number>([
  ['connection', CONNECTION],
  ['proxy-connection', HOP],
  ['proxy-authenticate', HOP],
  ['proxy-authorization', HOP],
  ['http2-settings', HOP],
  ['te', HOP],
  ['keep-alive', KEEP_ALIVE],
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['cookie', COOKIE],
  ['expect', EXPECT],
  ['trailer', TRAILER],
  ['upgrade', UPGRADE],
  ['content-type', CONTENT_TYPE],
  ['content-encoding', CONTENT_ENCODING],
  ['x-accel-buffering', ACCEL_BUFFERING],
])

/** Fields that `Connection` cannot nominate away: they frame or route the message. */
const NOT_NOMINATED = new Set(['host', 'content-length', 'transfer-encoding', 'cookie', 'content-type'])

/** Fields that may not arrive as trailers (RFC 9110, 6.5.1: framing, routing, authentication, controls, content). */
const NOT_TRAILERS = new Set([
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
])

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const VALUE = /^[\t -~\x80-\xff]*$/
const PATH = /^[!-~\x80-\xff]+$/

/** True for text that can stand in a header value. */
export function isFieldValue(text: string): boolean {
  return VALUE.test(text)
}

/** True for text that can stand as the target of a request line. */
export function isRequestTarget(text: string): boolean {
  return (text.startsWith('/') || text === '*') && PATH.test(text)
}

const CACHE_LIMIT = 512
const CACHED_NAME_LIMIT = 64
const cache = new Map<string, Field>()

/** Looks a name up, exactly as sent; null when it is not a token. */
export function fieldOf(name: string): Field | null {
  return cache.get(name) ?? classify(name)
}

function classify(name: string): Field | null {
  if (!TOKEN.test(name)) return null
  const lower = name.toLowerCase()
  const match = lower.includes('_') ? lower.replaceAll('_', '-') : lower
  // `Content_Length` beside `Content-Length` can only be meant to confuse: it never goes further.
  const imitation = match !== lower && KINDS.has(match)
  const field: Field = { lower, match, kind: imitation ? HOP : (KINDS.get(lower) ?? PLAIN) }
  if (name.length <= CACHED_NAME_LIMIT) {
    // Starting over costs little and keeps a peer that invents names from freezing the common ones out.
    if (cache.size >= CACHE_LIMIT) cache.clear()
    // A substring would keep the whole message head that it was cut from alive.
    const own = Buffer.from(name, 'latin1').toString('latin1')
    const ownLower = own.toLowerCase()
    cache.set(own, { lower: ownLower, match: ownLower.replaceAll('_', '-'), kind: field.kind })
  }
  return field
}

/** The names that a `Connection` value makes hop-by-hop, lower case. */
export function nominatedBy(value: string): string[] {
  const names: string[] = []
  for (const part of value.split(',')) {
    const name = part.trim().toLowerCase()
    if (name === '' || name === 'close' || name === 'keep-alive' || name === 'upgrade') continue
    if (!NOT_NOMINATED.has(name)) names.push(name)
  }
  return names
}

/** True when a comma-separated header value holds this lower-case token. */
export function hasToken(value: string, token: string): boolean {
  const lower = value.toLowerCase()
  if (lower === token) return true
  return lower.includes(token) && lower.split(',').some((part) => part.trim() === token)
}

/** True when a field may be relayed as a trailer. */
export function isTrailerField(field: Field): boolean {
  return !NOT_TRAILERS.has(field.match)
}

/** Removes the cookies that `drop` names; the rest keeps its bytes. An empty result means: no header. */
export function filterCookies(value: string, drop: (name: string) => boolean): string {
  const pairs = value.split(';')
  const kept = pairs.filter((pair) => {
    const equals = pair.indexOf('=')
    return !drop((equals < 0 ? pair : pair.slice(0, equals)).trim())
  })
  if (kept.length === pairs.length) return value
  return kept.join(';').trim()
}

/** Content-Length as a number; -1 when it is not plain decimal digits that a number holds exactly. */
export function contentLength(value: string): number {
  if (value.length === 0 || value.length > 15) return -1
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 48 || code > 57) return -1
  }
  return Number(value)
}
