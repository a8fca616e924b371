/**
 * Unix sockets on Deno. A listener of its `node:net` stays open in every program that is started meanwhile (Deno 2.9): an agent
 * would hold the doors of the others, and could answer in the router's name. Deno's own listener does not.
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

export interface DenoListen {
  listen(options: { transport: 'unix'; path: string }): DenoListener
}

const READ_BYTES = 64 * 1024

async function writeAll(conn: DenoConn, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length;) at += await conn.write(data.subarray(at))
}

/** What node's HTTP server asks of a socket beside being a stream. */
class ConnSocket extends Duplex {
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

function toSocket(conn: DenoConn): ConnSocket {
  const socket = new ConnSocket({
    read() {
      const buffer = new Uint8Array(READ_BYTES)
      conn.read(buffer).then(
        (count) => socket.push(count === null ? null : Buffer.from(buffer.buffer, 0, count)),
        (error: Error) => socket.destroy(error),
      )
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(conn, chunk).then(() => done(), done)
    },
    final(done) {
      conn.closeWrite().then(
        () => done(),
        () => done(),
      )
    },
    destroy(error, done) {
      try {
        conn.close()
      } catch {
        // Closed already.
      }
      done(error)
    },
  })
  // A client that goes away is nobody's fault.
  socket.on('error', () => {})
  return socket
}

export function listenOnDeno(
  deno: DenoListen,
  path: string,
  onConnection: (socket: Duplex) => void,
): { close(): void } {
  const listener = deno.listen({ transport: 'unix', path })
  const accept = async (): Promise<void> => {
    for await (const conn of listener) onConnection(toSocket(conn))
  }
  // Ends with the listener.
  accept().catch(() => {})
  return listener
}
