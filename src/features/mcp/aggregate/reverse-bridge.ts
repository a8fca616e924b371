/**
 * Clients of the era of sessions at agents that know only the era without: what an agent asks for in a result (elicitation, sampling,
 * roots) is asked of the client as a request, and the call is made again with the answers.
 */
import { CODES, FIRST_MODERN, encodeHeader } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { Caller } from './call.ts'
import { envelope, postHeaders, readAnswer } from './call.ts'
import { asFailure, errorMessage, RpcFailure } from './failure.ts'
import type { Kind, Listing, Lists } from './lists.ts'
import type { Located } from './locate.ts'
import { type Json, type Message } from './message.ts'
import { type EventStream, openStream } from './respond.ts'
import type { Session } from './session.ts'
import { messageEvent } from '../sse.ts'

export interface ReverseBridge {
  list(session: Session, what: { agent: string; kind: Kind; requestId: string }): Promise<Listing>
  forward(exchange: McpExchange, message: Message, given: { session: Session; located: Located }): Promise<void>
  /** True when the message answered a request of this bridge. */
  takeAnswer(session: Session, message: Message): boolean
}

/** An agent that asks for ever is stopped. */
const MAX_ROUNDS = 20

interface Waiting {
  readonly session: Session
  resolve(answer: Json): void
}

export function createReverseBridge({
  access,
  lists,
  newId,
}: {
  access: AgentAccess
  lists: Lists
  newId(): string
}): ReverseBridge {
  const waiting = new Map<string, Waiting>()

  const callerOf = (session: Session, requestId: string, signal: AbortSignal): Caller => {
    const { principal, client } = session
    return { principal, requestId, signal, meta: envelope({ capabilities: client.capabilities, info: client.info }) }
  }

  /** Asks the client; its answer, as a message. */
  function ask(session: Session, stream: EventStream, request: Json): Promise<Json> {
    const id = `ploinky-${newId()}`
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        waiting.delete(id)
        reject(new RpcFailure(200, { code: -32000, message: 'The client left' }))
      }
      waiting.set(id, {
        session,
        resolve(answer) {
          stream.closed.removeEventListener('abort', gone)
          resolve(answer)
        },
      })
      stream.closed.addEventListener('abort', gone, { once: true })
      stream.write(messageEvent({ jsonrpc: '2.0', id, ...request }))
    })
  }

  async function answers(session: Session, stream: EventStream, requests: Json): Promise<Json> {
    const entries = await Promise.all(
      Object.entries(requests).map(async ([key, request]): Promise<[string, unknown]> => {
        const { method, params } = objectOf(request)
        const answer = await ask(session, stream, { method, ...(params === undefined ? {} : { params }) })
        if (isObject(answer['error'])) throw new RpcFailure(200, answer['error'] as unknown as RpcFailure['error'])
        return [key, answer['result']]
      }),
    )
    return Object.fromEntries(entries)
  }

  async function call(
    message: Message,
    located: Located,
    given: { session: Session; stream: EventStream; caller: Caller },
  ): Promise<Json> {
    const { session, stream, caller } = given
    const { _meta, ...params } = objectOf((JSON.parse(located.text) as Json)['params'])
    let more: Json = {}
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      const method = message.method ?? ''
      const body = {
        jsonrpc: '2.0',
        id: message.id,
        method,
        params: { ...params, ...more, _meta: { ...objectOf(_meta), ...caller.meta } },
      }
      const answer = await access.fetch(located.agent, {
        method: 'POST',
        headers: postHeaders(caller.requestId, {
          ...{ 'mcp-protocol-version': FIRST_MODERN, 'mcp-method': method },
          ...(located.header === null ? {} : { 'mcp-name': encodeHeader(located.header) }),
        }),
        ...{ body: Buffer.from(JSON.stringify(body)), principal: caller.principal, signal: caller.signal },
      })
      const reply = await readAnswer(located.agent, answer, {
        id: message.id ?? null,
        onOther: (other) => void stream.write(messageEvent(other)),
      })
      const result = objectOf(reply['result'])
      if (result['resultType'] !== 'input_required') return reply
      const { inputRequests, requestState } = result
      more = {
        ...(isObject(inputRequests) ? { inputResponses: await answers(session, stream, inputRequests) } : {}),
        ...(requestState === undefined ? {} : { requestState }),
      }
    }
    throw new RpcFailure(200, { code: -32000, message: `Agent "${located.agent}" asked more than ${MAX_ROUNDS} times` })
  }

  return {
    list: (session, { agent, kind, requestId }) =>
      lists.modern(agent, kind, callerOf(session, requestId, session.signal)),
    async forward(exchange, message, { session, located }) {
      if (message.method?.endsWith('subscribe') === true)
        throw new RpcFailure(200, {
          code: CODES.methodNotFound,
          message: `Agent "${located.agent}" knows subscriptions only in revision ${FIRST_MODERN}`,
        })
      const stream = openStream(exchange)
      const caller = callerOf(session, exchange.requestId, AbortSignal.any([stream.closed, session.signal]))
      try {
        const { result, ...reply } = await call(message, located, { session, stream, caller })
        const { resultType: _type, ttlMs: _ttl, cacheScope: _scope, ...rest } = objectOf(result)
        stream.write(messageEvent(result === undefined ? reply : { ...reply, result: rest }))
      } catch (error) {
        stream.write(messageEvent(errorMessage(message.id ?? null, asFailure(error).error)))
      }
      stream.end()
    },
    takeAnswer(session, { id, value }) {
      const found = waiting.get(String(id))
      if (found === undefined || found.session !== session) return false
      waiting.delete(String(id))
      found.resolve(value)
      return true
    },
  }
}
