import type { Socket } from 'node:net'
import { denoGlobal } from '../deno.ts'
import { connectOnDeno } from '../deno-sockets.ts'
import { UpstreamProtocolError } from './response-head.ts'
import { ResponseParser } from './response-parser.ts'
import type { ParserLimits, ResponseSink } from './response-parser.ts'
import type { RelayFailure, RelayTarget } from './types.ts'

/** The exchange that a connection is busy with. */
export interface ConnectionUser extends ResponseSink {
  /** All bytes of one read have been handed over. */
  readDone(): void
  /** The response is complete. `clean`: nothing stands against using the connection again. `excess` came after it. */
  complete(clean: boolean, excess: Buffer): void
  /** The connection is lost or was found unusable before the response was complete. */
  broken(failure: RelayFailure): void
  /** Written bytes have left; more may be written. */
  drained(): void
}

export interface ConnectionOptions {
  readonly target: RelayTarget
  readonly limits: ParserLimits
  readonly connectTimeoutMs: number
  /** For connections that are spliced: either side may finish first. */
  readonly halfOpen: boolean
  readonly onClose: (connection: Connection) => void
}

/** Detects a target that vanished without a FIN, for example with its container's network. */
const TCP_KEEP_ALIVE_MS = 30_000

const NOTHING = Buffer.alloc(0)
const NO_SINK: ResponseSink = { interim() {}, head() {}, data() {} }

function connectUnix(path: string, allowHalfOpen: boolean): Socket {
  const deno = denoGlobal()
  if (deno !== null) return connectOnDeno(deno, path, allowHalfOpen) as Socket
  return process.getBuiltinModule('node:net').connect({ path, allowHalfOpen })
}

/** One HTTP/1.1 connection to a target; carries one exchange at a time. */
export class Connection {
  readonly socket: Socket
  readonly parser: ResponseParser
  /** Exchanges carried so far. */
  uses = 0
  idleSince = 0
  /** Idle time after which the target may close it, in ms. */
  idleLimitMs = Number.POSITIVE_INFINITY
  /** False once its target was dropped. */
  reusable = true
  private user: ConnectionUser | null = null
  private readonly onClose: (connection: Connection) => void
  private connected = false
  private connectTimer: ReturnType<typeof setTimeout> | null = null
  private failure: RelayFailure | null = null
  private readonly onData = (chunk: Buffer): void => this.read(chunk)
  private readonly onFin = (): void => this.fin()

  constructor(options: ConnectionOptions) {
    const { target, connectTimeoutMs } = options
    this.onClose = options.onClose
    this.parser = new ResponseParser(options.limits, NO_SINK)
    const common = { noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS }
    const allowHalfOpen = options.halfOpen
    const { connect } = process.getBuiltinModule('node:net')
    this.socket =
      'socketPath' in target
        ? connectUnix(target.socketPath, allowHalfOpen)
        : connect({ host: target.host, port: target.port, allowHalfOpen, ...common })
    if (connectTimeoutMs > 0) {
      this.connectTimer = setTimeout(() => {
        this.fail({ kind: 'timeout', message: `no connection within ${connectTimeoutMs} ms` })
      }, connectTimeoutMs)
    }
    this.listen()
  }

  private listen(): void {
    const { socket } = this
    socket.on('connect', () => {
      this.connected = true
      this.stopConnectTimer()
    })
    socket.on('data', this.onData)
    socket.on('end', this.onFin)
    socket.on('drain', () => this.user?.drained())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'unknown error'
      this.failure ??= this.connected
        ? { kind: 'aborted', message: `connection lost: ${code}` }
        : { kind: 'connect', message: `connection failed: ${code}` }
    })
    socket.on('close', () => {
      this.stopConnectTimer()
      this.onClose(this)
      this.report(this.failure ?? { kind: 'aborted', message: 'connection closed before the response was complete' })
    })
  }

  /** Hands the connection to an exchange. */
  use(user: ConnectionUser, method: string): void {
    this.user = user
    this.uses++
    this.parser.reset(user, method)
  }

  /** Ends the exchange's hold on the connection without telling it anything more. */
  release(): void {
    this.user = null
    if (this.socket.isPaused()) this.socket.resume()
  }

  destroy(): void {
    this.user = null
    this.reusable = false
    this.parser.stop()
    this.socket.destroy()
  }

  /** Takes the socket away from the parser, for splicing. */
  detach(): Socket {
    this.user = null
    this.reusable = false
    this.parser.stop()
    this.socket.off('data', this.onData)
    this.socket.off('end', this.onFin)
    return this.socket
  }

  private read(chunk: Buffer): void {
    const { user } = this
    // An idle target has nothing to say: whatever this is, it must not become the answer to the next request.
    if (!user) {
      this.destroy()
      return
    }
    let used: number
    try {
      used = this.parser.feed(chunk)
    } catch (error) {
      if (!(error instanceof UpstreamProtocolError)) throw error
      this.fail({ kind: 'protocol', message: error.message })
      return
    }
    if (this.user !== user) return
    if (!this.parser.done) user.readDone()
    else if (used === chunk.length) user.complete(this.reusable, NOTHING)
    else user.complete(false, chunk.subarray(used))
  }

  private fin(): void {
    const { user } = this
    if (user && this.parser.eof()) user.complete(false, NOTHING)
    else this.fail({ kind: 'aborted', message: 'connection closed before the response was complete' })
  }

  private fail(failure: RelayFailure): void {
    this.failure ??= failure
    this.reusable = false
    this.parser.stop()
    this.socket.destroy()
    this.report(this.failure)
  }

  private report(failure: RelayFailure): void {
    const { user } = this
    this.user = null
    user?.broken(failure)
  }

  private stopConnectTimer(): void {
    if (this.connectTimer) clearTimeout(this.connectTimer)
    this.connectTimer = null
  }
}
