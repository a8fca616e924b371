/**
 * Unix sockets on Deno, by Deno's own API, for two faults of its `node:net` (2.9). A listener of that stays open in every
 * program that is started meanwhile: an agent would hold the doors of the others, and could answer in the router's name. And a
 * connection of that closes its descriptor twice: the second time hits whatever file or socket has got the number meanwhile,
 * which then fails with EBADF, or is another's (`strace -f -e trace=close -e status=failed`).
 */
import { Duplex } from 'node:stream'

interface DenoConn {
  read(buffer: Uint8Array): Promise<number | null>
  write(data: Uint8Array): Promise<number>
  closeWrite(): Promise<void>
  close(): void
}

interface DenoListener extends AsyncIterable<DenoConn> {
  close(): void
}

interface UnixAddress {
  transport: 'unix'
  path: string
}

export interface DenoSockets {
  listen(address: UnixAddress): DenoListener
  connect(address: UnixAddress): Promise<DenoConn>
}

const READ_BYTES = 64 * 1024

async function writeAll(conn: DenoConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at))
}

/** What node's HTTP server and client ask of a socket beside being a stream. */
class ConnSocket extends Duplex {
  connecting = false
  private conn: DenoConn | null = null
  /** One for all reads: what was read is copied out, so that a few bytes that wait hold no room of 64 KB. */
  private readonly room = new Uint8Array(READ_BYTES)
  private readonly opening: Promise<DenoConn>

  constructor(opening: Promise<DenoConn>, allowHalfOpen: boolean) {
    super({ allowHalfOpen })
    this.opening = opening
  }

  /** Nothing is read, written or destroyed before this is done. */
  override _construct(done: (error?: Error | null) => void): void {
    this.connecting = true
    this.opening.then(
      (conn) => {
        this.conn = conn
        this.connecting = false
        done()
        this.emit('connect')
      },
      (error: Error) => {
        this.connecting = false
        done(error)
      },
    )
  }

  override _read(): void {
    this.conn?.read(this.room).then(
      (count) => this.push(count === null ? null : Buffer.from(this.room.subarray(0, count))),
      (error: Error) => this.destroy(error),
    )
  }

  override _write(chunk: Uint8Array, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.conn !== null) writeAll(this.conn, chunk).then(() => done(), done)
  }

  override _final(done: () => void): void {
    this.conn?.closeWrite().then(done, () => done())
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    try {
      this.conn?.close()
    } catch {
      // Closed already.
    }
    done(error)
  }

  setTimeout(): this {
    return this
  }
  setNoDelay(): this {
    return this
  }
  setKeepAlive(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  destroySoon(): void {
    if (!this.writableEnded) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }
}

/** Tells of its connection, or of the error, as `net.connect` does. */
export function connectOnDeno(deno: DenoSockets, path: string, allowHalfOpen = false): Duplex {
  return new ConnSocket(deno.connect({ transport: 'unix', path }), allowHalfOpen)
}

export function listenOnDeno(
  deno: DenoSockets,
  path: string,
  onConnection: (socket: Duplex) => void,
): { close(): void } {
  const listener = deno.listen({ transport: 'unix', path })
  const accept = async (): Promise<void> => {
    for await (const conn of listener) {
      const socket = new ConnSocket(Promise.resolve(conn), true)
      // A client that goes away is nobody's fault.
      socket.on('error', () => {})
      onConnection(socket)
    }
  }
  // Ends with the listener.
  accept().catch(() => {})
  return listener
}
