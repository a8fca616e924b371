import { createMcpHandler, isJsonContentType, isLegacyRequest, readRequestBody } from '@modelcontextprotocol/server'
import type { Invocation } from './caller.ts'
import { toAuthInfo } from './caller.ts'
import type { Catalog } from './catalog.ts'
import { changedLists, createOffer } from './catalog.ts'
import { isObject } from './check.ts'
import type { AgentConfig } from './config.ts'
import { createGate } from './gate.ts'
import { createServer } from './handlers.ts'
import { jsonRpcError } from './json-rpc.ts'
import { LIMITS } from './limits.ts'
import { createMemoryTaskStore } from './memory-task-store.ts'
import { createLegacySessions } from './sessions.ts'
import { asksForUnknownTasks, serveTaskRequest } from './task-handlers.ts'
import { TASKS_REQUIRED } from './tasks-extension.ts'
import { createTasks } from './tasks.ts'
import type { AgentLog, TaskStore, ToolRunner } from './types.ts'

export interface AgentMcpServerOptions {
  config: AgentConfig
  /** Port: runs the commands behind tools and resources. */
  run: ToolRunner
  /** Name of the agent; the server introduces itself with it. */
  agent: string
  version?: string
  log: AgentLog
  /** Where tasks are kept; absent: in memory, so they die with this server. */
  taskStore?: TaskStore
  /** Ends the commands of a task that an earlier server began: all that have its id as `PLOINKY_TASK_ID`. */
  endLostTask?: (id: string) => Promise<void>
  /** How much of a task's output is kept when the configuration does not say, in bytes. */
  taskLogTailBytes?: number | undefined
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

type LimitName = 'requestBytes' | 'sessions' | 'sessionIdleMs' | 'parallelRuns' | 'waitingRuns' | 'waitingTasks'

export interface AgentMcpServer {
  /** Serves one request of the MCP endpoint (POST, GET or DELETE), whatever its path. Never rejects. */
  fetch: (request: Request) => Promise<Response>
  /** Serves `/getTaskStatus`, `/task` and `/task/cancel`. Never rejects. */
  fetchTask: (request: Request) => Promise<Response>
  /** Offers another configuration from now on. Sessions and calls go on; clients are told which lists changed. */
  update: (config: AgentConfig) => void
  /** Ends sessions, calls and tasks; their commands are stopped. */
  close: () => Promise<void>
  stats: () => { sessions: number; running: number; tasks: number }
}

/**
 * The MCP server of an agent, for both protocol eras on one URL: revision 2026-07-28 is served statelessly per request,
 * older clients get sessions. Origin, Host and credentials are the router's business and are not checked here.
 */
export function createAgentMcpServer(options: AgentMcpServerOptions): AgentMcpServer {
  const { agent, log } = options
  const limits = { ...LIMITS, ...options.limits }
  const now = options.now ?? (() => performance.now())
  const gate = createGate({ parallel: limits.parallelRuns, waiting: limits.waitingRuns })
  const tasks = createTasks({
    ...{ store: options.taskStore ?? createMemoryTaskStore(), log, limits: options.limits ?? {} },
    endLost: options.endLostTask,
  })
  const catalog: Catalog = {
    ...{ agent, version: options.version ?? '0.0.0', offer: createOffer(options.config), tasks, log, now },
    run: (call) => gate.run(() => options.run(call), call.signal),
    runTask: options.run,
  }
  const onerror = (error: Error): void => log('debug', 'MCP message refused', { error: error.message })
  const modern = createMcpHandler(() => createServer(catalog, 'modern'), {
    ...{ legacy: 'reject', onerror, maxRequestBodySize: limits.requestBytes },
  })
  const legacy = createLegacySessions({
    createServer: () => createServer(catalog, 'legacy'),
    maxSessions: limits.sessions,
    idleMs: limits.sessionIdleMs,
    log,
    now,
  })
  let closed = false

  const take = (config: AgentConfig): void => {
    catalog.offer = createOffer(config)
    tasks.configure({
      parallel: config.maxParallelTasks,
      tailBytes: config.taskLogTailBytes ?? options.taskLogTailBytes,
    })
  }
  take(options.config)
  tasks.recover().catch((error: unknown) => log('error', 'Tasks could not be looked up', { error: String(error) }))

  const serve = async (request: Request): Promise<Response> => {
    if (closed) return jsonRpcError(503, -32000, { message: 'The agent is stopping' })
    const isPost = request.method === 'POST'
    const body = isPost ? await readJson(request, limits.requestBytes) : { value: undefined, text: '' }
    if (body instanceof Response) return body
    const invocation = await verified(options, request, body)
    if (invocation instanceof Response) return invocation
    const call = { parsedBody: body.value, ...(invocation === null ? {} : { authInfo: toAuthInfo(invocation) }) }
    if (!isPost || (await isLegacyRequest(request, body.value))) return legacy.handle(request, call)
    if (asksForUnknownTasks(body.value)) return missingTasks(body.value)
    return modern.fetch(request, call)
  }

  const guarded =
    (handler: (request: Request) => Promise<Response>) =>
    async (request: Request): Promise<Response> => {
      try {
        return await handler(request)
      } catch (error) {
        const level = request.signal.aborted ? 'debug' : 'error'
        log(level, 'MCP request failed', { error: error instanceof Error ? error.message : String(error) })
        return jsonRpcError(500, -32603, { message: 'Internal error' })
      }
    }

  return {
    fetch: guarded(serve),
    fetchTask: guarded(async (request) => {
      const invocation = await verified(options, request, { value: undefined, text: '' })
      return invocation instanceof Response ? invocation : await serveTaskRequest(tasks, request, invocation)
    }),
    update: (config) => {
      const changed = changedLists(catalog.offer.config, config)
      take(config)
      if (changed.tools) modern.notify.toolsChanged()
      if (changed.resources) modern.notify.resourcesChanged()
      if (changed.prompts) modern.notify.promptsChanged()
      legacy.announce(changed)
    },
    close: async () => {
      closed = true
      await Promise.all([modern.close(), legacy.close(), tasks.close()])
    },
    stats: () => ({ sessions: legacy.size(), running: gate.running(), tasks: tasks.active() }),
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

function missingTasks(body: unknown): Response {
  const id = isObject(body) ? body['id'] : null
  const error = { code: -32021, message: 'Missing required client capability', data: TASKS_REQUIRED }
  return Response.json(
    { jsonrpc: '2.0', error, id: typeof id === 'string' || typeof id === 'number' ? id : null },
    { status: 400 },
  )
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
