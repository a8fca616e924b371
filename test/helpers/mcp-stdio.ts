/** The bridge to programs on standard streams, before a real HTTP server, with programs that are functions. */
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createFakeRuntime, createFakeWorld, type FakeProcess } from '../../runtimes/fake/index.ts'
import { createLogger, silentLogger, type LogRecord } from '../../src/core/log.ts'
import type { AgentExchange } from '../../src/features/mcp/types.ts'
import { createStdioBackend } from '../../src/features/mcp/stdio/index.ts'
import { writeError } from '../../src/http/error-response.ts'
import { testPlatform } from './runtime-engines.ts'
import { specFor } from './runtime-spec.ts'

export interface Rpc {
  jsonrpc: '2.0'
  id?: string | number
  method?: string
  params?: Record<string, unknown> & { _meta?: Record<string, unknown> }
  result?: Record<string, unknown>
  error?: { code: number; message: string; data?: unknown }
}

export interface Speaker {
  readonly process: FakeProcess
  /** Number of the program among those that were started. */
  readonly number: number
  say(message: Omit<Rpc, 'jsonrpc'>): Promise<void>
  raw(text: string): Promise<void>
}

export type Handler = (message: Rpc, speaker: Speaker, line: string) => void | Promise<void>

export interface BridgeOptions {
  readonly handler: Handler
  readonly pids?: number
  readonly bodyLimit?: number
  readonly idleSeconds?: number
}

export interface Bridge extends AsyncDisposable {
  readonly url: string
  readonly logged: LogRecord[]
  /** Programs that run now. */
  running(): number
  /** Programs that were started so far. */
  started(): number
}

const agentOf = (incoming: IncomingMessage): string => (incoming.url ?? '').split('/')[2] ?? ''

export async function createBridge(options: BridgeOptions): Promise<Bridge> {
  const logged: LogRecord[] = []
  let started = 0
  let running = 0
  const world = createFakeWorld()
  world.images.add('image')
  const runtime = createFakeRuntime({ world, programs: { server: (process) => serve(process) } })
  const adapter = runtime.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
  const { workload } = await adapter.apply(specFor('stdio-test', { agent: 'one', image: 'image' }))

  async function serve(process: FakeProcess): Promise<number> {
    started += 1
    running += 1
    const number = started
    process.ended.addEventListener('abort', () => (running -= 1), { once: true })
    const raw = (text: string): Promise<void> => process.out(text)
    const say: Speaker['say'] = (message) => raw(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
    const decoder = new TextDecoder()
    let rest = ''
    for await (const chunk of process.stdin) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) await options.handler(JSON.parse(line) as Rpc, { process, number, say, raw }, line)
    }
    return 0
  }

  const backend = createStdioBackend({
    platform: testPlatform,
    log: createLogger((record) => logged.push(record), 'debug'),
    version: '1',
    target: async () => ({
      adapter,
      container: workload.name,
      instance: workload.id,
      codeDir: '/nonexistent',
      manifest: {
        mcp: { transport: 'stdio', argv: ['server'], idleSeconds: options.idleSeconds ?? 600 },
        limits: { pids: options.pids ?? null, memoryBytes: null, cpus: null },
      },
    }),
  })
  const server = createServer((incoming, outgoing) => {
    const agent = agentOf(incoming)
    const exchange: AgentExchange = {
      incoming,
      outgoing,
      agent,
      endpoint: { kind: 'agent', agent },
      principal: { id: String(incoming.headers['x-user'] ?? 'ann'), roles: ['admin'] },
      requestId: 'request-1',
      bodyLimit: options.bodyLimit ?? 1024 * 1024,
      relay: () => {},
      fail: (error) => writeError(outgoing, error, 'request-1'),
    }
    backend.serve(exchange)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcps/one/mcp`,
    logged,
    running: () => running,
    started: () => started,
    async [Symbol.asyncDispose]() {
      await backend.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await adapter[Symbol.asyncDispose]()
    },
  }
}

export const ACCEPT = 'application/json, text/event-stream'

export interface PostOptions {
  readonly session?: string
  readonly user?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export function post(url: string, body: object | string, options: PostOptions = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', ...body }),
    headers: headersOf(options),
    signal: options.signal ?? null,
  })
}

export function headersOf({ session, user, headers }: PostOptions): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: ACCEPT,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
    ...(user === undefined ? {} : { 'x-user': user }),
    ...headers,
  }
}

export const VERSION = '2026-07-28'

/** A request of the modern era with the headers that belong to it. */
export function call(url: string, request: Omit<Rpc, 'jsonrpc'>, options: PostOptions = {}): Promise<Response> {
  const { method = '', params = {} } = request
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': VERSION,
    'io.modelcontextprotocol/clientCapabilities': {},
    ...params._meta,
  }
  const name = params['name'] ?? params['uri']
  const headers = {
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...options.headers,
  }
  return post(url, { ...request, params: { ...params, _meta } }, { ...options, headers })
}

/** Begins a session and gives its id. */
export async function initialize(url: string, options: PostOptions = {}): Promise<string> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const response = await post(url, { id: 'init', method: 'initialize', params }, options)
  const text = await response.text()
  const session = response.headers.get('mcp-session-id')
  if (session === null) throw new Error(`no session: ${response.status} ${text}`)
  return session
}

export interface StreamEvent {
  readonly id: string | null
  readonly data: string
}

/** Events of a stream as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice(6))
      const id = lines.find((line) => line.startsWith('id: '))?.slice(4) ?? null
      if (data.length > 0) yield { id, data: data.join('\n') }
    }
  }
}

/** What the handlers of most tests begin with: the handshake of both eras, and an empty list of tools. */
export async function greet(message: Rpc, { say }: Speaker): Promise<boolean> {
  const { id, method } = message
  if (method === 'initialize') {
    await say({ id: id ?? 0, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'p' } } })
    return true
  }
  if (method === 'server/discover') {
    await say({ id: id ?? 0, result: { supportedVersions: [VERSION], capabilities: {}, resultType: 'complete' } })
    return true
  }
  if (method === 'tools/list') {
    await say({ id: id ?? 0, result: { tools: [], resultType: 'complete' } })
    return true
  }
  return message.method?.startsWith('notifications/initialized') ?? false
}
