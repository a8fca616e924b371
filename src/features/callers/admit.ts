/**
 * The gate for agents that call agents: reads what is asked, decides, vouches for the caller and tells of it. Nothing of an
 * agent's reaches another one but through here.
 */
import { CODES } from '../../core/mcp.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { DEPTH_HEADER, INVOCATION_HEADER, MAX_DEPTH } from '../../core/invocation.ts'
import type { Logger } from '../../core/log.ts'
import { callingAgent, type Principal } from '../../core/principal.ts'
import { readIncoming } from '../../http/incoming-body.ts'
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { IncomingMessage } from '../../platform/index.ts'
import { grantName } from './grant-name.ts'
import { headerMismatch } from './header-match.ts'
import type { InvocationMaker } from './invocations.ts'
import { type Asked, type Message, readMessage } from './message.ts'
import type { CallPolicy } from './policy.ts'

/** Calls of one agent that wait for answers at once: a loop of agents that do not count their depth ends here. */
const MAX_OPEN_CALLS = 64
const BODY_TIMEOUT_MS = 30_000
const DENIED = -32_003
const TOO_DEEP = -32_004
const TOO_MANY = -32_005

export interface Admitted {
  /** What was read of the request; null: nothing was sent. */
  readonly body: Buffer | null
  /** To be sent instead of the client's own. Made when they are sent: until then the agent may have to be started. */
  headers(): readonly (readonly [string, string])[]
  /** Further claims about the call, for a server that needs no token to believe them. */
  readonly claims: { readonly depth: number; readonly method?: string; readonly tool?: string }
}

export interface CallGate {
  /** Null: it was refused, and has its answer. Rejects with what else is wrong with the request. */
  admit(exchange: McpExchange, agent: string): Promise<Admitted | null>
}

export interface CallGateOptions {
  policy: CallPolicy
  invocations: InvocationMaker
  events: EventBus
  log: Logger
}

interface Refusal {
  readonly status: number
  readonly code: number
  readonly message: string
  readonly suggestion?: string
}

export function createCallGate(options: CallGateOptions): CallGate {
  const { policy, invocations } = options
  const open = new Map<string, number>()

  function refuse(exchange: McpExchange, id: string | number | null, refusal: Refusal): null {
    const { status, code, message, suggestion } = refusal
    const data = suggestion === undefined ? {} : { data: { suggestion } }
    const { outgoing, requestId } = exchange
    const text = suggestion === undefined ? message : `${message}. ${suggestion}`
    const body = JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: text, ...data } })
    outgoing.writeHead(status, {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'x-request-id': requestId,
      ...(outgoing.req.complete ? {} : { connection: 'close' }),
    })
    outgoing.end(body)
    return null
  }

  /** One line and one event for each decision; never what was said. */
  function tell(
    exchange: McpExchange,
    call: { agent: string; asked: Asked; refusal: Refusal | null; depth: number },
  ): void {
    const { agent, asked, refusal, depth } = call
    // Handshakes and lists that pass are no decisions.
    if (refusal === null && asked.kind === 'protocol') return
    const caller = exchange.principal.id
    const began = performance.now()
    const tool = wantedOf(asked).join(' ').slice(0, 200)
    const emit = (): void => {
      const milliseconds = Math.round(performance.now() - began)
      const data = { caller, method: asked.method, tool, allowed: refusal === null, depth, milliseconds }
      const status = refusal?.status ?? exchange.outgoing.statusCode
      options.events.emit({
        type: refusal === null ? 'agent.called' : 'agent.refused',
        ...{ subject: agent, principal: caller, data: { ...data, status } },
      })
      options.log[refusal === null ? 'info' : 'warn'](refusal === null ? 'agent calls agent' : 'call refused', {
        ...{ requestId: exchange.requestId, target: agent, ...data, status },
      })
    }
    if (refusal !== null) emit()
    else exchange.outgoing.once('close', emit)
  }

  function judge(exchange: McpExchange, agent: string, asked: Asked): Refusal | null {
    const { principal } = exchange
    const caller = callingAgent(principal) ?? principal.id
    const denied = (what: string, grant: string): Refusal => ({
      ...{ status: 403, code: DENIED, message: `Agent "${caller}" may not call ${what}` },
      suggestion: `Allow it with: ploinky grant ${caller} ${grant}`,
    })
    if (asked.kind === 'unknown') {
      if (policy.mayCall(principal, agent)) return null
      return denied(`"${asked.method.slice(0, 80)}" of "${agent}"`, agent)
    }
    const [missing] = wantedOf(asked).filter((tool) => !policy.mayCall(principal, agent, tool))
    if (missing !== undefined) return denied(`"${missing.slice(0, 200)}" of "${agent}"`, grantText(agent, missing))
    return policy.maySee(principal, agent) ? null : denied(`"${agent}"`, `${agent}/<tool>`)
  }

  /** Counted until it is answered; false when there are too many. */
  function enter({ principal, outgoing }: McpExchange): boolean {
    const count = open.get(principal.id) ?? 0
    if (count >= MAX_OPEN_CALLS) return false
    open.set(principal.id, count + 1)
    outgoing.once('close', () => {
      const left = (open.get(principal.id) ?? 1) - 1
      if (left > 0) open.set(principal.id, left)
      else open.delete(principal.id)
    })
    return true
  }

  function admitted(
    principal: Principal,
    agent: string,
    call: { asked: Asked; depth: number; body: Buffer | null },
  ): Admitted {
    const { asked, depth, body } = call
    const [tool] = wantedOf(asked)
    const claims = { depth, ...(asked.method === null ? {} : { method: asked.method }), ...(tool ? { tool } : {}) }
    const headers = (): [string, string][] => {
      const token = invocations.bound(principal, agent, body === null ? claims : { ...claims, body })
      return [
        [DEPTH_HEADER, String(depth)],
        ...(token === null ? [] : [[INVOCATION_HEADER, token] as [string, string]]),
      ]
    }
    return { body, claims, headers }
  }

  async function messageOf(exchange: McpExchange): Promise<{ body: Buffer | null; message: Message }> {
    const { incoming, outgoing, bodyLimit } = exchange
    if (incoming.method !== 'POST')
      return { body: null, message: { ok: true, id: null, asked: { kind: 'protocol', method: null } } }
    const body = await readIncoming(incoming, outgoing, { maxBytes: bodyLimit, timeoutMs: BODY_TIMEOUT_MS })
    return { body, message: readMessage(body) }
  }

  return {
    async admit(exchange, agent) {
      const { incoming, principal } = exchange
      if (!['POST', 'GET', 'DELETE'].includes(incoming.method ?? ''))
        throw new PloinkyError('METHOD_NOT_ALLOWED', 'MCP is spoken with POST, GET and DELETE')
      const depth = depthOf(incoming) + 1
      // Nothing is read for somebody who may call nothing there.
      if (!policy.maySee(principal, agent)) {
        const asked: Asked = { kind: 'protocol', method: null }
        const refusal = judge(exchange, agent, asked)
        if (refusal !== null) {
          tell(exchange, { agent, asked, refusal, depth })
          return refuse(exchange, null, refusal)
        }
      }
      const { body, message } = await messageOf(exchange)
      if (!message.ok)
        return refuse(exchange, message.id, { status: 400, code: message.code, message: message.problem })
      const { id, asked } = message
      const mismatch = headerMismatch(incoming, asked)
      if (mismatch !== null) return refuse(exchange, id, { status: 400, code: CODES.headerMismatch, message: mismatch })
      const refusal = judge(exchange, agent, asked) ?? limitOf(depth)
      tell(exchange, { agent, asked, refusal, depth })
      if (refusal !== null) return refuse(exchange, id, refusal)
      // An open stream of events is no call that waits.
      if (incoming.method === 'POST' && !enter(exchange)) {
        const message = `More than ${MAX_OPEN_CALLS} calls of "${principal.id}" wait for answers`
        return refuse(exchange, id, { status: 429, code: TOO_MANY, message })
      }
      return admitted(principal, agent, { asked, depth, body })
    },
  }
}

const limitOf = (depth: number): Refusal | null =>
  depth <= MAX_DEPTH
    ? null
    : { status: 403, code: TOO_DEEP, message: `More than ${MAX_DEPTH} agents call each other in a row: is it a loop?` }

/** What counts is what an agent says of itself; one that says nothing is held back by the number of its open calls. */
function depthOf({ headers }: IncomingMessage): number {
  const text = String(headers[DEPTH_HEADER] ?? '0')
  return /^\d{1,3}$/.test(text) ? Number(text) : MAX_DEPTH
}

/** As grants name it. */
function wantedOf(asked: Asked): string[] {
  switch (asked.kind) {
    case 'tool':
    case 'prompt':
    case 'resource':
      return [grantName(asked.kind, asked.name)]
    case 'resources':
      return asked.names.map((name) => grantName('resource', name))
    case 'protocol':
    case 'unknown':
      return []
  }
}

/** A word of a command line that a person may copy. */
function grantText(agent: string, tool: string): string {
  const text = `${agent}/${tool}`
  return /^[\w./:@%+-]{1,200}$/.test(text) ? text : `'${agent}/<tool>'`
}
