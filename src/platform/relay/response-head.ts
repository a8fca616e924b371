import {
  ACCEL_BUFFERING,
  CONNECTION,
  CONTENT_ENCODING,
  CONTENT_LENGTH,
  CONTENT_TYPE,
  HOP,
  KEEP_ALIVE,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
  contentLength,
  fieldOf,
  hasToken,
  isTrailerField,
  nominatedBy,
} from './fields.ts'
import type { Field } from './fields.ts'

/** What the target sent is not one well-formed HTTP/1 response. Messages are fixed texts: they quote nothing. */
export class UpstreamProtocolError extends Error {
  override readonly name = 'UpstreamProtocolError'
}

/** A response head, reduced to what is forwarded and what frames the body. */
export interface ResponseHead {
  status: number
  reason: string
  /** End-to-end fields: name, value, name, value, as sent. */
  headers: string[]
  /** Content-Length, or -1. */
  length: number
  chunked: boolean
  /** The target will keep the connection after this response. */
  keepAlive: boolean
  /** Idle time that the target announced in `Keep-Alive: timeout=`, in ms, or -1. */
  keepAliveMs: number
  trailer: string
  upgrade: string
  /** An unencoded `text/event-stream` of unknown length: comments may be inserted between its events. */
  eventStream: boolean
  accelBuffering: boolean
}

// Anything but HTAB, printable bytes, obs-text and CRLF pairs.
const DIRTY = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9][0-9])(?: (.*))?$/

interface Framing {
  contentType: string
  encoded: boolean
  nominated: string[] | null
  connection: string
  transferCodings: number
  lengths: number
}

/**
 * Parses a head as latin1 text without its final empty line (RFC 9112, sections 4 and 5, without any of the tolerated
 * deviations: no folding, no bare LF, no repeated or listed lengths, no coding but `chunked`).
 * @throws UpstreamProtocolError
 */
export function parseResponseHead(text: string, maxHeaders: number): ResponseHead {
  if (DIRTY.test(text)) throw new UpstreamProtocolError('control character in the response head')
  let end = text.indexOf('\r\n')
  if (end < 0) end = text.length
  const match = STATUS_LINE.exec(text.slice(0, end))
  if (!match) throw new UpstreamProtocolError('malformed status line')
  const http11 = match[1] === '1'
  const head: ResponseHead = {
    status: Number(match[2]),
    reason: match[3] ?? '',
    headers: [],
    length: -1,
    chunked: false,
    keepAlive: http11,
    keepAliveMs: -1,
    trailer: '',
    upgrade: '',
    eventStream: false,
    accelBuffering: false,
  }
  const framing: Framing = {
    contentType: '',
    encoded: false,
    nominated: null,
    connection: '',
    transferCodings: 0,
    lengths: 0,
  }
  let count = 0
  while (end < text.length) {
    const start = end + 2
    end = text.indexOf('\r\n', start)
    if (end < 0) end = text.length
    if (++count > maxHeaders) throw new UpstreamProtocolError('too many response headers')
    applyField(head, framing, splitField(text, start, end))
  }
  settle(head, framing, http11)
  return head
}

/** Parses a trailer section; fields that may not be trailers are dropped. @throws UpstreamProtocolError */
export function parseTrailers(text: string, maxHeaders: number): [string, string][] {
  if (DIRTY.test(text)) throw new UpstreamProtocolError('control character in the trailers')
  const trailers: [string, string][] = []
  for (let start = 0, count = 0; start < text.length;) {
    let end = text.indexOf('\r\n', start)
    if (end < 0) end = text.length
    if (++count > maxHeaders) throw new UpstreamProtocolError('too many trailers')
    const { name, value, field } = splitField(text, start, end)
    if (isTrailerField(field)) trailers.push([name, value])
    start = end + 2
  }
  return trailers
}

interface FieldLine {
  readonly name: string
  readonly value: string
  readonly field: Field
}

function splitField(text: string, start: number, end: number): FieldLine {
  const colon = text.indexOf(':', start)
  if (colon < 0 || colon >= end) throw new UpstreamProtocolError('header line without a colon')
  const name = text.slice(start, colon)
  const field = fieldOf(name)
  if (!field) throw new UpstreamProtocolError('invalid header name')
  let from = colon + 1
  let to = end
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return { name, value: text.slice(from, to), field }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

function applyField(head: ResponseHead, framing: Framing, line: FieldLine): void {
  const { name, value } = line
  switch (line.field.kind) {
    case HOP:
      return
    case CONNECTION:
      applyConnection(framing, value)
      return
    case KEEP_ALIVE:
      head.keepAliveMs = keepAliveHint(value)
      return
    case UPGRADE:
      head.upgrade = head.upgrade ? `${head.upgrade}, ${value}` : value
      return
    case TRAILER:
      head.trailer = head.trailer ? `${head.trailer}, ${value}` : value
      return
    case TRANSFER_ENCODING:
      framing.transferCodings++
      if (value.toLowerCase() !== 'chunked') throw new UpstreamProtocolError('unsupported transfer coding')
      head.chunked = true
      return
    case CONTENT_LENGTH:
      framing.lengths++
      head.length = contentLength(value)
      if (head.length < 0) throw new UpstreamProtocolError('invalid Content-Length')
      break
    case CONTENT_TYPE:
      framing.contentType = value
      break
    case CONTENT_ENCODING:
      framing.encoded ||= value.toLowerCase() !== 'identity'
      break
    case ACCEL_BUFFERING:
      head.accelBuffering = true
      break
  }
  head.headers.push(name, value)
}

function applyConnection(framing: Framing, value: string): void {
  framing.connection = framing.connection ? `${framing.connection}, ${value}` : value
  if (value === 'keep-alive' || value === 'close') return
  const names = nominatedBy(value)
  if (names.length > 0) framing.nominated = (framing.nominated ?? []).concat(names)
}

function keepAliveHint(value: string): number {
  const match = /(?:^|[,; ])timeout=([0-9]{1,6})(?:$|[,; ])/i.exec(value)
  return match ? Number(match[1]) * 1000 : -1
}

function settle(head: ResponseHead, framing: Framing, http11: boolean): void {
  if (framing.lengths > 1) throw new UpstreamProtocolError('more than one Content-Length')
  if (framing.transferCodings > 1) throw new UpstreamProtocolError('more than one Transfer-Encoding')
  if (head.chunked && head.length >= 0) throw new UpstreamProtocolError('both Content-Length and Transfer-Encoding')
  if (head.chunked && !http11) throw new UpstreamProtocolError('Transfer-Encoding in an HTTP/1.0 response')
  if (framing.connection !== '') {
    if (hasToken(framing.connection, 'close')) head.keepAlive = false
    else if (!http11) head.keepAlive = hasToken(framing.connection, 'keep-alive')
  }
  if (framing.nominated) head.headers = without(head.headers, framing.nominated)
  head.eventStream =
    framing.contentType !== '' && !framing.encoded && head.length < 0 && isEventStream(framing.contentType)
}

function isEventStream(contentType: string): boolean {
  return /^text\/event-stream(?:[\t ]*;|$)/i.test(contentType)
}

function without(headers: readonly string[], names: readonly string[]): string[] {
  const drop = new Set(names)
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (!drop.has(name.toLowerCase())) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}
