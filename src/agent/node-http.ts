import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'

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
  // An unread body (refused by its declared size) would otherwise be taken for the next request.
  if (!incoming.readableEnded) incoming.destroy()
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
  const body = Readable.toWeb(incoming) as ReadableStream<Uint8Array>
  // "duplex" is required for a streamed body and missing from some type libraries.
  const init: RequestInit & { duplex: 'half' } = { method, headers, signal, body, duplex: 'half' }
  return new Request(url, init)
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
