/** How a request is passed on to an agent: what is taken away, what is added, and what is said of who is calling. */
import type { Logger } from '../core/log.ts'
import { INVOCATION_HEADER } from '../core/invocation.ts'
import { callingAgent, type Principal } from '../core/principal.ts'
import type { RelayOptions } from '../platform/relay/index.ts'
import { writeError } from './error-response.ts'
import type { Exchange } from './exchange.ts'
import type { Guard } from './guard.ts'
import { failureError } from './relay-failure.ts'
import type { Count } from './request-count.ts'
import { SANDBOX } from './sites.ts'
import { STRIP, STRIP_WITH_AUTHORIZATION } from './strip.ts'

const SSE_KEEP_ALIVE_MS = 20_000
const CONNECT_TIMEOUT_MS = 5000

interface Parts {
  readonly guard: Pick<Guard, 'isOurs'>
  readonly log: Logger
  readonly bodyLimit: number
  readonly count: Count
  vouch(principal: Principal, agent: string): string | null
}

/** `prefix`: where the agent is on this origin, '' at its own. */
export function createRelayOptions(options: Parts) {
  const { guard, log, count } = options

  /** Agents' requests are read, and vouched for one by one. */
  function vouched(principal: Principal | null, prefix: string): (readonly [string, string])[] {
    const isPersons = principal !== null && prefix.startsWith('/mcps/') && callingAgent(principal) === null
    const invocation = isPersons ? options.vouch(principal, prefix.slice('/mcps/'.length)) : null
    return invocation === null ? [] : [[INVOCATION_HEADER, invocation]]
  }

  return function relayOptions(exchange: Exchange, prefix: string, rest: string): RelayOptions {
    const { incoming, caller, requestId } = exchange
    // On MCP paths the client's credential never reaches an agent; elsewhere an agent may have a sign-in of its own.
    const ours = caller.via === 'bearer' || prefix.startsWith('/mcps/')
    return {
      path: `${rest === '' ? '/' : rest}${caller.query}`,
      strip: ours ? STRIP_WITH_AUTHORIZATION : STRIP,
      stripCookies: guard.isOurs,
      addToResponse: [['x-request-id', requestId], ...(caller.via === 'cookie' ? SANDBOX : [])],
      add: [
        ['x-forwarded-for', incoming.socket.remoteAddress ?? ''],
        ['x-forwarded-host', incoming.headers.host ?? ''],
        ['x-forwarded-proto', 'http'],
        ['x-forwarded-prefix', prefix],
        ['x-request-id', requestId],
        ...vouched(caller.principal, prefix),
      ],
      maxBodyBytes: options.bodyLimit,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      idleTimeoutMs: 0,
      sseKeepAliveMs: SSE_KEEP_ALIVE_MS,
      onHead: (status) => count(exchange, status),
      onEnd: (info) => {
        if (info.error !== undefined) log.debug('relay ended early', { requestId, prefix, ...info })
      },
      fail(out, failure) {
        writeError(out, failureError(caller.site ?? prefix, failure), requestId)
        count(exchange, out.statusCode)
      },
    }
  }
}
