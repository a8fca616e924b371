/** PloinkyError -> response, for Hono answers and for raw ones. */
import { asPloinkyError, httpStatusOf, type PloinkyError, toErrorBody } from '../core/error.ts'
import type { Duplex, ServerResponse } from '../platform/index.ts'

/** Milliseconds for a refused client to read its answer and go. */
const LINGER_MS = 2000
const TYPE = 'application/json; charset=utf-8'

/** What strangers may see of a bug: nothing of its text. Known errors are written for readers. */
function visible(error: PloinkyError, requestId: string): string {
  const body = toErrorBody(error, { requestId })
  if (error.code === 'INTERNAL') body.error.message = 'Internal error; the router log has the details'
  return JSON.stringify(body)
}

function extraHeaders(error: PloinkyError): Record<string, string> {
  if (error.code === 'UNAUTHENTICATED') return { 'www-authenticate': 'Bearer realm="ploinky"' }
  const seconds = error.details['retryAfterSeconds']
  if (typeof seconds === 'number') return { 'retry-after': String(seconds) }
  // The rest of the body is not wanted: a kept connection would invite it.
  return error.code === 'REQUEST_TOO_LARGE' ? { connection: 'close' } : {}
}

/** The same as text, for an answer that has begun already. */
export const errorText = (thrown: unknown, requestId: string): string => visible(asPloinkyError(thrown), requestId)

export function errorResponse(thrown: unknown, requestId: string): Response {
  const error = asPloinkyError(thrown)
  return new Response(visible(error, requestId), {
    status: httpStatusOf(error),
    headers: {
      'content-type': TYPE,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...extraHeaders(error),
    },
  })
}

/** For requests that never reach Hono. A body that was not read is not waited for: the connection closes. */
export function writeError(outgoing: ServerResponse, thrown: unknown, requestId: string): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy()
    return
  }
  const error = asPloinkyError(thrown)
  const body = visible(error, requestId)
  const unread = !outgoing.req.complete
  outgoing.writeHead(httpStatusOf(error), {
    'content-type': TYPE,
    'content-length': String(new TextEncoder().encode(body).byteLength),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...extraHeaders(error),
    ...(unread ? { connection: 'close' } : {}),
  })
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body)
}

/** For upgrades: the socket is still plain HTTP. */
export function refuseUpgrade(socket: Duplex, thrown: unknown, requestId: string): void {
  const error = asPloinkyError(thrown)
  const body = visible(error, requestId)
  const status = httpStatusOf(error)
  if (!socket.writable) return
  socket.end(
    `HTTP/1.1 ${status} ${status === 401 ? 'Unauthorized' : status === 404 ? 'Not Found' : 'Refused'}\r\n` +
      `content-type: ${TYPE}\r\ncontent-length: ${new TextEncoder().encode(body).byteLength}\r\nconnection: close\r\n\r\n${body}`,
  )
  // A client that never closes its half would keep the other half for ever.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}
