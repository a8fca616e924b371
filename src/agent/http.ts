import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { serveWithFetch } from './node-http.ts'
import type { AgentMcpServer } from './server.ts'
import type { StaticFiles } from './static-files.ts'
import type { AgentLog } from './types.ts'

export interface AgentHttpOptions {
  mcp: AgentMcpServer
  /** Present when the agent has a `public` folder. */
  files?: StaticFiles
  log: AgentLog
}

const HEALTH = JSON.stringify({ ok: true, server: 'ploinky-agent-mcp' })

/** Addresses for whoever holds the id of a task and does not speak MCP. */
const TASK_PATHS = new Set(['/getTaskStatus', '/task', '/task/cancel'])

/** The HTTP face of an agent: `/health`, `/mcp`, its tasks and its page. The caller makes it listen. */
export function createAgentHttp(options: AgentHttpOptions): Server {
  const server = createServer((incoming, outgoing) => {
    route(incoming, outgoing, options).catch((error: unknown) => {
      options.log('error', 'Request failed', { error: error instanceof Error ? error.message : String(error) })
      outgoing.destroy()
    })
  })
  // Longer than the router keeps idle connections, so that it never sends a request into a closing one.
  server.keepAliveTimeout = 120_000
  server.headersTimeout = 30_000
  server.maxHeadersCount = 200
  return server
}

async function route(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { mcp, files }: AgentHttpOptions,
): Promise<void> {
  const path = (incoming.url ?? '/').split('?', 1)[0]
  if (path === '/mcp') return serveWithFetch(incoming, outgoing, mcp.fetch)
  if (path !== undefined && TASK_PATHS.has(path)) return serveWithFetch(incoming, outgoing, mcp.fetchTask)
  if (path === '/health') {
    if (incoming.method === 'GET' || incoming.method === 'HEAD') {
      sendJson(outgoing, { status: 200, body: incoming.method === 'HEAD' ? '' : HEALTH })
      return
    }
    refuse(outgoing, 405, {
      code: 'METHOD_NOT_ALLOWED',
      message: `"/health" answers GET only`,
      headers: { allow: 'GET, HEAD' },
    })
    return
  }
  if (files !== undefined && (await files(incoming, outgoing))) return
  refuse(outgoing, 404, {
    code: 'ROUTE_NOT_FOUND',
    message: 'There is nothing at this address',
    suggestion: 'Use "/mcp" or "/health"',
  })
}

interface Reply {
  status: number
  body: string
  headers?: Record<string, string> | undefined
}

function sendJson(outgoing: ServerResponse, { status, body, headers }: Reply): void {
  outgoing.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }).end(body)
}

function refuse(
  outgoing: ServerResponse,
  status: number,
  error: { code: string; message: string; suggestion?: string; headers?: Record<string, string> },
): void {
  const { code, message, suggestion, headers } = error
  const details = suggestion === undefined ? {} : { suggestion }
  sendJson(outgoing, { status, body: JSON.stringify({ error: { code, message, details } }), headers })
}
