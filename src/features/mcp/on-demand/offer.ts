/**
 * What an agent offers, as it last said itself: answers that are given while it is stopped. They are asked for when it runs,
 * in both eras of the protocol, and count for the manifest and configuration under which they were given.
 */
import * as z from 'zod/mini'
import type { RouteEntry } from '../../../config/documents.ts'
import type { DocumentSpec, Store } from '../../../core/store.ts'
import { stateInvalid } from '../../../core/store.ts'
import type { Network } from '../../../platform/index.ts'
import { ask, type Answer } from '../ask.ts'
import { ownMeta, resultIn, VERSIONS } from '../messages.ts'

/** More pages, or more bytes, are not kept: then the agent is started for its lists too. */
const MAX_PAGES = 50
const MAX_BYTES = 4 * 1024 * 1024

/** Method -> the array in its result. */
const LISTS = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
} as const

export type Era = 'stateless' | 'sessions'
type Results = Readonly<Record<string, Record<string, unknown>>>

export interface Offer {
  readonly stamp: string
  readonly stateless: Results
  readonly sessions: Results
}

const results = z.record(z.string(), z.record(z.string(), z.unknown()))
const schema = z.strictObject({ stamp: z.string(), stateless: results, sessions: results })
const EMPTY: Offer = { stamp: '', stateless: {}, sessions: {} }

/** `.ploinky/mcp_offer_<agent>.json` */
const document = (agent: string): DocumentSpec<Offer> => ({
  name: `mcp_offer_${agent}.json`,
  version: 1,
  empty: () => EMPTY,
  parse(value) {
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    throw stateInvalid(`mcp_offer_${agent}.json`, z.prettifyError(parsed.error).slice(0, 300))
  },
})

export interface OfferOptions {
  readonly store: Store
  readonly net: Network
  readonly version: string
}

export function createOffers({ store, net, version }: OfferOptions) {
  const known = new Map<string, Offer>()

  async function read(agent: string): Promise<Offer> {
    const held = known.get(agent)
    if (held !== undefined) return held
    const offer = await store.read(document(agent))
    known.set(agent, offer)
    return offer
  }

  return {
    /** The last good result of a list, of `server/discover` or `initialize`; null when it must be asked. */
    async find(
      agent: string,
      stamp: string,
      what: { era: Era; method: string },
    ): Promise<Record<string, unknown> | null> {
      const offer = await read(agent)
      return offer.stamp === stamp ? (offer[what.era][what.method] ?? null) : null
    },
    /** Asks a running agent for all of it. */
    async take(agent: string, stamp: string, route: RouteEntry): Promise<void> {
      const asking: Asking = { net, route, version }
      const [stateless, sessions] = await Promise.all([
        takeStateless(asking).catch(() => ({})),
        takeSessions(asking).catch(() => ({})),
      ])
      const offer = { stamp, stateless, sessions }
      if (JSON.stringify(offer).length > MAX_BYTES) return
      known.set(agent, await store.update(document(agent), () => offer))
    },
  }
}

interface Asking {
  readonly net: Network
  readonly route: RouteEntry
  readonly version: string
}

const okResult = (answer: Answer, id: number): Record<string, unknown> | null =>
  answer.status === 200 ? resultIn(answer.contentType, answer.text, id) : null

async function takeStateless({ net, route, version }: Asking): Promise<Results> {
  const call = async (method: string, params: Record<string, unknown>) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: ownMeta(version) } })
    const headers = { 'mcp-protocol-version': VERSIONS.stateless, 'mcp-method': method }
    return okResult(await ask(net, route, { method: 'POST', headers, body }), 1)
  }
  const discovered = await call('server/discover', {})
  return discovered === null ? {} : { 'server/discover': discovered, ...(await lists(call)) }
}

async function takeSessions({ net, route, version }: Asking): Promise<Results> {
  const opened = await openSession(net, route, {
    protocolVersion: VERSIONS.sessions,
    capabilities: {},
    clientInfo: { name: 'ploinky', version },
  })
  if (opened === null) return {}
  const { result, headers } = opened
  const call = async (method: string, params: Record<string, unknown>) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    return okResult(await ask(net, route, { method: 'POST', headers, body }), 1)
  }
  try {
    return { initialize: result, ...(await lists(call)) }
  } finally {
    await ask(net, route, { method: 'DELETE', headers }).catch(() => {})
  }
}

/** Begins a session of the older protocol; null when the agent does not speak it. */
export async function openSession(net: Network, route: RouteEntry, params: Readonly<Record<string, unknown>>) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })
  const answer = await ask(net, route, { method: 'POST', headers: {}, body })
  const result = okResult(answer, 1)
  if (result === null) return null
  const agreed = typeof result['protocolVersion'] === 'string' ? result['protocolVersion'] : VERSIONS.sessions
  const headers = {
    'mcp-protocol-version': agreed,
    ...(answer.sessionId === null ? {} : { 'mcp-session-id': answer.sessionId }),
  }
  const told = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })
  await ask(net, route, { method: 'POST', headers, body: told })
  return { result, headers, sessionId: answer.sessionId }
}

/** Whole lists; what is not offered, or does not end, is left out. */
async function lists(
  call: (method: string, params: Record<string, unknown>) => Promise<Record<string, unknown> | null>,
): Promise<Results> {
  const found: Record<string, Record<string, unknown>> = {}
  for (const [method, key] of Object.entries(LISTS)) {
    const items: unknown[] = []
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const result = await call(method, cursor === undefined ? {} : { cursor })
      const part = result?.[key]
      if (result === null || !Array.isArray(part)) break
      items.push(...(part as unknown[]))
      cursor = result['nextCursor']
      if (cursor !== undefined) continue
      const { nextCursor: _last, ...rest } = result
      found[method] = { ...rest, [key]: items }
      break
    }
  }
  return found
}
