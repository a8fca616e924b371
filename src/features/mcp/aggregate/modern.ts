/** The era without sessions (2026-07-28): calls are passed on to their agent as they are, lists are made here. */
import { clientGone, pipeAnswer, sendEmpty, sendJson } from '../answers.ts'
import { CODES, FIRST_MODERN, META, encodeHeader } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import type { Logger } from '../../../core/log.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { Bridge } from './bridge.ts'
import type { Caller } from './call.ts'
import type { Eras } from './eras.ts'
import { RpcFailure } from './failure.ts'
import { gather } from './gather.ts'
import type { Keeper } from './keeper.ts'
import type { createListening } from './listen.ts'
import { type Index, KINDS, type Kind, type Lists } from './lists.ts'
import { FORWARDED, locate, type Located } from './locate.ts'
import { type Edit, type Json, type Message, spanOf } from './message.ts'
import { depthHeader } from './respond.ts'
import type { Lister, View } from './view.ts'

/** What the gateway can do for any agent; the same in both eras. */
export const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
}

export interface ModernOptions {
  readonly access: AgentAccess
  readonly eras: Eras
  readonly lists: Lists
  readonly index: Index
  readonly keeper: Keeper
  readonly listening: ReturnType<typeof createListening>
  readonly bridge: Bridge
  readonly log: Logger
  /** `_meta` of every result of ours. */
  readonly about: Json
}

/** Tasks are not offered here: a task is asked for by its id, which does not tell whose it is. */
const TASKS = 'io.modelcontextprotocol/tasks'
const DISCOVER_TTL_MS = 60_000
const KIND_OF: Readonly<Record<string, Kind>> = Object.fromEntries(
  (Object.keys(KINDS) as Kind[]).map((kind) => [KINDS[kind].method, kind]),
)

/** Of a client's headers, what is meant for its server. */
export function passedHeaders(exchange: McpExchange): Record<string, string> {
  const { incoming, requestId } = exchange
  const passed: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (/^(?:accept|content-type|mcp-.*|traceparent|tracestate|baggage|user-agent|accept-language)$/.test(name))
      passed[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  }
  delete passed['mcp-session-id']
  return { ...passed, ...depthHeader(exchange), 'x-request-id': requestId }
}

export function createModern(options: ModernOptions) {
  const { access, eras, lists, index } = options

  const listerFor =
    (caller: Caller): Lister =>
    async (agent, kind) => {
      const isModern = (await eras.of(agent, caller)) === 'modern'
      const listing = isModern
        ? await lists.modern(agent, kind, caller)
        : await options.bridge.list(agent, kind, caller)
      index.learn(agent, kind, listing.items)
      if (listing.ttlMs > 0) options.keeper.watch(agent, caller.principal)
      return listing
    }

  async function list(exchange: McpExchange, message: Message, given: { kind: Kind; view: View }) {
    const { kind, view } = given
    const { result, ttlMs } = await gather(view, kind, (agent, error) =>
      options.log.error('list not made', { agent, kind, error }),
    )
    // Which agents are in it depends on who asks.
    answer(exchange, message, { ...result, ttlMs, cacheScope: 'private' })
  }

  function answer(exchange: McpExchange, message: Message, result: Json): void {
    const meta = { ...options.about, ...objectOf(result['_meta']) }
    sendJson(exchange, { jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', ...result, _meta: meta } })
  }

  async function forward(
    exchange: McpExchange,
    message: Message,
    given: { view: View; caller: Caller },
  ): Promise<void> {
    const { view, caller } = given
    const edits = withoutTasks(message)
    const located = await locate(message, { view, access, principal: caller.principal, edits })
    const obstacle = access.obstacle(located.agent)
    if (obstacle !== null) throw obstacle
    if ((await eras.of(located.agent, caller)) === 'legacy')
      return await options.bridge.forward(exchange, message, { located, caller })
    await passOn(exchange, located)
  }

  async function passOn(exchange: McpExchange, { agent, header, text }: Located): Promise<void> {
    const body = Buffer.from(text)
    if (access.isRelayed(agent, exchange.principal)) {
      const headers = header === null ? [] : [['mcp-name', encodeHeader(header)] as const]
      return exchange.relay(agent, { body, headers })
    }
    const headers = passedHeaders(exchange)
    if (header !== null) headers['mcp-name'] = encodeHeader(header)
    const signal = clientGone(exchange.outgoing)
    const { principal } = exchange
    await pipeAnswer(exchange, await access.fetch(agent, { method: 'POST', headers, body, principal, signal }))
  }

  return {
    listerFor,
    async handle(exchange: McpExchange, message: Message, given: { view: () => View; caller: Caller }): Promise<void> {
      const { method = '', id } = message
      const { caller } = given
      // Nothing of this era is told by a notification alone: a call ends when its stream does.
      if (id === undefined) return sendEmpty(exchange, 202)
      const kind = KIND_OF[method]
      if (kind !== undefined) return await list(exchange, message, { kind, view: given.view() })
      if (FORWARDED.has(method) && !method.endsWith('subscribe'))
        return await forward(exchange, message, { view: given.view(), caller })
      if (method === 'subscriptions/listen') return await options.listening.serve(exchange, message, given)
      if (method === 'server/discover')
        return answer(exchange, message, {
          ...{ supportedVersions: [FIRST_MODERN], capabilities: CAPABILITIES },
          ...{ ttlMs: DISCOVER_TTL_MS, cacheScope: 'public' },
        })
      throw new RpcFailure(404, { code: CODES.methodNotFound, message: `Unknown method "${method.slice(0, 100)}"` })
    },
  }
}

/** The client is not to be given a task that it could not ask for here. */
function withoutTasks({ text, params }: Message): Edit[] {
  const capabilities = objectOf(params['_meta'])[META.capabilities]
  const extensions = isObject(capabilities) ? capabilities['extensions'] : undefined
  if (!isObject(extensions) || !(TASKS in extensions)) return []
  const span = spanOf(text, ['params', '_meta', META.capabilities, 'extensions'])
  if (span === null) return []
  const { [TASKS]: _tasks, ...others } = extensions
  return [{ ...span, value: others }]
}
