/** The request of a client, read, as one that can be sent on to an agent of any kind. */
import { readIncoming } from '../../http/incoming-body.ts'
import type { RelayChange } from '../../http/mcp-exchange.ts'
import type { AgentExchange } from './exchange.ts'
import type { UpstreamCall } from './upstream.ts'

const BODY_IDLE_MS = 30_000
/** Of the connection between the client and the router, or written anew. */
const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'authorization',
  'cookie',
  // The answer is read here, too.
  'accept-encoding',
])

/** Throws what is wrong with the body: too large, too slow, broken off. */
export async function readCall(
  exchange: AgentExchange,
  signal: AbortSignal,
  change: RelayChange = {},
): Promise<UpstreamCall> {
  const { incoming, outgoing, principal, claims } = exchange
  const method = incoming.method === 'GET' || incoming.method === 'DELETE' ? incoming.method : 'POST'
  // Of an agent that calls: its request was read, and vouched for, before it came here.
  const isCaller = claims !== undefined
  const headers = {
    ...forwarded(incoming.headers, isCaller),
    ...Object.fromEntries([...(exchange.vouch?.() ?? []), ...(change.headers ?? [])]),
  }
  const known = { method, headers, principal, signal, ...(claims === undefined ? {} : { claims }) } as const
  if (method !== 'POST') return known
  const limits = { maxBytes: exchange.bodyLimit, idleMs: BODY_IDLE_MS }
  const body = change.body ?? (await readIncoming(incoming, outgoing, limits))
  return { ...known, body }
}

function forwarded(headers: AgentExchange['incoming']['headers'], keepsOurs: boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || NOT_FORWARDED.has(name) || (!keepsOurs && name.startsWith('x-ploinky-'))
        ? []
        : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}
