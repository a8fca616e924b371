/** One way to the MCP endpoint of any agent, whatever its kind: a request that was read already, and an answer that may stream. */
import type { Principal } from '../../core/principal.ts'
import type { RouteEntry } from '../../config/documents.ts'
import type { HttpClient, HttpStream } from '../../platform/index.ts'

export interface UpstreamCall {
  readonly method: 'POST' | 'GET' | 'DELETE'
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  /** Changes nothing: may be sent again when a kept connection turns out closed. */
  readonly idempotent?: boolean
  /** On whose behalf. */
  readonly principal: Principal
  /** What else is known of a call of an agent; absent for people. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly signal: AbortSignal
}

export type UpstreamAnswer = HttpStream

export function fetchContainer(client: HttpClient, route: RouteEntry, call: UpstreamCall): Promise<UpstreamAnswer> {
  return client.request({
    host: route.hostIp,
    port: route.hostPort,
    path: route.mcpPath,
    method: call.method,
    headers: { host: `${route.hostIp}:${route.hostPort}`, ...call.headers },
    idempotent: call.idempotent ?? call.method !== 'POST',
    signal: call.signal,
    ...(call.body === undefined ? {} : { body: call.body }),
  })
}

/** For servers that live in this process and speak web-standard requests. */
export async function fetchHandler(
  handle: (request: Request) => Promise<Response>,
  call: UpstreamCall,
): Promise<UpstreamAnswer> {
  const { method, headers, signal } = call
  const body = call.body === undefined ? {} : { body: call.body as Uint8Array<ArrayBuffer> }
  const response = await handle(new Request('http://agent/mcp', { method, headers, signal, ...body }))
  return { status: response.status, headers: new Map(response.headers), body: bytesOf(response, signal) }
}

async function* bytesOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const leave = (): void => void reader.cancel().catch(() => {})
  // Not every server watches the signal of its request once it has answered.
  signal.addEventListener('abort', leave, { once: true })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}
