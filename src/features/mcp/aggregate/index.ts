/** `/mcp` and `/mcp/<name>`: endpoints of many agents, in both eras of the protocol. */
import { objectOf } from '../../../core/json.ts'
import { CODES, META } from '../../../core/mcp.ts'
import { endpointsDocument, type VirtualEndpoint } from '../../../config/documents.ts'
import { PloinkyError } from '../../../core/error.ts'
import { own } from '../../../core/id.ts'
import type { Logger } from '../../../core/log.ts'
import type { Store } from '../../../core/store.ts'
import { readIncoming } from '../../../http/incoming-body.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { PrefixMode } from '../exchange.ts'
import { createAllAgentsView } from './all-agents.ts'
import { createBridge } from './bridge.ts'
import type { Caller } from './call.ts'
import { createChosenView } from './chosen.ts'
import { createEras } from './eras.ts'
import { asFailure, type Id, isBug, RpcFailure } from './failure.ts'
import { grantedOnly, grantedPart } from './granted.ts'
import { createKeeper } from './keeper.ts'
import { createLegacy } from './legacy.ts'
import { createListening } from './listen.ts'
import { createIndex, createLists } from './lists.ts'
import { eraOf, type Message, parseMessage } from './message.ts'
import { createModern } from './modern.ts'
import { createReverseBridge } from './reverse-bridge.ts'
import { sendFailure } from './respond.ts'
import { createSessions } from './sessions.ts'
import type { Lister, View } from './view.ts'

export interface AggregateOptions {
  readonly access: AgentAccess
  readonly store: Store
  readonly log: Logger
  readonly version: string
  readonly prefix: PrefixMode
  /** Text that nobody can guess. */
  newId(): string
}

export interface Aggregate {
  handle(exchange: McpExchange): void
  close(): void
}

/** For the whole body: a client that sends a byte a minute is not waited for. */
const BODY_TIMEOUT_MS = 120_000
const UNKNOWN_URI = { modern: -32602, legacy: -32002 } as const

export function createAggregate(options: AggregateOptions): Aggregate {
  const { access, store, log, newId } = options
  const about = { [META.server]: { name: 'ploinky', title: 'Ploinky', version: options.version } }
  const [eras, lists, index] = [createEras(access), createLists(access), createIndex(access)]
  const keeper = createKeeper({ access, eras, lists, index })
  const listening = createListening({ access, eras, lists, index, about })
  const bridge = createBridge(access)
  const modern = createModern({ access, eras, lists, index, keeper, listening, bridge, log, about })
  const sessions = createSessions({ access, eras, lists, index, newId })
  const reverse = createReverseBridge({ access, lists, newId })
  const legacy = createLegacy({ access, index, sessions, bridge: reverse, log, about })
  const endpoints = createEndpoints(store, log)
  const stopTelling = tellSessions(options, sessions)

  function viewOf(
    { principal }: McpExchange,
    { endpoint, era, list }: { endpoint: VirtualEndpoint | null; era: 'modern' | 'legacy'; list: Lister },
  ): View {
    const granted = grantedOnly({ list, index }, access, principal)
    const base = { ...granted, agents: access.visible(principal), unknownUriCode: UNKNOWN_URI[era] }
    return endpoint === null
      ? createAllAgentsView({ ...base, prefix: options.prefix })
      : createChosenView({ ...base, endpoint: grantedPart(endpoint, access, principal) })
  }

  async function post(
    exchange: McpExchange,
    endpoint: VirtualEndpoint | null,
    seen: (message: Message) => void,
  ): Promise<void> {
    const { headers } = exchange.incoming
    if (!/^application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
      throw new RpcFailure(415, { code: CODES.server, message: 'Content-Type must be application/json' })
    const message = parseMessage(
      await readIncoming(exchange.incoming, exchange.outgoing, {
        maxBytes: exchange.bodyLimit,
        timeoutMs: BODY_TIMEOUT_MS,
      }),
    )
    seen(message)
    const era = eraOf(message, (name) => {
      const value = headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    })
    if (era === 'legacy')
      return await legacy.post(exchange, message, {
        endpoint: placeOf(exchange),
        view: (list) => viewOf(exchange, { endpoint, era, list }),
      })
    const { principal, requestId } = exchange
    const caller: Caller = {
      principal,
      requestId,
      signal: closeSignal(exchange),
      meta: objectOf(message.params['_meta']),
    }
    const view = (): View => viewOf(exchange, { endpoint, era, list: modern.listerFor(caller) })
    await modern.handle(exchange, message, { view, caller })
  }

  async function serve(exchange: McpExchange): Promise<void> {
    let id: Id = null
    try {
      const endpoint = await endpoints.find(exchange)
      if (exchange.incoming.method === 'POST')
        await post(exchange, endpoint, (message) => (id = message.method === undefined ? null : (message.id ?? null)))
      else await legacy.other(exchange, placeOf(exchange))
    } catch (error) {
      if (isBug(error) && !exchange.outgoing.destroyed) log.error('MCP request failed', { error })
      const { code, data } = asFailure(error).error
      const ours = code === CODES.server ? objectOf(data)['code'] : undefined
      // What was refused before a message was read has no id to be answered under.
      if (id === null && ours !== undefined) exchange.fail(error)
      else if (exchange.outgoing.headersSent) exchange.outgoing.destroy()
      else sendFailure(exchange, id, error)
    }
  }

  return {
    handle: (exchange) => void serve(exchange),
    close() {
      stopTelling()
      endpoints.close()
      listening.close()
      keeper.close()
      sessions.close()
    },
  }
}

const placeOf = ({ endpoint }: McpExchange): string => (endpoint.kind === 'virtual' ? `/mcp/${endpoint.name}` : '/mcp')

function closeSignal({ outgoing }: McpExchange): AbortSignal {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  return gone.signal
}

/** Virtual endpoints in memory, kept fresh by watching their document. */
function createEndpoints(store: Store, log: Logger) {
  let current: Promise<Readonly<Record<string, VirtualEndpoint>>> | null = null
  const read = (): Promise<Readonly<Record<string, VirtualEndpoint>>> =>
    store.read(endpointsDocument).then(({ endpoints }) => endpoints)
  const stop = store.watch(endpointsDocument, () => (current = null))
  return {
    /** Null: the exchange is for `/mcp`. */
    async find({ endpoint }: McpExchange): Promise<VirtualEndpoint | null> {
      if (endpoint.kind !== 'virtual') return null
      current ??= read().catch((error: unknown) => {
        current = null
        log.error('virtual endpoints not read', { error })
        throw error
      })
      // The notification of a change may come after the first call to what it made.
      const found = own(await current, endpoint.name) ?? own(await (current = read()), endpoint.name)
      if (found !== undefined) return found
      throw new PloinkyError('ROUTE_NOT_FOUND', `No MCP endpoint "${endpoint.name}"`, {
        hint: 'Run: ploinky mcp endpoint list',
      })
    },
    close: stop,
  }
}

/** Clients of the era of sessions hear when agents come, go or change. */
function tellSessions({ access }: AggregateOptions, sessions: ReturnType<typeof createSessions>): () => void {
  const seen = new WeakMap<object, string>()
  const stateOf = (session: { principal: McpExchange['principal'] }): string =>
    access
      .visible(session.principal)
      .map((agent) => `${agent} ${access.obstacle(agent)?.code ?? access.instance(agent)}`)
      .join('\n')
  return access.onChange(() => {
    for (const session of sessions.all()) {
      const state = stateOf(session)
      const before = seen.get(session)
      seen.set(session, state)
      if (state === before) continue
      for (const what of ['tools', 'prompts', 'resources']) session.tell(`notifications/${what}/list_changed`)
    }
  })
}
