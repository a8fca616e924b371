import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ClientResponse } from './client-response.ts'
import type { Connection, ConnectionUser } from './connection.ts'
import type { Abortable, ExchangeHost } from './exchange.ts'
import type { Pool } from './pool.ts'
import type { RequestHead } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import type { Sweepable } from './sweeper.ts'
import type { RelayFailure, RelayOptions } from './types.ts'

export interface UpgradeOptions {
  readonly host: ExchangeHost
  readonly pool: Pool
  readonly inc: IncomingMessage
  readonly socket: Duplex
  /** Bytes that the client sent behind its request head. */
  readonly head: Buffer
  readonly options: RelayOptions
  readonly request: RequestHead
  readonly upgrade: string
}

/**
 * An ordinary response on the socket of an upgrade request. The connection ends with it: behind an `upgrade` event
 * nobody parses requests any more.
 */
export function refusalOn(inc: IncomingMessage, socket: Duplex): ServerResponse {
  // Importing `node:http` would cost every command line 25 ms on Node 22 and later; asked for on use it costs 3.
  const { ServerResponse: Response } = process.getBuiltinModule('node:http')
  const out = new Response(inc)
  out.shouldKeepAlive = false
  socket.on('error', () => socket.destroy())
  if (!isTcp(socket)) return out
  out.assignSocket(socket)
  // The server's own listener left with the upgrade.
  socket.on('drain', () => out.emit('drain'))
  out.on('finish', () => socket.destroySoon())
  socket.resume()
  return out
}

/** How long bytes that a closed client sent may take to reach the target. */
const FLUSH_MS = 5000

/** Bytes kept of what a client sends before the target has agreed. */
const MAX_EARLY_BYTES = 64 * 1024

/** The servers of both runtimes hand over sockets; their types promise only a stream. */
function isTcp(stream: Duplex): stream is Socket {
  return 'destroySoon' in stream && 'setNoDelay' in stream
}

/** Closes a socket once its written bytes have left, or after a while. */
function finish(socket: Socket): void {
  if (socket.destroyed) return
  socket.destroySoon()
  const timer = setTimeout(() => socket.destroy(), FLUSH_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}

/** One upgrade request: refused like any request, or spliced byte for byte once the target agrees. */
export class UpgradeExchange implements ConnectionUser, Sweepable, Abortable {
  private readonly input: UpgradeOptions
  private readonly idleMs: number
  place = -1
  private connection: Connection | null = null
  private upstream: Socket | null = null
  private out: ServerResponse | null = null
  private response: ClientResponse | null = null
  private settled = false
  private status = 0
  private accepted: ResponseHead | null = null
  private headBytes = { sent: 0, received: 0 }
  private progress = -1
  private progressAt = 0

  private readonly early: Buffer[]
  private readonly onEarly = (piece: Buffer): void => this.keepEarly(piece)
  private readonly onEarlyEnd = (): void => void this.input.socket.destroy()

  constructor(input: UpgradeOptions) {
    this.input = input
    this.early = input.head.length > 0 ? [input.head] : []
    this.idleMs = input.options.idleTimeoutMs ?? input.host.settings.idleTimeoutMs
  }

  start(): void {
    const { input } = this
    const { socket, options } = input
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.clientClosed())
    // Reading is the only way to learn that the client left.
    socket.on('data', this.onEarly)
    socket.once('end', this.onEarlyEnd)
    if (socket.destroyed) {
      this.clientClosed()
      return
    }
    if (this.idleMs > 0) input.host.sweeper.add(this)
    const connection = input.pool.openRaw(options.connectTimeoutMs ?? input.host.settings.connectTimeoutMs)
    this.connection = connection
    connection.use(this, 'GET')
    connection.socket.write(input.request.text, 'latin1')
  }

  /** Interim responses carry nothing for a client that waits for 101. */
  interim(): void {}

  head(head: ResponseHead): void {
    if (this.settled) return
    const { input } = this
    this.status = head.status
    if (head.status === 101) {
      if (head.upgrade.toLowerCase() === input.upgrade.toLowerCase()) this.accepted = head
      else this.fail({ kind: 'protocol', message: 'target switched to a protocol that was not asked for' })
      return
    }
    this.response = new ClientResponse({
      inc: input.inc,
      out: this.refusal(),
      onDrain: () => this.connection?.socket.resume(),
      options: input.options,
    })
    this.response.head(head)
  }

  data(piece: Buffer): void {
    this.response?.data(piece)
  }

  readDone(): void {
    this.response?.flush()
    if (this.response?.blocked) this.connection?.socket.pause()
  }

  complete(_clean: boolean, excess: Buffer): void {
    const { connection, accepted, response } = this
    if (this.settled || !connection) return
    if (accepted) {
      this.splice(connection, accepted, excess)
      return
    }
    response?.end(connection.parser.trailers)
    this.settle()
    this.report()
  }

  broken(failure: RelayFailure): void {
    this.fail(failure)
  }

  drained(): void {}

  sweep(now: number): void {
    const upstream = this.upstream ?? this.connection?.socket
    if (!upstream || this.idleMs === 0) return
    const progress = upstream.bytesRead + upstream.bytesWritten
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

  private splice(connection: Connection, accepted: ResponseHead, excess: Buffer): void {
    const { input } = this
    const client = input.socket
    const upstream = connection.detach()
    this.connection = null
    this.upstream = upstream
    this.headBytes = { sent: upstream.bytesWritten, received: upstream.bytesRead - excess.length }
    input.options.onHead?.(101)
    upstream.on('close', () => this.upstreamClosed())
    let text = `HTTP/1.1 101 ${accepted.reason}\r\nConnection: Upgrade\r\nUpgrade: ${accepted.upgrade}\r\n`
    const { headers } = accepted
    for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`
    client.write(`${text}\r\n`, 'latin1')
    if (excess.length > 0) client.write(excess)
    this.stopWaiting()
    for (const piece of this.early.splice(0)) upstream.write(piece)
    if (isTcp(client)) client.setNoDelay(true)
    client.pipe(upstream)
    upstream.pipe(client)
  }

  /** A client that does not wait for the agreement is held up once it has sent enough. */
  private keepEarly(piece: Buffer): void {
    this.early.push(piece)
    if (this.early.reduce((sum, { length }) => sum + length, 0) > MAX_EARLY_BYTES) this.input.socket.pause()
  }

  private stopWaiting(): void {
    this.input.socket.off('data', this.onEarly)
    this.input.socket.off('end', this.onEarlyEnd)
  }

  private upstreamClosed(): void {
    if (!this.settle()) return
    const { socket } = this.input
    // What has been received is still delivered; then the client learns that it is over.
    if (isTcp(socket)) finish(socket)
    else socket.end()
    this.report()
  }

  private clientClosed(): void {
    const wasSpliced = this.upstream !== null
    if (!this.settle()) return
    this.report(wasSpliced ? undefined : 'client closed the connection')
  }

  private fail(failure: RelayFailure): void {
    if (!this.settle()) return
    const { input } = this
    input.host.failed()
    if (this.upstream) input.socket.destroy()
    else if (this.response?.started) this.response.abort()
    else {
      const out = this.refusal()
      input.options.fail(out, failure)
      this.status = out.statusCode
    }
    this.report(`${failure.kind}: ${failure.message}`)
  }

  private refusal(): ServerResponse {
    this.stopWaiting()
    this.out ??= refusalOn(this.input.inc, this.input.socket)
    return this.out
  }

  private settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.connection?.destroy()
    this.connection = null
    if (this.upstream) finish(this.upstream)
    if (this.idleMs > 0) this.input.host.sweeper.delete(this)
    this.input.host.settled(this)
    return true
  }

  private report(error?: string): void {
    const { upstream, response } = this
    const counts = {
      status: this.status,
      bytesIn: upstream ? upstream.bytesWritten - this.headBytes.sent : 0,
      bytesOut: upstream ? upstream.bytesRead - this.headBytes.received : (response?.bytes ?? 0),
    }
    this.input.options.onEnd?.(error === undefined ? counts : { ...counts, error })
  }
}
