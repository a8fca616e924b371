/**
 * Clients of the era without sessions at agents that know only sessions: each call gets a session of its own.
 * Progress, log messages and results pass; requests of the agent to the client (elicitation, sampling, roots) do not: the agent
 * is told that the client has none of these.
 */
import { answerHead, clientGone, isEventStream, pipeAnswer, sendJson } from '../answers.ts'
import { META } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { Caller } from './call.ts'
import { type Link, openLink } from './link.ts'
import { type Kind, type Listing, readPages } from './lists.ts'
import type { Located } from './locate.ts'
import { type Json, LEGACY_VERSIONS, type Message, rewrite, spanOf } from './message.ts'
import { changeEvent, readEvents } from '../sse.ts'
import { readAnswer } from './call.ts'

export interface Bridge {
  list(agent: string, kind: Kind, caller: Caller): Promise<Listing>
  forward(exchange: McpExchange, message: Message, given: { located: Located; caller: Caller }): Promise<void>
}

const CACHEABLE = new Set(['resources/read'])

export function createBridge(access: AgentAccess): Bridge {
  async function withLink<T>(agent: string, caller: Caller, run: (link: Link) => Promise<T>): Promise<T> {
    const { principal, signal, requestId, meta } = caller
    const client = {
      ...{ principal, version: LEGACY_VERSIONS[0], capabilities: {} },
      info: meta[META.client] ?? { name: 'ploinky', version: '1' },
    }
    const link = await openLink(access, agent, { client, signal, requestId })
    try {
      return await run(link)
    } finally {
      link.end()
    }
  }

  async function forward(
    exchange: McpExchange,
    message: Message,
    { located, caller }: { located: Located; caller: Caller },
  ): Promise<void> {
    const signal = clientGone(exchange.outgoing)
    await withLink(located.agent, { ...caller, signal }, async (link) => {
      // The end of its stream is how such a client cancels; the agent of the other era has to be told.
      signal.addEventListener(
        'abort',
        () => void link.notify('notifications/cancelled', { requestId: message.id }).catch(() => {}),
        { once: true },
      )
      const body = withoutEnvelope(located.text, message.params)
      // Not the client's signal: it ends the stream, and with it the session, when the agent has been told.
      const answer = await link.send(body, { signal, requestId: caller.requestId })
      const complete = (text: string): string => completed(text, message)
      if (!isEventStream(answer)) {
        if (answer.status !== 200) return await pipeAnswer(exchange, answer)
        const result = await readAnswer(located.agent, answer, { id: message.id ?? null })
        return sendJson(exchange, JSON.parse(complete(JSON.stringify(result))) as object)
      }
      answerHead(exchange, answer)
      const { outgoing } = exchange
      for await (const event of readEvents(answer.body)) {
        // Streams of the other era cannot be resumed: its events have no ids.
        const { data } = event
        if (data === null || data === '') continue
        outgoing.write(
          `${changeEvent({ ...event, raw: event.raw.replace(/^(?:id|retry):.*\n?/gm, '') }, { data: complete(data) })}\n\n`,
        )
      }
      outgoing.end()
    })
  }

  return {
    forward,
    list: (agent, kind, caller) =>
      withLink(agent, caller, (link) => readPages(kind, (method, params) => link.request(method, params, caller))),
  }
}

/** Nothing of `io.modelcontextprotocol/` is known to the agent. */
function withoutEnvelope(text: string, params: Json): string {
  const span = spanOf(text, ['params', '_meta'])
  if (span === null) return text
  const kept = Object.entries(objectOf(params['_meta'])).filter(([key]) => !key.startsWith('io.modelcontextprotocol/'))
  return rewrite(text, [{ ...span, value: Object.fromEntries(kept) }])
}

/** A result, with what every result of the client's era has. */
function completed(data: string, { id, method = '' }: Message): string {
  const message: unknown = JSON.parse(data)
  if (!isObject(message) || message['id'] !== id || !isObject(message['result'])) return data
  const hints = CACHEABLE.has(method) ? { ttlMs: 0, cacheScope: 'private' } : {}
  return JSON.stringify({ ...message, result: { resultType: 'complete', ...hints, ...message['result'] } })
}
