import type { IncomingMessage } from 'node:http'
import {
  CONNECTION,
  CONTENT_LENGTH,
  COOKIE,
  EXPECT,
  HOP,
  HOST,
  KEEP_ALIVE,
  PLAIN,
  TRAILER,
  TRANSFER_ENCODING,
  UPGRADE,
  contentLength,
  fieldOf,
  filterCookies,
  isFieldValue,
  isRequestTarget,
  nominatedBy,
} from './fields.ts'
import type { Field } from './fields.ts'
import type { RelayOptions, RelayTarget } from './types.ts'

/** The request cannot be forwarded without ambiguity. Messages are fixed texts. */
export class BadRequestError extends Error {
  override readonly name = 'BadRequestError'
}

/** A request head ready to be written (latin1), and what frames its body. */
export interface RequestHead {
  text: string
  /** Body bytes declared, 0 for none, -1 for chunked. */
  length: number
  /** The client waits for `100 Continue`. */
  expects: boolean
  /** Safe to send again when the target closed a kept connection before it answered (RFC 9110, 9.2.2). */
  idempotent: boolean
}

export interface RequestHeadInput {
  readonly inc: IncomingMessage
  readonly target: RelayTarget
  readonly options: RelayOptions
  /** The upgrade token to ask for, or empty for an ordinary request. */
  readonly upgrade: string
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'])
const NONE: readonly (readonly [string, string])[] = []

interface Draft {
  text: string
  hosts: number
  needsHost: boolean
  lengths: number
  length: number
  codings: number
  trailer: string
  expects: boolean
  nominated: string[] | null
}

/**
 * Writes the head that goes to the target: fields in the client's order and spelling, without hop-by-hop fields,
 * stripped fields and our cookies. @throws BadRequestError
 */
export function buildRequestHead(input: RequestHeadInput): RequestHead {
  const { inc, options } = input
  const method = inc.method ?? ''
  if (method === '' || method === 'CONNECT') throw new BadRequestError('method cannot be relayed')
  if (!isRequestTarget(options.path)) throw new BadRequestError('request target cannot be relayed')
  let draft = compose(input, null)
  if (draft.nominated) draft = compose(input, draft.nominated)
  checkFraming(draft, inc)
  const chunked = draft.codings > 0 && options.body === undefined
  let text = `${method} ${options.path} HTTP/1.1\r\n${draft.text}`
  for (const [name, value] of options.add ?? NONE) {
    if (!isAddable(name) || !isFieldValue(value)) throw new BadRequestError('added header is not valid')
    text += `${name}: ${value}\r\n`
  }
  if (draft.needsHost) text += `Host: ${hostOf(input.target)}\r\n`
  if (chunked) text += `Transfer-Encoding: chunked\r\n${draft.trailer}`
  if (options.body !== undefined) text += `Content-Length: ${options.body.length}\r\n`
  if (input.upgrade !== '') text += `Connection: Upgrade\r\nUpgrade: ${input.upgrade}\r\n`
  return {
    text: `${text}\r\n`,
    length: options.body?.length ?? (chunked ? -1 : Math.max(0, draft.length)),
    expects: draft.expects && options.body === undefined,
    idempotent: IDEMPOTENT.has(method),
  }
}

function compose(input: RequestHeadInput, nominated: readonly string[] | null): Draft {
  const draft: Draft = {
    text: '',
    hosts: 0,
    needsHost: false,
    lengths: 0,
    length: -1,
    codings: 0,
    trailer: '',
    expects: false,
    nominated: null,
  }
  const { options } = input
  const raw = input.inc.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const field = validField(name)
    if (field.kind === HOST) draft.hosts++
    if (isUnwanted(field, options) || nominated?.includes(field.lower)) continue
    const value = raw[i + 1] ?? ''
    if (field.kind === PLAIN || (keeps(draft, field, value) && !replaced(field, options)))
      draft.text += `${name}: ${value}\r\n`
    else if (field.kind === COOKIE) draft.text += cookieLine(name, value, options)
  }
  if (draft.hosts > 1) throw new BadRequestError('more than one Host')
  draft.needsHost = needsHost(draft.hosts, options)
  return draft
}

function needsHost(hosts: number, { strip, add }: RelayOptions): boolean {
  if (add?.some(([name]) => name.toLowerCase() === 'host')) return false
  return hosts === 0 || (strip?.has('host') ?? false)
}

function validField(name: string): Field {
  const field = fieldOf(name)
  if (!field) throw new BadRequestError('invalid header name')
  return field
}

/** Stripped, or replaced by one of ours. Nobody can strip what frames the body. */
function isUnwanted(field: Field, { strip, add }: RelayOptions): boolean {
  if (field.kind === CONTENT_LENGTH || field.kind === TRANSFER_ENCODING) return false
  return (strip?.has(field.match) ?? false) || (add !== undefined && replaces(add, field))
}

function replaces(add: readonly (readonly [string, string])[], field: Field): boolean {
  for (const [name] of add) {
    if (name.length === field.match.length && name.toLowerCase() === field.match) return true
  }
  return false
}

/** What frames a body that was read already, or asks for one, says nothing about the body that is sent. */
const replaced = (field: Field, { body }: RelayOptions): boolean =>
  body !== undefined && (field.kind === CONTENT_LENGTH || field.kind === EXPECT)

/** A caller cannot add what frames the message. */
function isAddable(name: string): boolean {
  const kind = fieldOf(name)?.kind
  return kind !== undefined && ![CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, TRAILER].includes(kind)
}

/** Takes note of a field with a meaning of its own; true when it is forwarded as it is. */
function keeps(draft: Draft, field: Field, value: string): boolean {
  switch (field.kind) {
    case CONNECTION: {
      if (value === 'keep-alive' || value === 'close') return false
      const names = nominatedBy(value)
      if (names.length > 0) draft.nominated = (draft.nominated ?? []).concat(names)
      return false
    }
    case HOP:
    case KEEP_ALIVE:
    case UPGRADE:
    case COOKIE:
      return false
    case TRANSFER_ENCODING:
      draft.codings++
      if (value.toLowerCase() !== 'chunked') throw new BadRequestError('unsupported transfer coding')
      return false
    case TRAILER:
      draft.trailer += `Trailer: ${value}\r\n`
      return false
    case CONTENT_LENGTH:
      draft.lengths++
      draft.length = contentLength(value)
      if (draft.length < 0) throw new BadRequestError('invalid Content-Length')
      return true
    case EXPECT:
      draft.expects = value.toLowerCase() === '100-continue'
      return true
    default:
      return true
  }
}

function cookieLine(name: string, value: string, options: RelayOptions): string {
  const kept = options.stripCookies ? filterCookies(value, options.stripCookies) : value
  return kept === '' ? '' : `${name}: ${kept}\r\n`
}

/** The server's parser refuses these too; the relay does not depend on its settings. */
function checkFraming(draft: Draft, inc: IncomingMessage): void {
  if (draft.lengths > 1) throw new BadRequestError('more than one Content-Length')
  if (draft.codings > 1) throw new BadRequestError('more than one Transfer-Encoding')
  if (draft.codings > 0 && draft.lengths > 0) throw new BadRequestError('both Content-Length and Transfer-Encoding')
  if (draft.codings > 0 && inc.httpVersionMinor === 0) {
    throw new BadRequestError('Transfer-Encoding in an HTTP/1.0 request')
  }
}

/** True when a request announces a body, by what its server understood. */
export function hasBody(inc: IncomingMessage): boolean {
  return inc.headers['transfer-encoding'] !== undefined || Number(inc.headers['content-length'] ?? 0) > 0
}

function hostOf(target: RelayTarget): string {
  if ('socketPath' in target) return 'localhost'
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  return `${host}:${target.port}`
}
