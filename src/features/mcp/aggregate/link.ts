/** A session of the legacy era with one agent, on behalf of one client. */
import { objectOf } from '../../../core/json.ts'
import type { Principal } from '../../../core/principal.ts'
import type { AgentAccess } from '../access.ts'
import type { UpstreamAnswer } from '../upstream.ts'
import { postHeaders, readAnswer, resultOf, withDeadline } from './call.ts'
import { type Json, textOf } from './message.ts'

export interface Client {
  readonly principal: Principal
  /** Revision that the session speaks. */
  readonly version: string
  readonly capabilities: Json
  readonly info: unknown
}

export interface Link {
  readonly agent: string
  readonly instance: string
  /** Null: the agent keeps no sessions. */
  readonly sessionId: string | null
  send(
    body: string,
    options: { signal: AbortSignal; requestId: string; headers?: Readonly<Record<string, string>> },
  ): Promise<UpstreamAnswer>
  request(method: string, params: Json, options: { signal: AbortSignal; requestId: string }): Promise<Json>
  notify(method: string, params?: Json): Promise<void>
  /** The stream of what comes by itself. */
  listen(lastEventId: string | null, signal: AbortSignal): Promise<UpstreamAnswer>
  /** Tells the agent that the session is over; never throws. */
  end(): void
}

/** Milliseconds for an agent to take note of the end of a session. */
const END_MS = 5000
let count = 0

/** @throws RpcFailure the agent refuses the handshake, PloinkyError it cannot be reached */
export async function openLink(
  access: AgentAccess,
  agent: string,
  { client, signal, requestId }: { client: Client; signal: AbortSignal; requestId: string },
): Promise<Link> {
  const { principal } = client
  const instance = access.instance(agent)
  const { result, sessionId } = await withDeadline(agent, signal, async (within) => {
    const params = { protocolVersion: client.version, capabilities: client.capabilities, clientInfo: client.info }
    const message = { jsonrpc: '2.0', id: 0, method: 'initialize', params }
    const answer = await access.fetch(agent, {
      ...{ method: 'POST', headers: postHeaders(requestId), body: Buffer.from(JSON.stringify(message)) },
      ...{ idempotent: true, principal, signal: within },
    })
    const begun = resultOf(await readAnswer(agent, answer, { id: 0 }))
    return { result: begun, sessionId: answer.headers.get('mcp-session-id') ?? null }
  })
  const version = textOf(objectOf(result)['protocolVersion']) ?? client.version
  const own = { 'mcp-protocol-version': version, ...(sessionId === null ? {} : { 'mcp-session-id': sessionId }) }

  const send: Link['send'] = (body, options) =>
    access.fetch(agent, {
      ...{
        method: 'POST',
        headers: postHeaders(options.requestId, { ...own, ...options.headers }),
        body: Buffer.from(body),
      },
      ...{ principal, signal: options.signal },
    })
  const link: Link = {
    ...{ agent, instance, sessionId, send },
    request: (method, given, options) =>
      withDeadline(agent, options.signal, async (within) => {
        const id = `ploinky-${(count += 1)}`
        const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: given })
        const answer = await send(body, { ...options, signal: within })
        return resultOf(await readAnswer(agent, answer, { id }))
      }),
    async notify(method, given) {
      const body = JSON.stringify({ jsonrpc: '2.0', method, ...(given === undefined ? {} : { params: given }) })
      const answer = await send(body, { requestId, signal: AbortSignal.timeout(END_MS) })
      await drain(answer)
    },
    listen: (lastEventId, listening) =>
      access.fetch(agent, {
        method: 'GET',
        headers: {
          ...own,
          accept: 'text/event-stream',
          'x-request-id': requestId,
          ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
        },
        ...{ principal, signal: listening },
      }),
    end() {
      if (sessionId === null || access.obstacle(agent) !== null) return
      access
        .fetch(agent, { method: 'DELETE', headers: own, principal, signal: AbortSignal.timeout(END_MS) })
        .then(drain)
        .catch(() => {})
    },
  }
  await link.notify('notifications/initialized')
  return link
}

/** Reads what is left, so that the connection can be used again. */
export async function drain(answer: UpstreamAnswer): Promise<void> {
  let size = 0
  for await (const chunk of answer.body) if ((size += chunk.byteLength) > 65_536) return
}
