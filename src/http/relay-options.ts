/** How a request is passed on to an agent: what is taken away, what is added, and what is said of who is calling. */
import type { Logger } from '../core/log.ts'
import { INVOCATION_HEADER } from '../core/invocation.ts'
import { callingAgent, type Principal } from '../core/principal.ts'
import type { ServerResponse } from '../platform/index.ts'
import type { RelayFailure, RelayOptions, RelayOutcome } from '../platform/relay/index.ts'
import { writeError } from './error-response.ts'
import type { Exchange } from './exchange.ts'
import type { Guard } from './guard.ts'
import { failureError } from './relay-failure.ts'
import type { RelayChange } from './mcp-exchange.ts'
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

interface Place {
  /** Where the agent is on this origin, '' at its own. */
  readonly prefix: string
  /** What is asked of it: the raw path below that. */
  readonly rest: string
}

export function createRelayOptions(options: Parts) {
  const { guard, log, count } = options

  /** Agents' requests are read, and vouched for one by one. */
  function invocationOf(principal: Principal | null, prefix: string): string | null {
    const isPersons = principal !== null && prefix.startsWith('/mcps/') && callingAgent(principal) === null
    return isPersons ? options.vouch(principal, prefix.slice('/mcps/'.length)) : null
  }

  /** One object without closures for each request: three closures and what they hold cost as much as the sign-in check. */
  class Relayed implements RelayOptions {
    readonly path: string
    readonly strip: ReadonlySet<string>
    readonly stripCookies = guard.isOurs
    readonly add: (readonly [string, string])[]
    readonly addToResponse: (readonly [string, string])[]
    readonly maxBodyBytes = options.bodyLimit
    readonly connectTimeoutMs = CONNECT_TIMEOUT_MS
    readonly idleTimeoutMs = 0
    readonly sseKeepAliveMs = SSE_KEEP_ALIVE_MS
    readonly body?: Buffer
    private readonly exchange: Exchange
    private readonly prefix: string

    constructor(exchange: Exchange, { prefix, rest }: Place, change?: RelayChange) {
      const { incoming, caller, requestId } = exchange
      this.exchange = exchange
      this.prefix = prefix
      this.path = (rest === '' ? '/' : rest) + caller.query
      // On MCP paths the client's credential never reaches an agent; elsewhere an agent may have a sign-in of its own.
      this.strip = caller.via === 'bearer' || prefix.startsWith('/mcps/') ? STRIP_WITH_AUTHORIZATION : STRIP
      this.addToResponse = [['x-request-id', requestId]]
      if (caller.via === 'cookie') this.addToResponse.push(...SANDBOX)
      this.add = [
        ['x-forwarded-for', incoming.socket.remoteAddress ?? ''],
        ['x-forwarded-host', caller.host],
        ['x-forwarded-proto', 'http'],
        ['x-forwarded-prefix', prefix],
        ['x-request-id', requestId],
      ]
      const invocation = invocationOf(caller.principal, prefix)
      if (invocation !== null) this.add.push([INVOCATION_HEADER, invocation])
      if (change?.headers !== undefined) this.add.push(...change.headers)
      if (change?.body !== undefined) this.body = change.body
    }

    onHead(status: number): void {
      count(this.exchange, status)
    }

    onEnd(outcome: RelayOutcome): void {
      if (outcome.error === undefined) return
      log.debug('relay ended early', { requestId: this.exchange.requestId, prefix: this.prefix, ...outcome })
    }

    fail(out: ServerResponse, failure: RelayFailure): void {
      const { caller, requestId } = this.exchange
      writeError(out, failureError(caller.site ?? this.prefix, failure), requestId)
      count(this.exchange, out.statusCode)
    }
  }

  return (exchange: Exchange, place: Place, change?: RelayChange): RelayOptions => new Relayed(exchange, place, change)
}
