/** The built-in agent `ploinky`: our own commands over MCP, in both eras. */
import { CODES } from '../../../core/mcp.ts'
import {
  createMcpHandler,
  isLegacyRequest,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { createLegacySessions } from '../../../agent/sessions.ts'
import type { Command } from '../../../cli/command.ts'
import { asPloinkyError, toErrorBody } from '../../../core/error.ts'
import { OWN_AGENT } from '../../../core/id.ts'
import type { Logger } from '../../../core/log.ts'
import { isAllowed, type Principal } from '../../../core/principal.ts'
import { inputFromRecord } from '../../../http/command-schema.ts'
import { type OwnTool, ownTools, type RunCommand } from './tools.ts'

export interface OwnServerOptions<S> {
  readonly commands: readonly Command<S>[]
  readonly run: RunCommand<S>
  readonly version: string
  readonly log: Logger
}

export interface OwnServer {
  fetch(principal: Principal, request: Request): Promise<Response>
  close(): Promise<void>
}

const MAX_BODY_BYTES = 1024 * 1024
const MAX_SESSIONS = 256
const IDLE_MS = 30 * 60_000
/** Largest list that a command streams, in items. */
const MAX_ITEMS = 10_000

export function createOwnServer<S>(options: OwnServerOptions<S>): OwnServer {
  const tools = ownTools(options.commands)
  /** One for each caller: its sessions are nobody else's, and its role decides what there is. */
  const served = new Map<string, ReturnType<typeof createLeg>>()

  function createLeg(principal: Principal) {
    const factory = (): Server => createServer(options, { tools, principal })
    const onerror = (error: Error): void => options.log.debug('MCP message refused', { error: error.message })
    return {
      modern: createMcpHandler(factory, { legacy: 'reject', onerror, maxRequestBodySize: MAX_BODY_BYTES }),
      legacy: createLegacySessions({
        createServer: factory,
        maxSessions: MAX_SESSIONS,
        idleMs: IDLE_MS,
        log: (level, message, fields) => options.log[level](message, fields),
        now: () => performance.now(),
      }),
    }
  }

  function legOf(principal: Principal): ReturnType<typeof createLeg> {
    const key = JSON.stringify([principal.id, principal.roles])
    const known = served.get(key) ?? createLeg(principal)
    served.set(key, known)
    return known
  }

  return {
    async fetch(principal, request) {
      const leg = legOf(principal)
      if (request.method !== 'POST') return await leg.legacy.handle(request, { parsedBody: undefined })
      const parsedBody: unknown = await request.json().catch(() => undefined)
      if (parsedBody === undefined) return Response.json(PARSE_ERROR, { status: 400 })
      const isLegacy = await isLegacyRequest(request, parsedBody)
      return isLegacy
        ? await leg.legacy.handle(request, { parsedBody })
        : await leg.modern.fetch(request, { parsedBody })
    },
    async close() {
      await Promise.all([...served.values()].flatMap(({ modern, legacy }) => [modern.close(), legacy.close()]))
    },
  }
}

const PARSE_ERROR = {
  jsonrpc: '2.0',
  id: null,
  error: { code: CODES.parse, message: 'Parse error: the body is not JSON' },
}

function createServer<S>(
  { run, version }: OwnServerOptions<S>,
  { tools, principal }: { tools: readonly OwnTool<S>[]; principal: Principal },
): Server {
  const allowed = tools.filter(({ command }) => isAllowed(principal, command.permission))
  const server = new Server({ name: OWN_AGENT, title: 'Ploinky', version }, { capabilities: { tools: {} } })
  server.setRequestHandler('tools/list', () => ({ tools: allowed.map(({ definition }) => definition) }) as never)
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const tool = allowed.find(({ name }) => name === params.name)
    if (tool === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool "${params.name.slice(0, 100)}"`)
    try {
      const input = inputFromRecord(tool.command, params.arguments ?? {})
      const { signal } = context.mcpReq
      const result = run(tool.command, input, { principal, signal, progress: progressOf(context) })
      const data = isAsyncIterable(result) ? { items: await collect(result) } : await result
      const exit = tool.command.exitCode?.(data) ?? 0
      return { ...content(data), ...(exit === 0 ? {} : { isError: true }) }
    } catch (error) {
      const known = asPloinkyError(error)
      if (known.code === 'INTERNAL') throw error
      return { ...content(toErrorBody(known)), isError: true }
    }
  })
  return server
}

/** Objects are given as such too, for programs. */
function content(data: unknown) {
  const isRecord = typeof data === 'object' && data !== null && !Array.isArray(data)
  return {
    content: [{ type: 'text' as const, text: JSON.stringify(data, null, 2) ?? 'null' }],
    ...(isRecord ? { structuredContent: data as Record<string, unknown> } : {}),
  }
}

function progressOf({ mcpReq }: ServerContext): (text: string) => void {
  const progressToken = mcpReq._meta?.progressToken
  let progress = 0
  return (message) => {
    if (progressToken === undefined) return
    progress += 1
    mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, message } }).catch(() => {})
  }
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

async function collect(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of source) {
    items.push(item)
    if (items.length >= MAX_ITEMS) break
  }
  return items
}
