/** HTTP calls over kept connections, whose answers may stream for hours: to the endpoints of agents. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import { PloinkyError } from '../core/error.ts'
import type { HttpClient, HttpStream, StreamCall } from './index.ts'

// Asked for on use, as in network.ts.
const http = (): typeof import('node:http') => process.getBuiltinModule('node:http')

/** Shorter than the 5 s after which Node's servers close idle connections. */
const IDLE_MS = 4000
const CONNECT_TIMEOUT_MS = 5000
const MAX_IDLE_SOCKETS = 64
/**
 * Deno (2.9) sends a request again by itself when a kept connection breaks before the answer, also one that was aborted, and
 * tells nobody: a tool would run twice. There, each request has a connection of its own.
 */
const KEEPS = !('Deno' in globalThis)

export function createHttpClient(): HttpClient {
  const agent = new (http().Agent)({ keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, timeout: IDLE_MS })
  return {
    async request(call) {
      try {
        return await send(call, agent)
      } catch (error) {
        // The other side closed a kept connection in the same moment: it never saw the request.
        if (call.idempotent === true && isReset(error) && !call.signal?.aborted) return await send(call, agent)
        throw error
      }
    },
    close: () => agent.destroy(),
  }
}

const isReset = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((error as { code?: string } | null)?.code ?? '')

function send(call: StreamCall, agent: Agent): Promise<HttpStream> {
  const { host, port, method, path, headers, body } = call
  return new Promise((resolve, reject) => {
    const outgoing = http().request({
      ...{ host, port, method, path, agent: KEEPS ? agent : false },
      headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(body.byteLength) }) },
      // No name to derive: see network.ts.
      ...({ servername: '' } as object),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    watchConnect(outgoing, call)
    outgoing.once('error', reject)
    outgoing.once('response', (incoming) => {
      outgoing.on('error', () => {})
      resolve(toStream(incoming))
    })
    outgoing.end(body)
  })
}

/** A host that swallows packets is given up; a tool that works for an hour is not. */
function watchConnect(outgoing: ClientRequest, { host, port }: StreamCall): void {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return
    const timer = setTimeout(
      () => outgoing.destroy(new PloinkyError('UPSTREAM_TIMEOUT', `No connection to ${host}:${port} within 5 s`)),
      CONNECT_TIMEOUT_MS,
    )
    const stop = (): void => clearTimeout(timer)
    socket.once('connect', stop)
    socket.once('close', stop)
  })
}

function toStream(incoming: IncomingMessage): HttpStream {
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ])
  return { status: incoming.statusCode ?? 0, headers: new Map(headers), body: incoming }
}
