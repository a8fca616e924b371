import type { IncomingMessage } from 'node:http'

/** How long a client that is still sending may take to notice an early answer. */
const LINGER_MS = 2000

/**
 * Makes the server's close of this client connection wait for the client. Closing while unread request bytes arrive
 * makes the kernel answer with RST, and the client may lose a response that it has not read yet.
 */
export function lingerOnClose(inc: IncomingMessage): void {
  const { socket } = inc
  let closing = false
  socket.destroySoon = () => {
    if (closing) return
    closing = true
    if (socket.writable) socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    timer.unref()
    socket.once('close', () => clearTimeout(timer))
  }
}
