/** What both eras need of HTTP: reading a message, refusing, and what a client takes as an answer. */
import type { IncomingMessage } from '../../../platform/index.ts'
import type { AgentExchange } from '../exchange.ts'
import { errorMessage, type Id, type RpcError } from './message.ts'

/** Longest message in either direction, where the body limit allows more: a message is held in memory as a whole. */
const MESSAGE_LIMIT_BYTES = 32 * 1024 * 1024

export const messageLimit = ({ bodyLimit }: AgentExchange): number => Math.min(bodyLimit, MESSAGE_LIMIT_BYTES)

/** The first value; names are lower case. */
export function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

export interface Accepts {
  readonly stream: boolean
  readonly json: boolean
}

export function acceptsOf({ incoming }: AgentExchange): Accepts {
  const accept = incoming.headers.accept ?? '*/*'
  const any = accept.includes('*/*')
  return {
    stream: any || accept.includes('text/event-stream') || accept.includes('text/*'),
    json: any || accept.includes('application/json') || accept.includes('application/*'),
  }
}

export interface Refusal {
  readonly status: number
  readonly id?: Id | null
  readonly error: RpcError
  readonly headers?: Readonly<Record<string, string>>
}

/** An error of ours in the protocol's own shape. */
export function refuse({ outgoing, requestId }: AgentExchange, refusal: Refusal): void {
  if (outgoing.headersSent || outgoing.destroyed) return
  const body = errorMessage(refusal.id ?? null, refusal.error)
  outgoing.writeHead(refusal.status, {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    'x-request-id': requestId,
    ...refusal.headers,
  })
  outgoing.end(body)
}

/** For what needs no answer. */
export function accept({ outgoing, requestId }: AgentExchange): void {
  if (outgoing.headersSent || outgoing.destroyed) return
  outgoing.writeHead(202, { 'content-length': '0', 'x-request-id': requestId })
  outgoing.end()
}
