/** Requests of the router itself to an agent's own endpoint. */
import type { RouteEntry } from '../../config/documents.ts'
import type { Network } from '../../platform/index.ts'

const MAX_ANSWER_BYTES = 8 * 1024 * 1024
const TIMEOUT_MS = 30_000

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly sessionId: string | null
  readonly text: string
}

export interface Question {
  readonly method: 'POST' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Asks and reads the whole answer. Throws what the network throws, and TIMEOUT. */
export async function ask(net: Network, route: RouteEntry, question: Question): Promise<Answer> {
  const { method, body } = question
  const answer = await net.request({
    host: route.hostIp,
    port: route.hostPort,
    method,
    path: route.mcpPath,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...question.headers,
    },
    timeoutMs: TIMEOUT_MS,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === undefined ? {} : { body }),
  })
  return {
    status: answer.status,
    contentType: answer.headers['content-type'] ?? '',
    sessionId: answer.headers['mcp-session-id'] ?? null,
    text: await answer.text(MAX_ANSWER_BYTES),
  }
}
