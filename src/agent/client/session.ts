/** One agent: finds out which revision of MCP it speaks, then asks. */
import { encodeHeader, FIRST_MODERN, LAST_LEGACY } from '../../core/mcp.ts'
import { AgentClientError } from './error.ts'
import { readAnswer, readText, type RpcAnswer } from './answer.ts'
import type { Transport } from './transport.ts'
import type { CallOptions } from './types.ts'

const META = 'io.modelcontextprotocol'
const DENIED = -32_003

/** How the agent is spoken to: each request by itself, or within a session. */
type Speech =
  { readonly kind: 'modern' } | { readonly kind: 'legacy'; readonly version: string; readonly session: string | null }

export interface Session {
  request(method: string, params: Record<string, unknown>, options: CallOptions): Promise<Record<string, unknown>>
  close(): Promise<void>
}

export interface SessionOptions {
  readonly transport: Transport
  readonly agent: string
  readonly name: string
  /** How many agents stand before this one. */
  readonly depth: string | undefined
}

/** Which member of the parameters `Mcp-Name` repeats. */
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
}

export function createSession({ transport, agent, name, depth }: SessionOptions): Session {
  const path = `/mcps/${encodeURIComponent(agent)}/mcp`
  const clientInfo = { name, version: '1' }
  let speech: Promise<Speech> | null = null
  let count = 0

  function headersOf(spoken: Speech | null, method: string, params: Record<string, unknown>): Record<string, string> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(depth === undefined ? {} : { 'x-ploinky-depth': depth }),
    }
    if (spoken?.kind === 'legacy') {
      headers['mcp-protocol-version'] = spoken.version
      if (spoken.session !== null) headers['mcp-session-id'] = spoken.session
    }
    if (spoken?.kind !== 'modern') return headers
    const named = Object.hasOwn(NAMED, method) ? params[NAMED[method] ?? ''] : undefined
    return {
      ...headers,
      ...{ 'mcp-protocol-version': FIRST_MODERN, 'mcp-method': method },
      ...(typeof named === 'string' ? { 'mcp-name': encodeHeader(named) } : {}),
    }
  }

  async function send(spoken: Speech | null, message: Message, options: CallOptions) {
    const { method, params } = message
    const body = JSON.stringify({ jsonrpc: '2.0', ...message })
    const headers = headersOf(spoken, method, params ?? {})
    const incoming = await transport.send({ method: 'POST', path, headers, body, signal: options.signal })
    return incoming
  }

  async function ask(spoken: Speech | null, message: Message & { id: number }, options: CallOptions) {
    const incoming = await send(spoken, message, options)
    const abort = (): void => void incoming.destroy(new AgentClientError('ABORTED', 'The call was given up'))
    options.signal?.addEventListener('abort', abort, { once: true })
    try {
      const answer = await readAnswer(incoming, message.id, options.onProgress)
      return { answer, headers: incoming.headers, status: incoming.statusCode ?? 0 }
    } finally {
      options.signal?.removeEventListener('abort', abort)
    }
  }

  const meta = () => ({
    [`${META}/protocolVersion`]: FIRST_MODERN,
    [`${META}/clientCapabilities`]: {},
    [`${META}/clientInfo`]: clientInfo,
  })

  /** A server of the newer revision knows `server/discover`; nothing is called before that is known. */
  async function negotiate(options: CallOptions): Promise<Speech> {
    const message = { id: (count += 1), method: 'server/discover', params: { _meta: meta() } }
    try {
      const { answer } = await ask({ kind: 'modern' }, message, { signal: options.signal })
      const versions = answer.result?.['supportedVersions'] ?? answer.result?.['protocolVersions']
      if (Array.isArray(versions) ? versions.includes(FIRST_MODERN) : answer.result !== undefined)
        return { kind: 'modern' }
      if (answer.error?.code === DENIED) resultOf(answer)
    } catch (error) {
      // What is no answer of a server of either revision is an answer to the caller.
      if (!(error instanceof AgentClientError) || error.code !== 'PROTOCOL_ERROR') throw error
    }
    return await initialize(options)
  }

  async function initialize(options: CallOptions): Promise<Speech> {
    const params = { protocolVersion: LAST_LEGACY, capabilities: {}, clientInfo }
    const message = { id: (count += 1), method: 'initialize', params }
    const { answer, headers } = await ask(null, message, { signal: options.signal })
    const result = resultOf(answer)
    const session = headers['mcp-session-id']
    const version = typeof result['protocolVersion'] === 'string' ? result['protocolVersion'] : LAST_LEGACY
    const spoken = { kind: 'legacy', version, session: typeof session === 'string' ? session : null } as const
    const told = await send(spoken, { method: 'notifications/initialized' }, { signal: options.signal })
    await readText(told)
    return spoken
  }

  const speechNow = (options: CallOptions): Promise<Speech> => {
    speech ??= negotiate(options).catch((error: unknown) => {
      speech = null
      throw error
    })
    return speech
  }

  async function call(method: string, params: Record<string, unknown>, options: CallOptions) {
    const spoken = await speechNow(options)
    const id = (count += 1)
    const own = typeof params['_meta'] === 'object' ? (params['_meta'] as Record<string, unknown>) : {}
    const _meta = {
      ...(spoken.kind === 'modern' ? meta() : {}),
      ...(options.onProgress === undefined ? {} : { progressToken: id }),
      ...own,
    }
    const message = { id, method, params: { ...params, ...(Object.keys(_meta).length > 0 ? { _meta } : {}) } }
    const cancel = (): void => {
      // In a session, leaving is not cancelling.
      if (spoken.kind === 'legacy')
        send(spoken, { method: 'notifications/cancelled', params: { requestId: id } }, {})
          .then(readText)
          .catch(() => {})
    }
    options.signal?.addEventListener('abort', cancel, { once: true })
    try {
      const { answer, status } = await ask(spoken, message, options)
      // The agent was started anew and knows no session of before: it has done nothing.
      if (spoken.kind === 'legacy' && spoken.session !== null && status === 404) speech = null
      return { answer, again: speech === null }
    } finally {
      options.signal?.removeEventListener('abort', cancel)
    }
  }

  return {
    async request(method, params, options) {
      const first = await call(method, params, options)
      const { answer } = first.again ? await call(method, params, options) : first
      const result = resultOf(answer)
      if (result['resultType'] === 'input_required')
        throw new AgentClientError('INPUT_REQUIRED', `"${agent}" asks for input, which an agent cannot give`, {
          data: result,
        })
      return result
    },
    async close() {
      const spoken = await speech?.catch(() => null)
      speech = null
      if (spoken?.kind !== 'legacy' || spoken.session === null) return
      const headers = { 'mcp-session-id': spoken.session, 'mcp-protocol-version': spoken.version }
      await transport
        .send({ method: 'DELETE', path, headers })
        .then(readText)
        .catch(() => {})
    },
  }
}

interface Message {
  readonly id?: number
  readonly method: string
  readonly params?: Record<string, unknown>
}

function resultOf(answer: RpcAnswer): Record<string, unknown> {
  if (answer.result !== undefined) return answer.result
  const { code, message = 'The agent answered with an error', data } = answer.error ?? {}
  throw new AgentClientError(code === DENIED ? 'DENIED' : 'RPC_ERROR', message, { rpcCode: code, data })
}
