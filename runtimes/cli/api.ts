/**
 * The engine's HTTP API on its local socket: an accelerator. Everything that it gives, the CLI gives as well (slower).
 * Paths carry no version: the oldest that an engine accepts differs by far between engines, and the calls used here never changed.
 */
import type { Duplex, HttpAnswer, Network } from '../../src/platform/index.ts'

const CALL_TIMEOUT_MS = 30_000
/** From the end of what was sent to the answer: an engine writes to a disk in between. */
const TRANSFER_TIMEOUT_MS = 120_000

export interface ApiAnswer {
  readonly status: number
  readonly body: string
}

export interface EngineApi {
  readonly socket: string
  call(
    method: 'GET' | 'POST',
    path: string,
    options?: { body?: unknown; signal?: AbortSignal | undefined },
  ): Promise<ApiAnswer>
  /** An answer without an end, read as it comes; abort to leave it. Null when the engine refuses. */
  follow(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>
  /** Bytes in either direction, as they come; abort to leave. */
  transfer(
    method: 'GET' | 'PUT',
    path: string,
    options: { body?: AsyncIterable<Uint8Array>; signal: AbortSignal },
  ): Promise<HttpAnswer>
  /** A call that becomes a raw stream in both directions. */
  hijack(path: string, body: unknown): Promise<Duplex>
}

/** `callTimeoutMs`: from a call to its answer, and as long again to the end of that. */
export function createApi(
  net: Network,
  socket: string,
  { callTimeoutMs = CALL_TIMEOUT_MS }: { callTimeoutMs?: number } = {},
): EngineApi {
  const headers = { 'content-type': 'application/json', host: 'localhost' }
  return {
    socket,
    async call(method, path, options = {}) {
      const answer = await net.request({
        socketPath: socket,
        method,
        path,
        headers,
        timeoutMs: callTimeoutMs,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      })
      return { status: answer.status, body: await answer.text() }
    },
    async follow(path, signal) {
      const request = { socketPath: socket, method: 'GET', path, headers, timeoutMs: CALL_TIMEOUT_MS, signal }
      const answer = await net.request(request)
      if (answer.status === 200) return answer.body
      await answer.text()
      return null
    },
    transfer: (method, path, { body, signal }) =>
      net.request({
        socketPath: socket,
        method,
        path,
        headers: { host: 'localhost', ...(body === undefined ? {} : { 'content-type': 'application/x-tar' }) },
        timeoutMs: TRANSFER_TIMEOUT_MS,
        signal,
        ...(body === undefined ? {} : { body }),
      }),
    hijack: (path, body) =>
      net.hijack({
        socketPath: socket,
        method: 'POST',
        path,
        headers,
        body: JSON.stringify(body),
        timeoutMs: CALL_TIMEOUT_MS,
      }),
  }
}
