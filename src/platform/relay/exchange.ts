import type { IncomingMessage, ServerResponse } from 'node:http'
import { ClientResponse } from './client-response.ts'
import { lingerOnClose } from './linger.ts'
import type { Connection, ConnectionUser } from './connection.ts'
import type { Pool } from './pool.ts'
import type { RequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import type { Listed } from '../../core/roster.ts'
import type { Sweepable, Sweeper } from './sweeper.ts'
import type { DataPlaneSettings, RelayFailure, RelayOptions } from './types.ts'
import { Upload } from './upload.ts'

/** Something in progress that the data plane can end. */
export interface Abortable extends Listed {
  abort(): void
}

/** What exchanges share with the data plane. */
export interface ExchangeHost {
  readonly settings: DataPlaneSettings
  readonly sweeper: Sweeper
  retried(): void
  failed(): void
  settled(exchange: Abortable): void
}

export interface ExchangeOptions {
  readonly host: ExchangeHost
  readonly pool: Pool
  readonly inc: IncomingMessage
  readonly out: ServerResponse
  readonly options: RelayOptions
  readonly request: RequestHead
}

/** One request and its response. */
export class Exchange implements ConnectionUser, Sweepable, Abortable {
  private readonly host: ExchangeHost
  private readonly pool: Pool
  private readonly inc: IncomingMessage
  private readonly out: ServerResponse
  private readonly options: RelayOptions
  private readonly request: RequestHead
  private readonly response: ClientResponse
  private readonly upload: Upload | null
  private readonly idleMs: number
  private readonly sseMs: number
  place = -1
  private connection: Connection | null = null
  private settled = false
  private retried = false
  private status = 0
  private keepAlive = false
  private keepAliveMs = -1
  private progress = -1
  private progressAt = 0

  constructor(input: ExchangeOptions) {
    const { host, inc, out, options, request } = input
    this.host = host
    this.pool = input.pool
    this.inc = inc
    this.out = out
    this.options = options
    this.request = request
    this.idleMs = options.idleTimeoutMs ?? host.settings.idleTimeoutMs
    this.sseMs = options.sseKeepAliveMs ?? host.settings.sseKeepAliveMs
    this.response = new ClientResponse({
      inc,
      out,
      onDrain: () => this.connection?.socket.resume(),
      options,
    })
    this.upload = request.length === 0 || options.body !== undefined ? null : this.createUpload()
  }

  private createUpload(): Upload {
    return new Upload({
      inc: this.inc,
      chunked: this.request.length < 0,
      strip: this.options.strip,
      maxBytes: this.options.maxBodyBytes ?? this.host.settings.maxBodyBytes,
      onTooLarge: () => this.fail({ kind: 'too-large', message: 'request body exceeds the limit' }),
    })
  }

  start(): void {
    const { inc, out } = this
    const gone = (): void => {
      if (this.settle()) this.report('client closed the connection')
    }
    if (out.destroyed || inc.socket.destroyed) {
      gone()
      return
    }
    out.on('close', gone)
    // While it waits behind an earlier response, `out` has no socket and does not hear of its end.
    if (!out.socket) {
      inc.once('close', () => {
        if (inc.readableAborted) gone()
      })
    }
    if (this.idleMs > 0) this.host.sweeper.add(this)
    this.send(false)
  }

  private send(fresh: boolean): void {
    const { request, upload } = this
    const connectTimeoutMs = this.options.connectTimeoutMs ?? this.host.settings.connectTimeoutMs
    const connection = this.pool.acquire({ idempotent: request.idempotent, fresh, connectTimeoutMs })
    this.connection = connection
    connection.use(this, this.inc.method ?? 'GET')
    const { socket } = connection
    const { body } = this.options
    if (!upload && body === undefined) {
      socket.write(request.text, 'latin1')
      return
    }
    // A short body is already in the server's buffer and is delivered in this turn: one write for both.
    socket.cork()
    socket.write(request.text, 'latin1')
    if (upload) upload.start(socket)
    else if (body) socket.write(body)
    process.nextTick(() => socket.uncork())
  }

  interim(head: ResponseHead): void {
    if (!this.settled) this.response.interim(head, this.request.expects)
  }

  head(head: ResponseHead): void {
    if (this.settled) return
    if (head.status === 101) {
      this.fail({ kind: 'protocol', message: 'target switched protocols without being asked' })
      return
    }
    this.status = head.status
    this.keepAlive = head.keepAlive
    this.keepAliveMs = head.keepAliveMs
    if (this.upload && !this.upload.done) this.closeAfterwards()
    this.response.head(head)
    if (this.sseMs > 0 && this.response.isEventStream) this.host.sweeper.add(this)
  }

  data(piece: Buffer): void {
    if (!this.settled) this.response.data(piece)
  }

  readDone(): void {
    if (this.settled) return
    this.response.flush()
    if (this.response.blocked) this.connection?.socket.pause()
  }

  complete(clean: boolean): void {
    const { connection } = this
    if (this.settled || !connection) return
    this.connection = null
    this.response.end(connection.parser.trailers)
    if (clean && this.keepAlive && (!this.upload || this.upload.done)) {
      this.pool.giveBack(connection, this.keepAliveMs)
    } else connection.destroy()
    if (this.settle()) this.report()
  }

  broken(failure: RelayFailure): void {
    const { connection } = this
    if (this.settled || !connection) return
    this.connection = null
    const stale = connection.uses > 1 && !connection.parser.started
    if (stale && failure.kind === 'aborted' && this.request.idempotent && !this.upload && !this.retried) {
      this.retried = true
      this.host.retried()
      this.send(true)
      return
    }
    this.fail(failure)
  }

  drained(): void {
    this.upload?.drained()
  }

  sweep(now: number): void {
    const { connection } = this
    if (!connection) return
    if (this.sseMs > 0 && this.response.isEventStream) this.response.keepAlive(now, this.sseMs)
    if (this.idleMs === 0) return
    const progress = connection.socket.bytesRead + connection.socket.bytesWritten
    if (progress !== this.progress) {
      this.progress = progress
      this.progressAt = now
    } else if (now - this.progressAt >= this.idleMs) {
      this.fail({ kind: 'timeout', message: `no data within ${this.idleMs} ms` })
    }
  }

  /** The data plane is closing. */
  abort(): void {
    this.fail({ kind: 'aborted', message: 'the router is stopping' })
  }

  private fail(failure: RelayFailure): void {
    const unread = this.upload !== null && !this.upload.done
    if (!this.settle()) return
    this.host.failed()
    if (this.response.started) this.response.abort()
    else {
      if (unread) this.closeAfterwards()
      this.options.fail(this.out, failure)
      this.status = this.out.statusCode
    }
    this.report(`${failure.kind}: ${failure.message}`)
  }

  /** The request has not been read to its end, so the connection cannot carry another one. */
  private closeAfterwards(): void {
    this.out.shouldKeepAlive = false
    lingerOnClose(this.inc)
  }

  /** Lets go of everything; false when that has already happened. */
  private settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.upload?.stop()
    this.connection?.destroy()
    this.connection = null
    if (this.idleMs > 0 || this.sseMs > 0) this.host.sweeper.delete(this)
    this.host.settled(this)
    return true
  }

  private report(error?: string): void {
    const counts = {
      status: this.status,
      bytesIn: this.upload?.bytes ?? this.options.body?.length ?? 0,
      bytesOut: this.response.bytes,
    }
    this.options.onEnd?.(error === undefined ? counts : { ...counts, error })
  }
}
