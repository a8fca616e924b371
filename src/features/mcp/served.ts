/** Requests that the router made, or has read, on the way that those of clients take: nothing of that way is left out. */
import type { RelayChange } from '../../http/mcp-exchange.ts'
import type { Network } from '../../platform/index.ts'
import type { AgentExchange, Backend } from './exchange.ts'
import type { UpstreamAnswer, UpstreamCall } from './upstream.ts'

export interface ServedCall {
  readonly agent: string
  readonly call: UpstreamCall
  readonly serve: Backend['serve']
  /** Where the way ends at a container; absent where it never does. */
  relay?(change: RelayChange): Promise<UpstreamAnswer>
}

/** What is forwarded was accepted already. */
const MAX_BODY_BYTES = Number.MAX_SAFE_INTEGER

export async function fetchServed(net: Network, { agent, call, serve, relay }: ServedCall): Promise<UpstreamAnswer> {
  const headers = { host: 'localhost', ...call.headers }
  const { incoming, outgoing, answer } = net.openRawExchange({ ...call, headers, path: `/mcps/${agent}/mcp` })
  return await new Promise<UpstreamAnswer>((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(error)
      outgoing.destroy()
    }
    answer.then(resolve, reject)
    serve({
      ...{ agent, incoming, outgoing, principal: call.principal, endpoint: { kind: 'agent', agent }, fail },
      ...{ requestId: call.headers['x-request-id'] ?? 'own', bodyLimit: MAX_BODY_BYTES },
      relay(_agent, change = {}) {
        if (relay === undefined) throw new Error('Nothing is relayed on this way')
        relay(change).then((found) => resolve({ ...found, body: andClose(found.body, outgoing) }), fail)
      },
    } satisfies AgentExchange)
  })
}

/** Who served it learns as usual that the answer is over. */
async function* andClose(
  body: AsyncIterable<Uint8Array>,
  outgoing: { destroy(): unknown },
): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } finally {
    outgoing.destroy()
  }
}
