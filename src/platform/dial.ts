/** Short looks at TCP ports: who listens, and which are free. */

// Asked for on use: most commands never touch the network.
const net = (): typeof import('node:net') => process.getBuiltinModule('node:net')

export function isListening(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net().connect({ host, port })
    const finish = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    socket.once('connect', () => finish(true))
    socket.once('error', () => finish(false))
  })
}

/** Forwarders of engines accept before the program listens, and hang up when they find nobody behind them. */
export function keepsConnection(
  { host, port }: { host: string; port: number },
  { timeoutMs, holdMs }: { timeoutMs: number; holdMs: number },
): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net().connect({ host, port })
    let holding: ReturnType<typeof setTimeout> | undefined
    const finish = (answer: boolean): void => {
      clearTimeout(holding)
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => finish(false))
    socket.once('connect', () => (holding = setTimeout(() => finish(true), holdMs)))
    // A greeting, whatever follows it, comes from the program itself.
    socket.once('data', () => finish(true))
    socket.once('end', () => finish(false))
    socket.once('error', () => finish(false))
  })
}

/**
 * Below what kernels hand out (Linux from 32768, others from 49152): engines and connections going out take none of these
 * meanwhile.
 */
const FIRST_PORT = 26_000
const PORTS = 6_000
const TRIES = 20

/** A port that nobody listens on now. */
export async function freePort(host: string): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = await portAt(host, FIRST_PORT + Math.floor(Math.random() * PORTS)).catch(() => null)
    if (port !== null) return port
  }
  return await portAt(host, 0)
}

function portAt(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net().createServer()
    server.once('error', reject)
    server.listen({ host, port }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
