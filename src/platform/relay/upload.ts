import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { fieldOf, isFieldValue, isTrailerField } from './fields.ts'

export interface UploadOptions {
  readonly inc: IncomingMessage
  readonly chunked: boolean
  readonly maxBytes: number
  readonly strip: ReadonlySet<string> | undefined
  readonly onTooLarge: () => void
}

/** Sends a request body to the target as it arrives, at the pace of the slower side. */
export class Upload {
  private readonly options: UploadOptions
  private socket: Socket | null = null
  private readonly onData = (piece: Buffer): void => this.forward(piece)
  private readonly onEnd = (): void => this.finish()
  bytes = 0
  /** The whole body has been handed to the target's socket. */
  done = false

  constructor(options: UploadOptions) {
    this.options = options
  }

  start(socket: Socket): void {
    const { inc } = this.options
    this.socket = socket
    inc.on('data', this.onData)
    inc.on('end', this.onEnd)
  }

  drained(): void {
    if (this.socket && !this.done) this.options.inc.resume()
  }

  /** Sends nothing more; what the client still sends is read and thrown away. */
  stop(): void {
    const { inc } = this.options
    this.socket = null
    inc.off('data', this.onData)
    inc.off('end', this.onEnd)
    if (!this.done) inc.resume()
  }

  private forward(piece: Buffer): void {
    const { socket } = this
    if (!socket) return
    this.bytes += piece.length
    if (this.bytes > this.options.maxBytes) {
      this.options.onTooLarge()
      return
    }
    if (!(this.options.chunked ? writeChunk(socket, piece) : socket.write(piece))) this.options.inc.pause()
  }

  private finish(): void {
    const { socket } = this
    this.done = true
    if (!socket || !this.options.chunked) return
    socket.write(`0\r\n${trailers(this.options)}\r\n`, 'latin1')
  }
}

/** A trailer must not bring in what the head was not allowed to. */
function trailers({ inc, strip }: UploadOptions): string {
  const raw = inc.rawTrailers
  let text = ''
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const field = fieldOf(name)
    if (field && isTrailerField(field) && !strip?.has(field.match) && isFieldValue(value))
      text += `${name}: ${value}\r\n`
  }
  return text
}

function writeChunk(socket: Socket, piece: Buffer): boolean {
  socket.cork()
  socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
  socket.write(piece)
  const flowing = socket.write('\r\n', 'latin1')
  socket.uncork()
  return flowing
}
