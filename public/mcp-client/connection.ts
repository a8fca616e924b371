/** One endpoint: which era it speaks, requests and their answers, cancellation, the session of the older era. */
import { createSseParser } from '../shared/sse.ts'
import { mirroredHeaders, nameHeader } from './headers.ts'

export type Json = Record<string, unknown>

interface RequestOptions {
  signal?: AbortSignal
  onProgress?: (step: { progress: number; total?: number; message?: string }) => void
}

interface Wanted {
  readonly method: string
  readonly params: Json
  readonly options: RequestOptions
}

interface Session {
  readonly stateless: boolean
  readonly version: string
  /** Of the older era. */
  readonly id: string | null
  readonly about: { protocolVersion: string; serverInfo: Json; capabilities: Json }
}

const STATELESS = '2026-07-28'
const WITH_SESSIONS = '2025-11-25'
const META = 'io.modelcontextprotocol/'
const ME = { name: 'ploinky-page', version: '1' }
/** Characters of one message: results carry images. */
const MAX_MESSAGE_CHARS = 64 * 1024 * 1024
const HEADER_MISMATCH = -32020
const METHOD_NOT_FOUND = -32601

/** What the server or the router refused. */
export class McpError extends Error {
  /** JSON-RPC's number, or a code of the router such as `AGENT_NOT_RUNNING`. */
  readonly code: number | string
  readonly data: unknown

  constructor(message: string, code: number | string, data?: unknown) {
    super(message)
    this.name = 'McpError'
    this.code = code
    this.data = data
  }
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

/** Rejects for what is no answer of MCP: the router's own errors have words for people. */
function refusal(status: number, body: Json | null): McpError {
  const error = isObject(body?.['error']) ? body['error'] : {}
  const message = typeof error['message'] === 'string' ? error['message'] : `The server answered with HTTP ${status}`
  const code = error['code']
  return new McpError(
    message,
    typeof code === 'number' || typeof code === 'string' ? code : status,
    error['details'] ?? error['data'],
  )
}

export function createConnection(endpoint: string) {
  const closing = new AbortController()
  let session: Promise<Session> | null = null
  let tools = new Map<string, unknown>()
  let lastId = 0

  const post = (message: Json, headers: Record<string, string>, signal: AbortSignal): Promise<Response> =>
    fetch(endpoint, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      signal,
    })

  const sessionHeaders = ({ id, version }: Pick<Session, 'id' | 'version'>): Record<string, string> => ({
    'mcp-protocol-version': version,
    ...(id === null ? {} : { 'mcp-session-id': id }),
  })

  const statelessHeaders = (method: string, params: Json): Record<string, string> => ({
    ...{ 'mcp-protocol-version': STATELESS, 'mcp-method': method },
    ...nameHeader(method, params),
    ...(method === 'tools/call' ? mirroredHeaders(tools.get(String(params['name'])), params['arguments']) : {}),
  })

  const meta = (token?: number): Json => ({
    _meta: {
      [`${META}protocolVersion`]: STATELESS,
      [`${META}clientInfo`]: ME,
      [`${META}clientCapabilities`]: {},
      ...(token === undefined ? {} : { progressToken: token }),
    },
  })

  /** The answer to a request, from one body or the end of a stream; null when it ended without. */
  async function answerOf(response: Response, id: number, onMessage: (message: Json) => void): Promise<Json | null> {
    const type = response.headers.get('content-type') ?? ''
    if (!type.startsWith('text/event-stream')) return parse(await response.text())
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const parser = createSseParser('', MAX_MESSAGE_CHARS)
    for (;;) {
      const next = await reader?.read()
      if (next === undefined || next.done) return null
      for (const { data } of parser.push(next.value)) {
        const message = parse(data)
        if (message === null) continue
        if (message['method'] === undefined && message['id'] === id) {
          void reader?.cancel().catch(() => {})
          return message
        }
        onMessage(message)
      }
    }
  }

  function resultOf(response: Response, message: Json | null): Json {
    if (message?.['jsonrpc'] === undefined && response.status >= 400) throw refusal(response.status, message)
    if (message === null) throw new McpError('The connection ended before the answer came', 'UPSTREAM_UNREACHABLE')
    if (isObject(message['error'])) throw refusal(response.status, message)
    const result = isObject(message['result']) ? message['result'] : {}
    if (result['resultType'] === 'input_required')
      throw new McpError('The agent asks for input, which this page cannot give', 'CAPABILITY_UNSUPPORTED', result)
    return result
  }

  async function discover(): Promise<Session | null> {
    const id = ++lastId
    const message = { id, method: 'server/discover', params: meta() }
    const response = await post(message, statelessHeaders('server/discover', {}), closing.signal)
    const answer = await answerOf(response, id, () => {})
    const result = answer?.['result']
    const versions = isObject(result) ? result['supportedVersions'] : undefined
    if (!isObject(result) || !Array.isArray(versions) || !versions.includes(STATELESS)) {
      // Not JSON-RPC: the router refused, and would refuse everything else.
      if (answer?.['jsonrpc'] === undefined && isObject(answer?.['error'])) throw refusal(response.status, answer)
      return null
    }
    const serverInfo = isObject(result['_meta']) ? result['_meta'][`${META}serverInfo`] : undefined
    return {
      ...{ stateless: true, version: STATELESS, id: null },
      about: {
        protocolVersion: STATELESS,
        serverInfo: isObject(serverInfo) ? serverInfo : {},
        capabilities: isObject(result['capabilities']) ? result['capabilities'] : {},
      },
    }
  }

  async function initialize(): Promise<Session> {
    const id = ++lastId
    const params = { protocolVersion: WITH_SESSIONS, capabilities: {}, clientInfo: ME }
    const response = await post({ id, method: 'initialize', params }, {}, closing.signal)
    const result = resultOf(response, await answerOf(response, id, () => {}))
    const version = String(result['protocolVersion'])
    const made = { version, id: response.headers.get('mcp-session-id') }
    await post({ method: 'notifications/initialized' }, sessionHeaders(made), closing.signal)
    return {
      ...{ stateless: false, ...made },
      about: {
        protocolVersion: version,
        serverInfo: isObject(result['serverInfo']) ? result['serverInfo'] : {},
        capabilities: isObject(result['capabilities']) ? result['capabilities'] : {},
      },
    }
  }

  function opened(): Promise<Session> {
    session ??= discover()
      .then((found) => found ?? initialize())
      .catch((error: unknown) => {
        // The next call tries again.
        session = null
        throw error
      })
    return session
  }

  /** A server that asks its client something is told that it cannot; only a ping has an answer. */
  function answer(message: Json, made: Session): void {
    if (message['id'] === undefined || typeof message['method'] !== 'string') return
    const error = { code: METHOD_NOT_FOUND, message: 'Not offered by this page' }
    const reply = message['method'] === 'ping' ? { result: {} } : { error }
    void post({ id: message['id'], ...reply }, sessionHeaders(made), closing.signal).catch(() => {})
  }

  /** Without sessions, ending the stream of a call is its cancellation; with them it has to be told. */
  function cancel(id: number, made: Session): void {
    if (made.stateless) return
    const params = { requestId: id, reason: 'Cancelled by the page' }
    void post({ method: 'notifications/cancelled', params }, sessionHeaders(made), closing.signal).catch(() => {})
  }

  async function once(made: Session, { method, params, options: { signal, onProgress } }: Wanted) {
    const id = ++lastId
    const token = onProgress === undefined ? undefined : id
    const stop = AbortSignal.any(signal === undefined ? [closing.signal] : [closing.signal, signal])
    const onAbort = (): void => cancel(id, made)
    signal?.throwIfAborted()
    signal?.addEventListener('abort', onAbort, { once: true })
    const extra = made.stateless ? meta(token) : token === undefined ? {} : { _meta: { progressToken: token } }
    const headers = made.stateless ? statelessHeaders(method, params) : sessionHeaders(made)
    try {
      const response = await post({ id, method, params: { ...params, ...extra } }, headers, stop)
      const message = await answerOf(response, id, (note) => {
        if (note['method'] !== 'notifications/progress') return answer(note, made)
        const step = note['params']
        if (isObject(step) && step['progressToken'] === token) onProgress?.(step as { progress: number })
      })
      // The router's 404 has words; a server's tells that it forgot the session.
      const isForgotten = made.id !== null && response.status === 404 && !isObject(message?.['error'])
      return { response, message, isForgotten: isForgotten || (response.status === 404 && message?.['id'] === null) }
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  return {
    open: async () => (await opened()).about,
    async request(method: string, params: Json, options: RequestOptions): Promise<Json> {
      const made = await opened()
      const first = await once(made, { method, params, options })
      if (!first.isForgotten || made.stateless) return resultOf(first.response, first.message)
      session = null
      const again = await once(await opened(), { method, params, options })
      return resultOf(again.response, again.message)
    },
    noteTools(list: readonly Json[]): void {
      tools = new Map(list.map((tool) => [String(tool['name']), tool['inputSchema']]))
    },
    needsTools: (error: unknown): boolean => error instanceof McpError && error.code === HEADER_MISMATCH,
    async close(): Promise<void> {
      const made = await session?.catch(() => null)
      closing.abort()
      if (!made || made.id === null) return
      const headers = sessionHeaders(made)
      await fetch(endpoint, { method: 'DELETE', credentials: 'same-origin', headers }).catch(() => {})
    },
  }
}
