/** Bytes from and to a client: bodies with a limit, JSON, event streams, and answers of agents that are passed on. */
import { PloinkyError } from '../../../core/error.ts'
import { DEPTH_HEADER } from '../../../core/invocation.ts'
import { callingAgent } from '../../../core/principal.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { ServerResponse } from '../../../platform/index.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { asFailure, errorMessage, type Id } from './failure.ts'

/** Milliseconds for the whole body: a client that sends a byte a minute is not waited for. */
const BODY_TIMEOUT_MS = 120_000
const KEEP_ALIVE_MS = 20_000
/** Bytes that may wait for a slow reader of a stream of ours before it is let go. */
const MAX_WAITING = 16 * 1024 * 1024

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

export function readBody({ incoming, outgoing, bodyLimit }: McpExchange): Promise<Buffer> {
  const tooLarge = (): PloinkyError =>
    new PloinkyError('REQUEST_TOO_LARGE', `Request body larger than ${bodyLimit} bytes`, {
      hint: `Send at most ${bodyLimit} bytes`,
    })
  if (Number(incoming.headers['content-length'] ?? 0) > bodyLimit) return Promise.reject(tooLarge())
  if (incoming.headers.expect !== undefined) outgoing.writeContinue()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(
      () => finish(() => reject(new PloinkyError('REQUEST_INVALID', 'The request body did not arrive in time'))),
      BODY_TIMEOUT_MS,
    )
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      chunks.push(chunk)
      if (size > bodyLimit) finish(() => reject(tooLarge()))
    }
    function finish(settle: () => void): void {
      clearTimeout(timer)
      incoming.off('data', onData)
      settle()
    }
    incoming.on('data', onData)
    incoming.once('end', () =>
      finish(() => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))),
    )
    incoming.once('error', (error) => finish(() => reject(error)))
    incoming.once('close', () => finish(() => reject(new PloinkyError('INTERRUPTED', 'The client left'))))
  })
}

/** How many agents stand before this call: only agents may say so. */
export function depthHeader({ incoming, principal }: McpExchange): Record<string, string> {
  const depth = callingAgent(principal) === null ? undefined : incoming.headers[DEPTH_HEADER]
  return typeof depth === 'string' ? { [DEPTH_HEADER]: depth } : {}
}

/** Aborts when the client went away before it had its whole answer. */
export function clientGone(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController()
  if (outgoing.destroyed) gone.abort()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort()
  })
  return gone.signal
}

export function sendJson(
  { outgoing, requestId }: McpExchange,
  message: object,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): void {
  if (outgoing.headersSent || outgoing.destroyed) return
  const body = Buffer.from(JSON.stringify(message))
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...headers,
  })
  outgoing.end(body)
}

export function sendEmpty(
  { outgoing, requestId }: McpExchange,
  status: number,
  headers: Record<string, string> = {},
): void {
  if (outgoing.headersSent || outgoing.destroyed) return
  outgoing.writeHead(status, { 'content-length': '0', 'x-request-id': requestId, ...headers }).end()
}

/** Tells a failure in the way that fits: as the answer to a request, or as the end of a stream that has begun. */
export function sendFailure(exchange: McpExchange, id: Id, thrown: unknown): void {
  const { status, error } = asFailure(thrown)
  sendJson(exchange, errorMessage(id, error), { status })
}

/** An event stream of ours. */
export interface EventStream {
  /** Lines of one event; false when nobody reads any more. */
  write(event: string): boolean
  end(): void
  readonly closed: AbortSignal
}

export function openStream({ outgoing, requestId }: McpExchange, headers: Record<string, string> = {}): EventStream {
  const closed = clientGone(outgoing)
  outgoing.writeHead(200, { ...STREAM_HEADERS, 'x-request-id': requestId, ...headers })
  outgoing.flushHeaders()
  const timer = setInterval(() => outgoing.write(': keep-alive\n\n'), KEEP_ALIVE_MS)
  outgoing.once('close', () => clearInterval(timer))
  return {
    closed,
    write(event) {
      if (outgoing.destroyed || outgoing.writableEnded) return false
      outgoing.write(`${event}\n\n`)
      if (outgoing.writableLength > MAX_WAITING) outgoing.destroy()
      return true
    },
    end() {
      clearInterval(timer)
      if (!outgoing.destroyed) outgoing.end()
    },
  }
}

/** Headers of an agent's answer that are its own business with its client. */
const DROPPED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer', 'te'],
  ...['mcp-session-id', 'x-request-id', 'set-cookie', 'content-length', 'date'],
])

export const isEventStream = (answer: UpstreamAnswer): boolean =>
  (answer.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream')

export function answerHead({ requestId, outgoing }: McpExchange, answer: UpstreamAnswer): void {
  const kept = [...answer.headers].filter(([name]) => !DROPPED.has(name))
  outgoing.writeHead(answer.status, {
    ...Object.fromEntries(kept),
    ...(isEventStream(answer) ? { 'x-accel-buffering': 'no' } : {}),
    'x-request-id': requestId,
  })
  outgoing.flushHeaders()
}

/** Writes with back-pressure; resolves when the client takes more, or is gone. */
export function writeChunk(outgoing: ServerResponse, chunk: Uint8Array | string): Promise<void> | undefined {
  if (outgoing.destroyed || outgoing.write(chunk)) return undefined
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.on('drain', done)
    outgoing.on('close', done)
  })
}

/** Passes an answer on as it comes. One that breaks off must not look complete. */
export async function pipeAnswer(exchange: McpExchange, answer: UpstreamAnswer): Promise<void> {
  const { outgoing } = exchange
  answerHead(exchange, answer)
  const keepAlive = isEventStream(answer) ? startKeepAlive(outgoing) : null
  try {
    for await (const chunk of answer.body) {
      if (outgoing.destroyed) return
      keepAlive?.saw(endsEvent(chunk))
      await writeChunk(outgoing, chunk)
    }
    outgoing.end()
  } catch {
    outgoing.destroy()
  } finally {
    keepAlive?.stop()
  }
}

const endsEvent = (chunk: Uint8Array): boolean =>
  chunk.at(-1) === 10 && (chunk.at(-2) === 10 || (chunk.at(-2) === 13 && chunk.at(-3) === 10))

/** Comments between the events of a stream that is silent for long. */
export function startKeepAlive(outgoing: ServerResponse): { saw(isBetween: boolean): void; stop(): void } {
  let isBetweenEvents = true
  let isSilent = true
  const timer = setInterval(() => {
    if (isSilent && isBetweenEvents) outgoing.write(': keep-alive\n\n')
    isSilent = true
  }, KEEP_ALIVE_MS)
  return {
    saw(isBetween) {
      isSilent = false
      isBetweenEvents = isBetween
    },
    stop: () => clearInterval(timer),
  }
}
