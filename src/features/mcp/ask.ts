/** Requests of the router itself to an agent's MCP endpoint, and their whole answers. */
import type { RouteEntry } from '../../config/documents.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { Network } from '../../platform/index.ts'
import type { UpstreamAnswer, UpstreamCall } from './upstream.ts'

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

/** Asks and reads the whole answer. Throws what the way there throws, and TIMEOUT. */
export type Ask = (question: Question) => Promise<Answer>

const headersOf = ({ headers, body }: Question): Record<string, string> => ({
  accept: 'application/json, text/event-stream',
  ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  ...headers,
})

/** At an agent's own HTTP server. */
export const askAt =
  (net: Network, route: RouteEntry): Ask =>
  async (question) => {
    const { method, body } = question
    const asked = net.request({
      host: route.hostIp,
      port: route.hostPort,
      method,
      path: route.mcpPath,
      headers: headersOf(question),
      timeoutMs: TIMEOUT_MS,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body }),
    })
    const answer = await asked.catch(unreachable)
    return {
      status: answer.status,
      contentType: answer.headers['content-type'] ?? '',
      sessionId: answer.headers['mcp-session-id'] ?? null,
      text: await answer.text(MAX_ANSWER_BYTES),
    }
  }

/** It ended, or ends, behind the back of who asks. */
function unreachable(error: unknown): never {
  const code = (error as { code?: string } | null)?.code ?? ''
  if (!/^E[A-Z]+$/.test(code)) throw error
  throw new PloinkyError('UPSTREAM_UNREACHABLE', `The agent does not answer: ${code}`, { cause: error })
}

/** By whatever way an agent is reached. */
export const askBy =
  (fetch: (call: UpstreamCall) => Promise<UpstreamAnswer>, principal: Principal): Ask =>
  async (question) => {
    const { method, body } = question
    const answer = await fetch({
      method,
      principal,
      headers: headersOf(question),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: Buffer.from(body) }),
    })
    return {
      status: answer.status,
      contentType: answer.headers.get('content-type') ?? '',
      sessionId: answer.headers.get('mcp-session-id') ?? null,
      text: await textOf(answer),
    }
  }

/** The whole body as text. */
export async function textOf({ body }: Pick<UpstreamAnswer, 'body'>): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_ANSWER_BYTES)
      throw new PloinkyError('UPSTREAM_UNREACHABLE', `The agent answered more than ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
