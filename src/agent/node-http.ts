import type { IncomingMessage, ServerResponse } from 'node:http'

/** How long the rest of a refused body is read and thrown away before the connection is cut, in milliseconds. */
const LINGER_MS = 2000

export type FetchHandler = (request: Request) => Promise<Response>

/**
 * Serves a Node request with a web-standard handler. When the client goes away the request's signal aborts and the body
 * of the answer is cancelled at once, not at its next byte: a stateless call is cancelled that way, and a session may
 * open its stream again.
 */
export async function serveWithFetch(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  handler: FetchHandler,
): Promise<void> {
  const abort = new AbortController()
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) abort.abort()
  })
  let response: Response
  try {
    response = await handler(toRequest(incoming, abort.signal))
  } catch (error) {
    if (!outgoing.headersSent) outgoing.writeHead(500, { 'content-type': 'application/json' })
    outgoing.end('{"error":{"code":"INTERNAL_ERROR","message":"Internal error"}}')
    throw error
  }
  await writeResponse(response, outgoing, abort.signal)
  discardRest(incoming)
}

/**
 * Reads on after a body was refused. Closing at once would reset the connection, and a client that is still sending
 * would lose the answer; so it may finish, for a while.
 */
function discardRest(incoming: IncomingMessage): void {
  if (incoming.complete || incoming.destroyed) return
  const timer = setTimeout(() => incoming.destroy(), LINGER_MS)
  incoming.once('end', () => clearTimeout(timer))
  incoming.once('close', () => clearTimeout(timer))
  incoming.on('error', () => undefined)
  incoming.resume()
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const headers = new Headers()
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    headers.append(incoming.rawHeaders[i] ?? '', incoming.rawHeaders[i + 1] ?? '')
  }
  const method = incoming.method ?? 'GET'
  // The Host header is the client's text; the address only has to be parseable here.
  const url = new URL(
    incoming.url?.startsWith('/') === true ? `http://agent${incoming.url.replace(/^\/+/, '/')}` : 'http://agent/',
  )
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers, signal })
  const body = bodyOf(incoming)
  // "duplex" is required for a streamed body and missing from some type libraries.
  const init: RequestInit & { duplex: 'half' } = { method, headers, signal, body, duplex: 'half' }
  return new Request(url, init)
}

/** The body as a stream. Unlike Node's own conversion, a reader that stops does not destroy the connection. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let isOver = false
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      const finish = (step: () => void): void => {
        if (!isOver) step()
        isOver = true
      }
      incoming.on('data', (chunk: Uint8Array) => {
        if (isOver) return
        controller.enqueue(chunk)
        if ((controller.desiredSize ?? 0) <= 0) incoming.pause()
      })
      incoming.once('end', () => finish(() => controller.close()))
      incoming.once('error', (error) => finish(() => controller.error(error)))
      incoming.once('close', () => finish(() => controller.error(new Error('The client left'))))
    },
    pull: () => void incoming.resume(),
    cancel: () => {
      isOver = true
      incoming.pause()
    },
  })
}

async function writeResponse(response: Response, outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  if (gone.aborted) {
    await response.body?.cancel()
    return
  }
  outgoing.writeHead(response.status, [...response.headers].flat())
  if (response.body === null) {
    outgoing.end()
    return
  }
  // An event stream must show its head before the first event.
  outgoing.flushHeaders()
  const reader = response.body.getReader()
  const leave = (): void => {
    reader.cancel().catch(() => undefined)
  }
  gone.addEventListener('abort', leave, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!outgoing.write(value)) await drained(outgoing, gone)
    }
    outgoing.end()
  } catch {
    // A broken body must not look like a complete one.
    outgoing.destroy()
  } finally {
    gone.removeEventListener('abort', leave)
  }
}

function drained(outgoing: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) resolve()
    outgoing.once('drain', resolve)
    gone.addEventListener('abort', () => resolve(), { once: true })
  })
}
