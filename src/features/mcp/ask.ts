/** Requests of the router itself to an agent's MCP endpoint, and their whole answers. */
import { PloinkyError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
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

/** Asks and reads the whole answer. Throws what the way there throws, and UPSTREAM_TIMEOUT. */
export type Ask = (question: Question) => Promise<Answer>

const headersOf = ({ headers, body }: Question): Record<string, string> => ({
  accept: 'application/json, text/event-stream',
  ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  ...headers,
})

/** `reach` leads to the agent, whatever its kind; what it says on behalf of `principal`, it says to the router. */
export const askBy =
  (reach: (call: UpstreamCall) => Promise<UpstreamAnswer>, principal: Principal): Ask =>
  async (question) => {
    const { method, body } = question
    const deadline = AbortSignal.timeout(TIMEOUT_MS)
    try {
      const answer = await reach({
        ...{ method, principal, signal: deadline, headers: headersOf(question) },
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      })
      return {
        status: answer.status,
        contentType: answer.headers.get('content-type') ?? '',
        sessionId: answer.headers.get('mcp-session-id') ?? null,
        text: await textOf(answer),
      }
    } catch (error) {
      if (!deadline.aborted) throw error
      throw new PloinkyError('UPSTREAM_TIMEOUT', `The agent did not answer within ${TIMEOUT_MS / 1000} s`)
    }
  }

/** The whole body as text. @throws PloinkyError UPSTREAM_UNREACHABLE a longer one */
export async function textOf(
  { body }: Pick<UpstreamAnswer, 'body'>,
  maxBytes: number = MAX_ANSWER_BYTES,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes)
      throw new PloinkyError('UPSTREAM_UNREACHABLE', `The agent answered more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
