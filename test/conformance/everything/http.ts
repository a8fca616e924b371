/** The same server over HTTP: modern requests one by one, legacy clients in sessions that can be resumed. */
import { randomUUID } from 'node:crypto'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  isInitializeRequest,
  isLegacyRequest,
  localhostAllowedHostnames,
  localhostAllowedOrigins,
  originValidationResponse,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'
import type { EventStore, JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveWithFetch } from '../../../src/agent/node-http.ts'
import { createEverythingServer } from './server.ts'

/** What was sent on the streams of one session, to be sent again to whoever lost the connection. */
function createEventStore(): EventStore {
  const events: { id: string; stream: string; message: JSONRPCMessage }[] = []
  return {
    async storeEvent(stream, message) {
      const id = `${stream}_${events.length}`
      events.push({ id, stream, message })
      return id
    },
    async getStreamIdForEventId(id) {
      return events.find((event) => event.id === id)?.stream
    },
    async replayEventsAfter(lastId, { send }) {
      const at = events.findIndex(({ id }) => id === lastId)
      const stream = events[at]?.stream ?? ''
      for (const event of events.slice(at + 1)) if (event.stream === stream) await send(event.id, event.message)
      return stream
    },
  }
}

const notFound = (): Response => rpcError(404, 'Session not found')

function rpcError(status: number, message: string): Response {
  const body = { jsonrpc: '2.0', id: null, error: { code: status === 404 ? -32001 : -32000, message } }
  return Response.json(body, { status })
}

function createSessions() {
  const sessions = new Map<string, { server: McpServer; transport: WebStandardStreamableHTTPServerTransport }>()
  const everybody = (tell: (server: McpServer) => void) => () => sessions.forEach(({ server }) => tell(server))
  const changes = {
    tools: everybody((server) => server.sendToolListChanged()),
    prompts: everybody((server) => server.sendPromptListChanged()),
  }
  const begin = async (request: Request, parsedBody: unknown): Promise<Response> => {
    const server = createEverythingServer(changes)
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: createEventStore(),
      retryInterval: 500,
      onsessioninitialized: (id) => void sessions.set(id, { server, transport }),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await server.connect(transport)
    return transport.handleRequest(request, { parsedBody })
  }
  return async (request: Request, parsedBody: unknown): Promise<Response> => {
    const id = request.headers.get('mcp-session-id')
    if (id !== null) return sessions.get(id)?.transport.handleRequest(request, { parsedBody }) ?? notFound()
    return isInitializeRequest(parsedBody) ? begin(request, parsedBody) : rpcError(400, 'No session')
  }
}

export function createEverythingHttp(): HttpServer {
  const legacy = createSessions()
  const modern = createMcpHandler(
    () =>
      createEverythingServer({
        tools: () => modern.notify.toolsChanged(),
        prompts: () => modern.notify.promptsChanged(),
      }),
    { legacy: 'reject' },
  )
  /** Whoever comes through the router has been looked at there, and this server must not do it again: it would hide a hole. */
  const refusal = (request: Request): Response | undefined =>
    request.headers.has('x-forwarded-prefix')
      ? undefined
      : (hostHeaderValidationResponse(request, localhostAllowedHostnames()) ??
        originValidationResponse(request, localhostAllowedOrigins()))
  const serve = async (request: Request): Promise<Response> => {
    const refused = refusal(request)
    if (refused !== undefined) return refused
    if (request.method !== 'POST') return legacy(request, undefined)
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined)
    return (await isLegacyRequest(request)) ? legacy(request, body) : modern.fetch(request)
  }
  const server = createHttpServer((incoming, outgoing) => {
    if (incoming.url?.split('?')[0] === '/mcp')
      void serveWithFetch(incoming, outgoing, serve).catch(() => outgoing.destroy())
    else outgoing.writeHead(incoming.url === '/health' ? 200 : 404).end()
  })
  // Longer than the router keeps a connection that nobody uses.
  server.keepAliveTimeout = 120_000
  return server
}
