/** HTTP server, small HTTP calls and ports, over node:http and node:net; the same code runs on Deno. */
import type { ClientRequest, IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { PloinkyError } from '../core/error.ts'
import { ignoreUpgrade, wantsWebSocket } from './relay/ignore-upgrade.ts'
import { lingerOnClose } from './relay/linger.ts'
import { denoGlobal } from './deno.ts'
import { connectOnDeno } from './deno-sockets.ts'
import { freePort, isListening, keepsConnection } from './dial.ts'
import { toAnswer } from './http-answer.ts'
import { createHttpClient } from './http-client.ts'
import { openRawExchange } from './raw-exchange.ts'
import { replay } from './replay.ts'
import { serveSockets } from './sockets.ts'
import type { HttpAnswer, HttpCall, Network, Processes, RunningServer, ServerHandlers, ServerOptions } from './index.ts'

// `import 'node:http'` costs 25 ms on Node 22 and later; asked for on use it costs 3 (measured: import versus getBuiltinModule).
const http = (): typeof import('node:http') => process.getBuiltinModule('node:http')

/** Room for large cookies and tokens; the default of 16 KiB refuses heads that other proxies pass. */
const MAX_HEADER_BYTES = 65_536
const KEEP_ALIVE_MS = 65_000
const HEADERS_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 10_000
/** For a refused client to read why, before the connection is cut. */
const REFUSED_MS = 2000

export function createServer(
  handlers: ServerHandlers,
  options: Pick<ServerOptions, 'headersTimeoutMs' | 'maxConnections'>,
): Server {
  const settings = {
    maxHeaderSize: MAX_HEADER_BYTES,
    // Bodies may stream for hours; only the head has a deadline.
    requestTimeout: 0,
    headersTimeout: options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
    // Known to newer runtimes: an offer of h2c stays an ordinary request. The types of the oldest one lack it.
    shouldUpgradeCallback: wantsWebSocket,
  }
  const requests = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    if (announcesBody(incoming)) leaveUnread(incoming, outgoing)
    handlers.request(incoming, outgoing)
  }
  const server = http().createServer(settings, requests)
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS
  // The handlers answer "100 Continue" themselves, after they know the caller: no body is invited from a stranger.
  server.on('checkContinue', requests)
  server.on('upgrade', (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    if (!wantsWebSocket(incoming) && ignoreUpgrade(server, { inc: incoming, socket, head })) return
    handlers.upgrade(incoming, socket, head)
  })
  server.on('clientError', answerClientError)
  return server
}

/** The answer to the request whose body a connection is carrying. */
const answers = new WeakMap<Duplex, ServerResponse>()

const announcesBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/**
 * A body that nobody wants stays on the wire: node would pull all of it to keep the connection, at the sender's choice of size.
 * The connection ends after the answer instead, and slowly enough for the answer to be read.
 */
function leaveUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { socket } = incoming
  lingerOnClose(incoming)
  answers.set(socket, outgoing)
  // Asking for nothing marks the body as being read, so that node does not throw it away by itself; one buffer fills up.
  incoming.read(0)
  outgoing.once('finish', () => {
    if (incoming.complete) return
    // The web adapter would drain another 64 MB of it.
    incoming.resume = () => incoming
    socket.destroySoon()
  })
}

/** Requests that never became one: malformed, too large or too slow. The body keeps the error shape. */
function answerClientError(error: Error & { code?: string }, socket: Duplex): void {
  if (socket.destroyed || !socket.writable) return
  const answer = answers.get(socket)
  if (answer?.headersSent === true && !answer.req.complete) {
    // The body of a request that is being answered turned out broken: a second answer would be taken for the next request's.
    answer.once('close', () => socket.destroy())
    return
  }
  const [status, code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [
          '431 Request Header Fields Too Large',
          'REQUEST_TOO_LARGE',
          `Request head larger than ${MAX_HEADER_BYTES} bytes`,
        ]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'TIMEOUT', 'The request head did not arrive in time']
        : ['400 Bad Request', 'REQUEST_INVALID', 'Malformed HTTP request']
  const body = JSON.stringify({ error: { code, message, details: {} } })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
  const timer = setTimeout(() => socket.destroy(), REFUSED_MS)
  timer.unref?.()
}

async function portTaken(processes: Processes, host: string, port: number): Promise<PloinkyError> {
  const owner = await processes.listenerOf(port)
  const who = owner === null ? 'another program' : `process ${owner.pid} (${owner.command.slice(0, 120)})`
  return new PloinkyError('PORT_TAKEN', `Port ${port} on ${host} is taken by ${who}`, {
    hint: `Choose another port: ploinky start --port ${port < 65_535 ? port + 1 : 8088}`,
    details: { port, host, ...(owner === null ? {} : { pid: owner.pid, command: owner.command.slice(0, 200) }) },
  })
}

function listen(server: Server, options: ServerOptions, processes: Processes): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      if (error.code === 'EADDRINUSE') void portTaken(processes, options.host, options.port).then(reject, reject)
      else if (error.code === 'EACCES')
        reject(
          new PloinkyError('DENIED', `Not permitted to listen on port ${options.port}`, {
            hint: 'Choose a port above 1023: ploinky start --port 8088',
          }),
        )
      else if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EINVAL', 'EAI_AGAIN'].includes(error.code ?? ''))
        reject(
          new PloinkyError('CONFIG_INVALID', `Not an address of this machine: "${options.host}"`, {
            hint: 'Use --host 127.0.0.1 or an address that this machine has',
          }),
        )
      else reject(error)
    })
    server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : options.port)
    })
  })
}

async function serve(options: ServerOptions, handlers: ServerHandlers, processes: Processes): Promise<RunningServer> {
  const server = createServer(handlers, options)
  const sockets = new Set<Duplex>()
  server.on('connection', (socket: Duplex) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listen(server, options, processes)
  return {
    port,
    close: (graceMs) =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections?.()
        const timer = setTimeout(() => {
          for (const socket of sockets) socket.destroy()
        }, graceMs)
        timer.unref?.()
      }),
  }
}

function placeOf({ host = '127.0.0.1', port = 80, socketPath }: HttpCall) {
  // Only TLS needs a server name; left to the runtime, it is derived with address patterns that take 10 ms to compile.
  const servername = ''
  if (socketPath === undefined) return { host, port, servername }
  const deno = denoGlobal()
  return deno === null
    ? { socketPath, servername }
    : // Beside an agent, and `false` makes one, Deno asks nobody for a connection.
      { createConnection: () => connectOnDeno(deno, socketPath), agent: undefined, servername }
}

function request(call: HttpCall): Promise<HttpAnswer> {
  const { body } = call
  return new Promise((resolve, reject) => {
    const outgoing = http().request({
      method: call.method,
      path: call.path,
      headers: {
        ...call.headers,
        ...(typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {}),
      },
      // One call a process: a kept connection would only hold the process open.
      agent: false,
      ...placeOf(call),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    const late = (): void => {
      const place = call.socketPath ?? `${call.host ?? '127.0.0.1'}:${call.port}`
      outgoing.destroy(new PloinkyError('TIMEOUT', `No answer within ${call.timeoutMs} ms from ${place}`))
    }
    const isStream = body !== undefined && typeof body !== 'string'
    let timer = isStream ? undefined : setTimeout(late, call.timeoutMs)
    let answered = false
    // Not only the first: the rest of a body may hit a connection whose answer is here already.
    outgoing.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    outgoing.once('response', (incoming) => {
      answered = true
      clearTimeout(timer)
      resolve(toAnswer(incoming, call.timeoutMs))
    })
    if (!isStream) return void outgoing.end(body)
    sendStream(outgoing, body).then(
      () => {
        if (!answered) timer = setTimeout(late, call.timeoutMs)
      },
      (error: unknown) => {
        outgoing.destroy()
        reject(error as Error)
      },
    )
  })
}

/** Writes as fast as the other side reads, and ends the body. A connection that is gone ends the source. */
async function sendStream(outgoing: ClientRequest, body: AsyncIterable<Uint8Array>): Promise<void> {
  const closed = new Promise<void>((resolve) => outgoing.once('close', () => resolve()))
  for await (const chunk of body) {
    if (outgoing.destroyed) return
    if (outgoing.write(chunk)) continue
    await Promise.race([new Promise<void>((resolve) => outgoing.once('drain', resolve)), closed])
  }
  outgoing.end()
}

/** The switched stream of an `Upgrade: tcp` call; what arrived with the answer is put back in front. */
function hijack(call: HttpCall): Promise<Duplex> {
  const text = typeof call.body === 'string' ? call.body : ''
  return new Promise((resolve, reject) => {
    const outgoing = http().request({
      method: call.method,
      path: call.path,
      headers: {
        ...call.headers,
        connection: 'Upgrade',
        upgrade: 'tcp',
        'content-length': String(Buffer.byteLength(text)),
      },
      agent: false,
      ...placeOf(call),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    })
    const timer = setTimeout(
      () => outgoing.destroy(new PloinkyError('TIMEOUT', `No answer within ${call.timeoutMs} ms`)),
      call.timeoutMs,
    )
    outgoing.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    outgoing.once('upgrade', (_answer, socket: Duplex, head: Buffer) => {
      clearTimeout(timer)
      socket.pause()
      if (head.length > 0) socket.unshift(head)
      resolve(socket)
    })
    outgoing.once('response', (incoming) => {
      clearTimeout(timer)
      void toAnswer(incoming, call.timeoutMs)
        .text(64 * 1024)
        .then(
          (text) =>
            reject(
              new PloinkyError(
                'RUNTIME_FAILED',
                `The engine refused a raw stream (${incoming.statusCode}): ${text.trim().slice(0, 300)}`,
              ),
            ),
          reject,
        )
    })
    outgoing.end(text)
  })
}

/** `@hono/node-server` turns node's request and response into web-standard ones and back, on Deno too. */
async function toListener<E extends object>(fetch: (request: Request, env: E) => Response | Promise<Response>) {
  const { getRequestListener } = await import('@hono/node-server')
  const envs = new WeakMap<object, E>()
  const listener = getRequestListener((request, bindings) => {
    const env = envs.get(bindings.incoming)
    if (env === undefined) throw new Error('A request without its environment')
    return fetch(request, env)
  })
  return (incoming: IncomingMessage, outgoing: ServerResponse, env: E): void => {
    envs.set(incoming, env)
    void listener(incoming, outgoing)
  }
}

export function createNetwork(processes: Processes): Network {
  return {
    serve: (options, handlers) => serve(options, handlers, processes),
    serveSockets: (handlers) => serveSockets(createServer(handlers, {})),
    replay,
    acceptWebSocket: async (upgrade, options, onOpen) =>
      (await import('./web-sockets.ts')).acceptWebSocket(upgrade, options, onOpen),
    connectWebSocket: async (call, onOpen) => (await import('./web-sockets.ts')).connectWebSocket(call, onOpen),
    // Of no use to any process but a router.
    createDataPlane: async () => (await import('./relay/index.ts')).createDataPlane(),
    isListening,
    keepsConnection,
    freePort,
    request,
    createHttpClient,
    openRawExchange,
    hijack,
    toListener,
  }
}

export type { ServerResponse }
