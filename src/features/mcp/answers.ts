/** Bytes to a client: JSON, and answers of agents that are passed on as they come. */
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { ServerResponse } from '../../platform/index.ts'
import type { UpstreamAnswer } from './upstream.ts'

export const KEEP_ALIVE_MS = 20_000

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

/** Headers of an agent's answer that are its own business with its client. */
const DROPPED = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'trailer', 'te'],
  ...['x-request-id', 'set-cookie', 'content-length', 'date'],
])

export const isEventStream = (answer: UpstreamAnswer): boolean =>
  (answer.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream')

/** `keepsSession`: the session is the agent's and the client's, not one of ours between them. */
export interface Passing {
  readonly keepsSession?: boolean
}

export function answerHead(
  { requestId, outgoing }: McpExchange,
  answer: UpstreamAnswer,
  { keepsSession = false }: Passing = {},
): void {
  const kept = [...answer.headers].filter(([name]) => !DROPPED.has(name) && (keepsSession || name !== 'mcp-session-id'))
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

/** The body of an answer that was read whole. */
export async function* once(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  yield Buffer.from(text)
}

/** Passes an answer on as it comes. One that breaks off must not look complete. */
export async function pipeAnswer(exchange: McpExchange, answer: UpstreamAnswer, passing: Passing = {}): Promise<void> {
  const { outgoing } = exchange
  answerHead(exchange, answer, passing)
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
