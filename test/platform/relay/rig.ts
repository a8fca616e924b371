/** Raw sockets on both sides of a front server: what a case sends and sees is bytes, not a client library's view of them. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import { connect, createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createDataPlane, ignoreUpgrade, wantsWebSocket } from '../../../src/platform/relay/index.ts'
import type {
  DataPlane,
  DataPlaneSettings,
  RelayFailure,
  RelayOptions,
  RelayOutcome,
  RelayTarget,
} from '../../../src/platform/relay/index.ts'

const DEADLINE_MS = 10_000

/** Resolves when the condition holds; looks again whenever the event loop comes round. */
export async function eventually(what: string, condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** One end of a TCP connection that remembers everything it received. */
export class Peer {
  readonly socket: Socket
  private readonly chunks: Buffer[] = []
  private joined = ''
  private taken = 0
  received = 0
  /** `fin`: the other side finished cleanly; `reset`: it broke the connection. */
  ended: '' | 'fin' | 'reset' = ''
  closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.received += chunk.length
      this.chunks.push(chunk)
    })
    socket.on('end', () => {
      this.ended ||= 'fin'
    })
    socket.on('error', () => {
      this.ended = 'reset'
    })
    socket.on('close', () => {
      this.ended ||= 'reset'
      this.closed = true
    })
  }

  /** Everything received so far, as latin1. */
  get text(): string {
    this.joined += Buffer.concat(this.chunks.splice(0)).toString('latin1')
    return this.joined
  }

  send(text: string | Buffer): this {
    if (typeof text === 'string') this.socket.write(text, 'latin1')
    else this.socket.write(text)
    return this
  }

  /** Takes the text up to and including `mark`, waiting for it. */
  async until(mark: string): Promise<string> {
    await eventually(
      `${JSON.stringify(mark)} in ${JSON.stringify(this.text.slice(this.taken, this.taken + 400))}`,
      () => {
        if (this.text.includes(mark, this.taken)) return true
        if (this.ended)
          throw new Error(`closed (${this.ended}) before ${JSON.stringify(mark)}: ${JSON.stringify(this.text)}`)
        return false
      },
    )
    const from = this.taken
    this.taken = this.text.indexOf(mark, from) + mark.length
    return this.text.slice(from, this.taken)
  }

  /** Takes a message head. */
  head(): Promise<string> {
    return this.until('\r\n\r\n')
  }

  /** Takes everything up to the end of the connection. */
  async rest(): Promise<string> {
    await eventually('end of connection', () => this.ended !== '')
    const from = this.taken
    this.taken = this.text.length
    return this.text.slice(from)
  }
}

export type Script = (peer: Peer, index: number) => Promise<void> | void

export interface FrontOptions {
  readonly relay?: Partial<RelayOptions>
  readonly settings?: Partial<DataPlaneSettings>
  readonly before?: (inc: IncomingMessage, out: ServerResponse) => void
}

const STATUS = {
  connect: 502,
  timeout: 504,
  protocol: 502,
  aborted: 502,
  'too-large': 413,
  'bad-request': 400,
} as const

export function answerFailure(out: ServerResponse, failure: RelayFailure): void {
  const body = JSON.stringify(failure)
  out.writeHead(STATUS[failure.kind], { 'content-type': 'application/json', 'content-length': body.length })
  out.end(body)
}

/** A front server with a data plane, any number of scripted targets, and clients. */
export class Rig {
  private readonly closers: (() => Promise<void> | void)[] = []
  readonly outcomes: RelayOutcome[] = []
  readonly outs: ServerResponse[] = []
  readonly upstreams: Peer[] = []
  readonly scriptErrors: unknown[] = []
  private planeOrNull: DataPlane | null = null
  private port = 0

  get plane(): DataPlane {
    if (!this.planeOrNull) throw new Error('no front yet')
    return this.planeOrNull
  }

  /** A target that runs the script on every connection. */
  async upstream(script: Script): Promise<RelayTarget> {
    const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
      const peer = new Peer(socket)
      const index = this.upstreams.push(peer) - 1
      Promise.resolve(script(peer, index)).catch((error: unknown) => this.scriptErrors.push(error))
    })
    const port = await listen(server)
    this.closers.push(() => shut(server, this.upstreams))
    return { host: '127.0.0.1', port }
  }

  async front(target: RelayTarget, options: FrontOptions = {}): Promise<HttpServer> {
    const plane = createDataPlane({ sweepMs: 20, ...options.settings })
    this.planeOrNull = plane
    const optionsFor = (inc: IncomingMessage): RelayOptions => ({
      path: inc.url ?? '/',
      fail: answerFailure,
      onEnd: (outcome) => this.outcomes.push(outcome),
      ...options.relay,
    })
    const serverOptions = {
      maxHeaderSize: 65536,
      requestTimeout: 0,
      keepAliveTimeout: 60_000,
      shouldUpgradeCallback: wantsWebSocket,
    }
    const server = createServer(serverOptions)
    const onRequest = (inc: IncomingMessage, out: ServerResponse): void => {
      this.outs.push(out)
      options.before?.(inc, out)
      plane.relay(inc, out, target, optionsFor(inc))
    }
    server.on('request', onRequest)
    server.on('checkContinue', onRequest)
    server.on('upgrade', (inc, socket, head) => {
      if (!wantsWebSocket(inc) && ignoreUpgrade(server, { inc, socket, head })) return
      plane.upgrade(inc, socket, head, target, optionsFor(inc))
    })
    this.port = await listen(server)
    this.closers.unshift(async () => {
      await plane.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    return server
  }

  client(text?: string | Buffer): Peer {
    const peer = new Peer(connect({ host: '127.0.0.1', port: this.port, allowHalfOpen: true }))
    this.closers.unshift(() => void peer.socket.destroy())
    if (text !== undefined) peer.send(text)
    return peer
  }

  async close(): Promise<void> {
    for (const close of this.closers.splice(0)) await close()
    if (this.scriptErrors.length > 0) throw this.scriptErrors[0]
  }
}

async function listen(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function shut(server: Server, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) peer.socket.destroy()
  await new Promise((resolve) => server.close(resolve))
}

export interface Case {
  readonly name: string
  readonly run: (rig: Rig) => Promise<void>
}

export interface RoundTrip {
  /** The request as the target received it. */
  readonly seen: string
  /** The response as the client received it. */
  readonly answer: string
  readonly ended: string
}

/** One request, one scripted response; the client asks for the connection to be closed unless `request` says otherwise. */
export async function roundTrip(
  rig: Rig,
  request: string,
  response: string,
  options: FrontOptions = {},
): Promise<RoundTrip> {
  let seen = ''
  const target = await rig.upstream(async (peer) => {
    seen = await peer.head()
    peer.send(response)
    if (!/^HTTP\/1.1 [^\n]*\r\n(?:[^\n]+\r\n)*(?:content-length|transfer-encoding):/i.test(response)) peer.socket.end()
  })
  await rig.front(target, options)
  const client = rig.client(request)
  const answer = await client.rest()
  return { seen, answer, ended: client.ended }
}

/** A GET that ends its connection, with more header lines. */
export function get(path: string, ...lines: string[]): string {
  return ['GET ' + path + ' HTTP/1.1', 'Host: agent.test:8088', ...lines, 'Connection: close', '', ''].join('\r\n')
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Decodes one chunked body; what follows it is an error. */
export function unchunk(text: string): { body: string; trailers: string } {
  let body = ''
  for (let at = 0; ;) {
    const lineEnd = text.indexOf('\r\n', at)
    const size = Number.parseInt(text.slice(at, lineEnd), 16)
    if (lineEnd < 0 || Number.isNaN(size)) throw new Error(`bad chunk at ${at} of ${JSON.stringify(text)}`)
    at = lineEnd + 2
    if (size === 0) {
      const trailers = text.slice(at)
      if (!trailers.endsWith('\r\n') || (trailers !== '\r\n' && !trailers.endsWith('\r\n\r\n'))) {
        throw new Error(`bad end of chunks: ${JSON.stringify(trailers)}`)
      }
      return { body, trailers: trailers.slice(0, -2) }
    }
    body += text.slice(at, at + size)
    at += size
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`bad end of chunk at ${at}`)
    at += 2
  }
}
