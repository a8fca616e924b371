import { UpstreamProtocolError, parseResponseHead, parseTrailers } from './response-head.ts'
import type { ResponseHead } from './response-head.ts'

/** Receives one response. Any call may stop the parser. */
export interface ResponseSink {
  /** A 1xx response other than 101. */
  interim(head: ResponseHead): void
  /** The final response (or 101). */
  head(head: ResponseHead): void
  /** A piece of the decoded body; a view into the chunk that was fed. */
  data(piece: Buffer): void
}

export interface ParserLimits {
  readonly maxHeadBytes: number
  readonly maxHeaders: number
}

const HEAD = 0
const LENGTH = 1
const UNTIL_CLOSE = 2
const SIZE = 3
const EXTENSION = 4
const SIZE_LF = 5
const CHUNK = 6
const CHUNK_CR = 7
const CHUNK_LF = 8
const TRAILERS = 9
const DONE = 10
const STOPPED = 11

const CR = 13
const LF = 10
const HEAD_END = Buffer.from('\r\n\r\n')
const MAX_SIZE_DIGITS = 12
/** Per message: extensions carry nothing that is relayed, so a target has no reason to send more. */
const MAX_EXTENSION_BYTES = 16 * 1024
/** Per response: a target that sends only interim responses must not keep an exchange alive for ever. */
const MAX_INTERIM = 32
const EMPTY: readonly [string, string][] = []

/** Incremental HTTP/1 response parser: one response per `reset`, input cut anywhere. */
export class ResponseParser {
  private readonly limits: ParserLimits
  private sink: ResponseSink
  private state = STOPPED
  private headRequest = false
  private partial: Buffer | null = null
  private remaining = 0
  private digits = 0
  private extensionBytes = 0
  private interims = 0
  /** Trailer fields of a finished response. */
  trailers: readonly [string, string][] = EMPTY
  /** True once a byte of the response has arrived. */
  started = false

  constructor(limits: ParserLimits, sink: ResponseSink) {
    this.limits = limits
    this.sink = sink
  }

  reset(sink: ResponseSink, method: string): void {
    this.sink = sink
    this.headRequest = method === 'HEAD'
    this.state = HEAD
    this.partial = null
    this.extensionBytes = 0
    this.interims = 0
    this.trailers = EMPTY
    this.started = false
  }

  /** Makes the parser ignore what is left of the current chunk and all later ones. */
  stop(): void {
    this.state = STOPPED
    this.partial = null
  }

  get done(): boolean {
    return this.state === DONE
  }

  /**
   * Consumes bytes until the response is complete. Returns how many were consumed; more bytes than that do not belong
   * to the response. @throws UpstreamProtocolError
   */
  feed(chunk: Buffer): number {
    this.started = true
    let pos = 0
    while (pos < chunk.length && this.state < DONE) {
      switch (this.state) {
        case HEAD:
          pos = this.feedHead(chunk, pos)
          break
        case LENGTH:
        case CHUNK:
          pos = this.feedSized(chunk, pos)
          break
        case UNTIL_CLOSE:
          this.sink.data(pos === 0 ? chunk : chunk.subarray(pos))
          pos = chunk.length
          break
        case TRAILERS:
          pos = this.feedTrailers(chunk, pos)
          break
        default:
          pos = this.feedChunkFrame(chunk, pos)
      }
    }
    return pos
  }

  /** The peer sent FIN. True when that completes the response. */
  eof(): boolean {
    if (this.state === UNTIL_CLOSE) this.state = DONE
    return this.state === DONE
  }

  private feedHead(chunk: Buffer, pos: number): number {
    const text = this.collect(chunk, pos, HEAD_END)
    if (text === null) return chunk.length
    const head = parseResponseHead(text.slice(0, -4), this.limits.maxHeaders)
    const next = this.consumed
    if (head.status < 200 && head.status !== 101) {
      if (++this.interims > MAX_INTERIM) throw new UpstreamProtocolError('too many interim responses')
      this.sink.interim(head)
      return next
    }
    // The sink may stop the parser, so the state that follows is set first.
    this.state = this.bodyState(head)
    this.sink.head(head)
    return next
  }

  private bodyState(head: ResponseHead): number {
    const { status } = head
    if (this.headRequest || status === 204 || status === 304 || status === 101) return DONE
    if (head.chunked) {
      this.startSize()
      return SIZE
    }
    if (head.length < 0) return UNTIL_CLOSE
    this.remaining = head.length
    return head.length === 0 ? DONE : LENGTH
  }

  private consumed = 0

  /**
   * Gathers input up to and including `terminator`, which may be cut anywhere. Returns it as text and sets `consumed`
   * to the position behind it in `chunk`, or returns null when more input is needed.
   */
  private collect(chunk: Buffer, pos: number, terminator: Buffer): string | null {
    const before = this.partial
    const held = before ? before.length : 0
    const input = before ? Buffer.concat([before, pos === 0 ? chunk : chunk.subarray(pos)]) : chunk
    const base = before ? 0 : pos
    const at = input.indexOf(terminator, before ? Math.max(0, held - terminator.length + 1) : pos)
    const size = (at < 0 ? input.length : at + terminator.length) - base
    if (size > this.limits.maxHeadBytes) throw new UpstreamProtocolError('response head too large')
    if (at < 0) {
      this.partial = before ? input : Buffer.from(input.subarray(base))
      return null
    }
    this.partial = null
    const stop = at + terminator.length
    this.consumed = before ? stop - held + pos : stop
    return input.toString('latin1', base, stop)
  }

  private feedSized(chunk: Buffer, pos: number): number {
    const available = chunk.length - pos
    const take = available < this.remaining ? available : this.remaining
    this.remaining -= take
    if (this.remaining === 0) this.state = this.state === LENGTH ? DONE : CHUNK_CR
    this.sink.data(take === chunk.length ? chunk : chunk.subarray(pos, pos + take))
    return pos + take
  }

  private startSize(): void {
    this.remaining = 0
    this.digits = 0
  }

  /** One byte of the framing around chunks. */
  private feedChunkFrame(chunk: Buffer, pos: number): number {
    const byte = chunk[pos] ?? 0
    switch (this.state) {
      case SIZE:
        this.sizeByte(byte)
        break
      case EXTENSION:
        if (byte === CR) this.state = SIZE_LF
        else if ((byte < 32 && byte !== 9) || byte === 127) throw new UpstreamProtocolError('malformed chunk extension')
        else if (++this.extensionBytes > MAX_EXTENSION_BYTES) {
          throw new UpstreamProtocolError('chunk extensions too large')
        }
        break
      case SIZE_LF:
        if (byte !== LF) throw new UpstreamProtocolError('malformed chunk header')
        this.state = this.remaining === 0 ? TRAILERS : CHUNK
        break
      case CHUNK_CR:
        if (byte !== CR) throw new UpstreamProtocolError('chunk longer than its size')
        this.state = CHUNK_LF
        break
      default:
        if (byte !== LF) throw new UpstreamProtocolError('malformed end of chunk')
        this.state = SIZE
        this.startSize()
    }
    return pos + 1
  }

  private sizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      if (++this.digits > MAX_SIZE_DIGITS) throw new UpstreamProtocolError('chunk size too large')
      this.remaining = this.remaining * 16 + digit
      return
    }
    if (this.digits === 0) throw new UpstreamProtocolError('malformed chunk size')
    if (byte === CR) this.state = SIZE_LF
    else if (byte === 59) this.state = EXTENSION
    else throw new UpstreamProtocolError('malformed chunk size')
  }

  private feedTrailers(chunk: Buffer, pos: number): number {
    if (!this.partial && chunk[pos] === CR && chunk[pos + 1] === LF) {
      this.state = DONE
      return pos + 2
    }
    // With the CRLF of the last chunk's size in front, an empty section ends like any other.
    this.partial ??= Buffer.from('\r\n')
    const text = this.collect(chunk, pos, HEAD_END)
    if (text === null) return chunk.length
    this.trailers = parseTrailers(text.slice(2, -4), this.limits.maxHeaders)
    this.state = DONE
    return this.consumed
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
