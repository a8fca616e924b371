/** Agents whose tools are locked: what they tell of their tools is looked at, and calls of blocked tools go nowhere. */
import { CODES } from '../../core/mcp.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { RelayChange } from '../../http/mcp-exchange.ts'
import type { BlockedTool, ToolGuard } from '../tool-lock/index.ts'
import { clientGone, once, pipeAnswer, sendJson } from './answers.ts'
import { askBy, textOf } from './ask.ts'
import { readCall } from './client-call.ts'
import { readMessage, resultIn, type RpcMessage } from './messages.ts'
import { listTools } from './questions.ts'
import { assertReadable, screened } from './screened.ts'
import type { AgentExchange } from './types.ts'
import type { UpstreamAnswer, UpstreamCall } from './upstream.ts'

type Fetch = (agent: string, call: UpstreamCall) => Promise<UpstreamAnswer>

/** An agent may change its tools at any time: a call looks again when the last look is older (ms). */
const LOOK_MS = 30_000
export interface LockedOptions {
  readonly guard: ToolGuard
  readonly version: string
  /** Differs after each change of where the agent runs. */
  instance(agent: string): string
  /** Past the lock. */
  fetch: Fetch
}

export interface Locked {
  serve(exchange: AgentExchange, change: RelayChange): void
}

export function createLocked({ guard, version, instance, fetch }: LockedOptions): Locked {
  const runOf = (agent: string): string => `${instance(agent)} ${Math.floor(performance.now() / LOOK_MS)}`

  async function look(agent: string, principal: Principal): Promise<ReadonlySet<string>> {
    const tools = await listTools(
      askBy((call) => fetch(agent, call), principal),
      version,
    )
    return await guard.check(agent, runOf(agent), tools ?? [])
  }

  async function read(agent: string, call: UpstreamCall): Promise<UpstreamAnswer> {
    const answer = await fetch(agent, call)
    assertReadable(agent, answer)
    return answer
  }

  /** The client's own list, without what is blocked. */
  async function list(agent: string, call: UpstreamCall, message: RpcMessage): Promise<UpstreamAnswer> {
    const answer = await read(agent, call)
    const text = await textOf(answer)
    const result =
      message.id === undefined ? null : resultIn(answer.headers.get('content-type') ?? '', text, message.id)
    const tools = result?.['tools']
    if (result === null || !Array.isArray(tools)) return screened({ ...answer, body: once(text) }, message.id)
    const told = await look(agent, call.principal)
    const kept = (tools as unknown[]).filter((tool) => told.has(String((tool as { name?: unknown } | null)?.name)))
    const meta = { ...(result['_meta'] as object | undefined), ...blockedMeta(guard.blocked(agent)) }
    const shown = { ...result, tools: kept, ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }) }
    const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, result: shown })
    const headers = new Map([...answer.headers].filter(([name]) => name === 'mcp-session-id'))
    return { status: 200, headers: headers.set('content-type', 'application/json'), body: once(body) }
  }

  async function fetchLocked(agent: string, call: UpstreamCall): Promise<UpstreamAnswer> {
    if (call.body === undefined) return screened(await read(agent, call), undefined)
    const message = readMessage(Buffer.from(call.body).toString('utf8'))
    // Several at once, or what cannot be read here, may be read by the agent.
    if (message === null)
      throw new PloinkyError('REQUEST_INVALID', `The tools of agent "${agent}" are locked: send one message at a time`)
    if (message.method === 'tools/list') return await list(agent, call, message)
    if (message.method === 'tools/call') {
      if (!guard.isChecked(agent, runOf(agent))) await look(agent, call.principal)
      guard.assertCallable(agent, String(message.params['name']))
    }
    return screened(await read(agent, call), message.id)
  }

  async function serve(exchange: AgentExchange, change: RelayChange): Promise<void> {
    const { outgoing, agent } = exchange
    const left = clientGone(outgoing)
    const call = await readCall(exchange, left, change)
    try {
      const answer = await fetchLocked(agent, call)
      await pipeAnswer(exchange, answer, { keepsSession: true })
    } catch (error) {
      if (!left.aborted) refuse(exchange, call, error)
    }
  }

  return {
    serve(exchange, change) {
      serve(exchange, change).catch((error: unknown) => {
        if (exchange.outgoing.headersSent) exchange.outgoing.destroy()
        else exchange.fail(error)
      })
    },
  }
}

/** A blocked tool is an error of the call, as clients and models read it. */
function refuse(exchange: AgentExchange, { body }: UpstreamCall, error: unknown): void {
  const id = body === undefined ? undefined : readMessage(Buffer.from(body).toString('utf8'))?.id
  if (!isPloinkyError(error) || error.code !== 'DENIED' || id === undefined) throw error
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`
  sendJson(exchange, { jsonrpc: '2.0', id, error: { code: CODES.invalidParams, message, data: error.details } })
}

const blockedMeta = (blocked: readonly BlockedTool[]): Record<string, unknown> =>
  blocked.length === 0 ? {} : { 'ploinky/blocked': blocked.map(({ tool, why }) => ({ tool, why })) }
