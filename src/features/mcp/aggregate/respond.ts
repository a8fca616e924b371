/** Answers of our own: failures and event streams. */
import { DEPTH_HEADER } from '../../../core/invocation.ts'
import { callingAgent } from '../../../core/principal.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import { clientGone, KEEP_ALIVE_MS, sendJson } from '../answers.ts'
import { asFailure, errorMessage, type Id } from './failure.ts'

/** Bytes that may wait for a slow reader of a stream of ours before it is let go. */
const MAX_WAITING = 16 * 1024 * 1024

const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** How many agents stand before this call: only agents may say so. */
export function depthHeader({ incoming, principal }: McpExchange): Record<string, string> {
  const depth = callingAgent(principal) === null ? undefined : incoming.headers[DEPTH_HEADER]
  return typeof depth === 'string' ? { [DEPTH_HEADER]: depth } : {}
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
