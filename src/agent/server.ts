import { createMcpHandler, isJsonContentType, isLegacyRequest, readRequestBody } from '@modelcontextprotocol/server'
import type { Invocation } from './caller.ts'
import { toAuthInfo } from './caller.ts'
import type { AgentConfig } from './config.ts'
import { createGate } from './gate.ts'
import type { Catalog } from './handlers.ts'
import { createServer } from './handlers.ts'
import { jsonRpcError } from './json-rpc.ts'
import { LIMITS } from './limits.ts'
import { createLegacySessions } from './sessions.ts'
import type { AgentLog, ToolRunner } from './types.ts'

export interface AgentMcpServerOptions {
  config: AgentConfig
  /** Port: runs the commands behind tools and resources. */
  run: ToolRunner
  /** Name of the agent; the server introduces itself with it. */
  agent: string
  version?: string
  log: AgentLog
  /**
   * Who is calling, as the router vouches: the verified claims of the request's invocation, null when it carries none.
   * Rejects for a forged, expired or otherwise wrong one, and the request is refused. `body` is the parsed body of a POST, `text`
   * what it was parsed from. Absent (there is no key to verify with): every caller is signed in, and none is an agent or an administrator.
   */
  verifyInvocation?: (request: Request, body: unknown, text: string) => Promise<Invocation | null>
  /** Deviations from `LIMITS`, for embedding and tests. */
  limits?: Partial<Pick<typeof LIMITS, LimitName>> | Partial<Record<LimitName, number>>
  /** Milliseconds on any steady clock. */
  now?: () => number
}

type LimitName = 'requestBytes' | 'sessions' | 'sessionIdleMs' | 'parallelRuns' | 'waitingRuns'

export interface AgentMcpServer {
  /** Serves one request of the MCP endpoint (POST, GET or DELETE), whatever its path. Never rejects. */
  fetch: (request: Request) => Promise<Response>
  /** Ends sessions and calls; their commands are stopped. */
  close: () => Promise<void>
  stats: () => { sessions: number; running: number }
}

/**
 * The MCP server of an agent, for both protocol eras on one URL: revision 2026-07-28 is served statelessly per request,
 * older clients get sessions. Origin, Host and credentials are the router's business and are not checked here.
 */
export function createAgentMcpServer(options: AgentMcpServerOptions): AgentMcpServer {
  const { config, agent, log } = options
  const limits = { ...LIMITS, ...options.limits }
  const now = options.now ?? (() => performance.now())
  const gate = createGate({ parallel: limits.parallelRuns, waiting: limits.waitingRuns })
  const catalog: Catalog = {
    agent,
    version: options.version ?? '0.0.0',
    config,
    tools: new Map(config.tools.map((tool) => [tool.name, tool])),
    prompts: new Map(config.prompts.map((prompt) => [prompt.name, prompt])),
    run: (call) => gate.run(() => options.run(call), call.signal),
    log,
    now,
  }
  const onerror = (error: Error): void => log('debug', 'MCP message refused', { error: error.message })
  const factory = (): ReturnType<typeof createServer> => createServer(catalog)
  const modern = createMcpHandler(factory, { legacy: 'reject', onerror, maxRequestBodySize: limits.requestBytes })
  const legacy = createLegacySessions({
    createServer: factory,
    maxSessions: limits.sessions,
    idleMs: limits.sessionIdleMs,
    log,
    now,
  })
  let closed = false

  const serve = async (request: Request): Promise<Response> => {
    if (closed) return jsonRpcError(503, -32000, { message: 'The agent is stopping' })
    const isPost = request.method === 'POST'
    const body = isPost ? await readJson(request, limits.requestBytes) : { value: undefined, text: '' }
    if (body instanceof Response) return body
    const invocation = await verified(options, request, body)
    if (invocation instanceof Response) return invocation
    const call = { parsedBody: body.value, ...(invocation === null ? {} : { authInfo: toAuthInfo(invocation) }) }
    if (!isPost || (await isLegacyRequest(request, body.value))) return legacy.handle(request, call)
    return modern.fetch(request, call)
  }

  return {
    fetch: async (request) => {
      try {
        return await serve(request)
      } catch (error) {
        const level = request.signal.aborted ? 'debug' : 'error'
        log(level, 'MCP request failed', { error: error instanceof Error ? error.message : String(error) })
        return jsonRpcError(500, -32603, { message: 'Internal error' })
      }
    },
    close: async () => {
      closed = true
      await Promise.all([modern.close(), legacy.close()])
    },
    stats: () => ({ sessions: legacy.size(), running: gate.running() }),
  }
}

/** The caller, or the answer to somebody who pretends to be one. */
async function verified(
  { verifyInvocation, log }: AgentMcpServerOptions,
  request: Request,
  body: { value: unknown; text: string },
): Promise<Invocation | null | Response> {
  if (verifyInvocation === undefined) return null
  try {
    return await verifyInvocation(request, body.value, body.text)
  } catch (error) {
    log('warn', 'Invocation refused', { error: error instanceof Error ? error.message : String(error) })
    return jsonRpcError(401, -32000, { message: 'The invocation of this request is not valid' })
  }
}

/** Reads a JSON body once for both legs; what cannot be read becomes the error answer. */
async function readJson(request: Request, maxBytes: number): Promise<{ value: unknown; text: string } | Response> {
  if (!isJsonContentType(request.headers.get('content-type'))) {
    return jsonRpcError(415, -32000, { message: 'Content-Type must be application/json' })
  }
  const body = await readRequestBody(request, maxBytes)
  if (body.tooLarge) return jsonRpcError(413, -32000, { message: `The request is larger than ${maxBytes} bytes` })
  try {
    return { value: JSON.parse(body.text), text: body.text }
  } catch {
    // Bad syntax, or nested too deeply for the parser: the text itself must not be echoed.
    return jsonRpcError(400, -32700, { message: 'Parse error: the body is not JSON' })
  }
}
