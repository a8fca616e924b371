/** A connection to one MCP endpoint of the router, with the workspace's own credential. The SDK is loaded when it is asked for. */
import type { Client, jsonSchemaValidator, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { assertName } from '../../core/id.ts'
import { fromErrorBody, PloinkyError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import type { Services } from '../../services.ts'
import { explain, type Seen } from './errors.ts'

/** What a connection needs of the workspace. */
export type ClientServices = Pick<Services, 'client' | 'router' | 'token' | 'version'>

export interface ConnectOptions {
  readonly signal: AbortSignal
  /** Milliseconds for each answer. */
  readonly timeoutMs: number
}

/** A router's refusal is small; what is larger is an agent's. */
const MAX_REFUSAL_BYTES = 64 * 1024
/** Milliseconds for the last words of a call: its cancellation, the end of its session. */
const LAST_WORDS_MS = 2000

export const endpointPath = (agent: string | null): string =>
  agent === null ? '/mcp' : `/mcps/${assertName('agent', agent)}/mcp`

/** Address of the running router; ROUTER_NOT_RUNNING without one. */
export async function routerUrl({ client, router }: Pick<Services, 'client' | 'router'>): Promise<string> {
  const info = await router.info()
  if (info !== null) return client.baseUrl(info)
  throw new PloinkyError('ROUTER_NOT_RUNNING', 'The router of this workspace is not running', {
    hint: 'Run: ploinky start',
  })
}

/** The error in the router's own shape, if the answer carries one. An agent's JSON-RPC errors look different. */
async function refusalOf(response: Response): Promise<PloinkyError | null> {
  const size = Number(response.headers.get('content-length') ?? Number.NaN)
  if (response.status < 400 || !(size <= MAX_REFUSAL_BYTES)) return null
  const json = parseJson(await response.clone().text())
  const body = json.ok ? (json.value as { jsonrpc?: unknown; error?: { code?: unknown } } | null) : null
  return typeof body?.error?.code === 'string' && body.jsonrpc === undefined
    ? fromErrorBody(body, 'ROUTER_FAILED')
    : null
}

/** `fetch` that remembers how the router or the network refused, and which notifications are still on their way. */
function createFetch(seen: Seen) {
  const notifications = new Set<Promise<unknown>>()
  const call = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const body = init?.body
    const sent = fetch(url, init)
    if (typeof body === 'string' && body.includes('"notifications/')) {
      notifications.add(sent)
      sent.then(
        () => notifications.delete(sent),
        () => notifications.delete(sent),
      )
    }
    try {
      const response = await sent
      seen.refusal = (await refusalOf(response)) ?? seen.refusal
      return response
    } catch (error) {
      if (init?.signal?.aborted !== true) seen.network = error
      throw error
    }
  }
  return { call, settled: () => Promise.allSettled(notifications) }
}

const atMost = (work: Promise<unknown>, ms: number): Promise<void> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  return Promise.race([work.then(() => {}).catch(() => {}), late]).finally(() => clearTimeout(timer))
}

/** Results are shown, not relied upon: the agent's schemas are not compiled here. */
const unchecked: jsonSchemaValidator = {
  getValidator: () => (data: unknown) => ({ valid: true, data: data as never, errorMessage: undefined }),
}

async function open(services: ClientServices, agent: string | null, seen: Seen) {
  const [sdk, base, token] = await Promise.all([
    import('@modelcontextprotocol/client'),
    routerUrl(services),
    services.token.show(),
  ])
  const { call, settled } = createFetch(seen)
  const transport = new sdk.StreamableHTTPClientTransport(new URL(`${base}${endpointPath(agent)}`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
    fetch: call,
  })
  const client = new sdk.Client(
    { name: 'ploinky', version: services.version },
    {
      capabilities: {},
      versionNegotiation: { mode: 'auto' },
      jsonSchemaValidator: unchecked,
    },
  )
  return { client, transport, settled }
}

async function close(client: Client, transport: StreamableHTTPClientTransport, settled: () => Promise<unknown>) {
  await atMost(settled(), LAST_WORDS_MS)
  // A session that nobody ends stays in the agent's memory.
  if (transport.sessionId !== undefined) await atMost(transport.terminateSession(), LAST_WORDS_MS)
  await atMost(client.close(), LAST_WORDS_MS)
}

/**
 * Runs `use` with a connected client and ends the connection. `agent` null is the workspace's own endpoint. Every failure
 * has a code of the error table; an aborted signal gives its reason.
 */
export async function withClient<T>(
  services: ClientServices,
  target: { agent: string | null } & ConnectOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const { agent, signal, timeoutMs } = target
  const seen: Seen = { refusal: null, network: null }
  const { client, transport, settled } = await open(services, agent, seen)
  // The SDK tells stray errors here; those of a call are thrown by the call.
  client.onerror = () => {}
  try {
    await client.connect(transport, { signal, timeout: timeoutMs })
    return await use(client)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw explain(error, agent ?? 'mcp', seen)
  } finally {
    await close(client, transport, settled)
  }
}
