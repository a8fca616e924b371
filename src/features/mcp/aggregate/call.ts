/** Requests that the gateway makes by itself: lists, discovery, the beginning of sessions. */
import { isEventStream } from '../answers.ts'
import { FIRST_MODERN, META, CODES } from '../../../core/mcp.ts'
import { isObject, parseObject } from '../../../core/json.ts'
import { PloinkyError } from '../../../core/error.ts'
import type { Principal } from '../../../core/principal.ts'
import type { AgentAccess } from '../access.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { RpcFailure, type Id } from './failure.ts'
import { type Json } from './message.ts'
import { readEvents } from '../sse.ts'

/** For whom the gateway asks. */
export interface Caller {
  readonly principal: Principal
  readonly requestId: string
  readonly signal: AbortSignal
  /** `_meta` of a request of the modern era: what its client said about itself. */
  readonly meta: Json
}

/** Milliseconds that an agent may take for a list; one that hangs must not hide the others. */
const DEADLINE_MS = 15_000
/** Largest answer that is read as a whole, in bytes. */
const MAX_ANSWER = 32 * 1024 * 1024
const ACCEPT = 'application/json, text/event-stream'

/** What a client of the modern era says with each request. */
export const envelope = (about: { capabilities?: unknown; info?: unknown }): Json => ({
  [META.version]: FIRST_MODERN,
  [META.capabilities]: about.capabilities ?? {},
  ...(about.info === undefined ? {} : { [META.client]: about.info }),
})

export const postHeaders = (
  requestId: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> => ({
  'content-type': 'application/json',
  accept: ACCEPT,
  'x-request-id': requestId,
  ...more,
})

export interface ModernRequest {
  readonly method: string
  readonly params?: Json
  /** Value of `Mcp-Name`, encoded, where the method has one. */
  readonly name?: string
}

/** A request of the modern era; the answer as it begins. */
export function sendModern(
  access: AgentAccess,
  agent: string,
  { method, params = {}, name, caller }: ModernRequest & { caller: Caller },
): Promise<UpstreamAnswer> {
  const { progressToken: _token, ...meta } = caller.meta
  const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }
  return access.fetch(agent, {
    method: 'POST',
    headers: postHeaders(caller.requestId, {
      'mcp-protocol-version': FIRST_MODERN,
      'mcp-method': method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    }),
    body: Buffer.from(JSON.stringify(message)),
    idempotent: true,
    principal: caller.principal,
    signal: caller.signal,
  })
}

/** The result of a request of the modern era. @throws RpcFailure the agent's own error */
export function callModern(
  access: AgentAccess,
  agent: string,
  request: ModernRequest & { caller: Caller },
): Promise<Json> {
  return withDeadline(agent, request.caller.signal, async (signal) => {
    const answer = await sendModern(access, agent, { ...request, caller: { ...request.caller, signal } })
    return resultOf(await readAnswer(agent, answer, { id: 1 }))
  })
}

export async function withDeadline<T>(
  agent: string,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  try {
    return await run(AbortSignal.any([signal, deadline]))
  } catch (error) {
    if (!deadline.aborted || signal.aborted) throw error
    throw new PloinkyError('UPSTREAM_TIMEOUT', `Agent "${agent}" did not answer within ${DEADLINE_MS / 1000} s`, {
      hint: `Run: ploinky logs ${agent}`,
    })
  }
}

/** The message that answers request `id`; what else comes on the stream is given to `onOther`. */
export async function readAnswer(
  agent: string,
  answer: UpstreamAnswer,
  { id, onOther = () => {} }: { id: Id; onOther?: (message: Json) => void },
): Promise<Json> {
  const unreadable = (why: string): PloinkyError =>
    new PloinkyError('UPSTREAM_UNREACHABLE', `Agent "${agent}" ${why}`, { hint: `Run: ploinky logs ${agent}` })
  if (!isEventStream(answer)) {
    const message = parseObject(await readText(answer, () => unreadable('answered more than is read')))
    if (message !== null && ('result' in message || 'error' in message)) return message
    throw unreadable(`answered HTTP ${answer.status} without a message`)
  }
  for await (const event of readEvents(answer.body)) {
    const message = event.data === null ? null : parseObject(event.data)
    if (message === null) continue
    if (message['id'] === id && message['method'] === undefined) return message
    onOther(message)
  }
  throw unreadable('ended its answer before the result')
}

async function readText(answer: UpstreamAnswer, tooLarge: () => PloinkyError): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > MAX_ANSWER) throw tooLarge()
  }
  return text + decoder.decode()
}

export function resultOf(message: Json): Json {
  const { result, error } = message
  if (isObject(result)) return result
  const { code, message: text, data } = isObject(error) ? error : {}
  throw new RpcFailure(200, {
    code: typeof code === 'number' ? code : CODES.internal,
    message: typeof text === 'string' ? text : 'The agent answered neither a result nor an error',
    ...(data === undefined ? {} : { data }),
  })
}
