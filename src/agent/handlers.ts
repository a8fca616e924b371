import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, Server } from '@modelcontextprotocol/server'
import type { ServerContext } from '@modelcontextprotocol/server'
import { checkArguments } from './arguments.ts'
import type { CallOutcome } from './call.ts'
import { invocationOf } from './caller.ts'
import { clipText, failureText, planRun, toolOutcome } from './call.ts'
import type { JsonObject } from './check.ts'
import type { CommandSpec } from './config-entry.ts'
import type { AgentConfig, ResourceSpec, ToolSpec } from './config.ts'
import { pick } from './fields.ts'
import { BusyError } from './gate.ts'
import { LIMITS } from './limits.ts'
import type { PromptSpec } from './prompts.ts'
import { renderPrompt } from './prompts.ts'
import { createProgressReporter, readStderrLine } from './stderr.ts'
import type { AgentLog, ToolRun, ToolRunner, ToolRunResult } from './types.ts'

/** What every instance of the MCP server shares; instances themselves are cheap and live for a session or a request. */
export interface Catalog {
  agent: string
  version: string
  config: AgentConfig
  tools: ReadonlyMap<string, ToolSpec>
  prompts: ReadonlyMap<string, PromptSpec>
  /** Runs a command when there is a place for it. */
  run: ToolRunner
  log: AgentLog
  now: () => number
}

/** Request headers that a tool may see: identity set by the router and tracing, never credentials or cookies. */
const SHOWN_HEADERS =
  /^(x-ploinky-(?!.*(token|secret|key|invocation|jwt)).*|x-request-id|traceparent|tracestate|user-agent)$/

/** A server instance over the shared catalog. The low-level class is used because the lists are built once, not per instance. */
export function createServer(catalog: Catalog): Server {
  const { config } = catalog
  const server = new Server(
    { name: catalog.agent, version: catalog.version },
    {
      capabilities: {
        logging: {},
        tools: {},
        ...(config.resources.length > 0 ? { resources: {} } : {}),
        ...(config.prompts.length > 0 ? { prompts: {} } : {}),
      },
    },
  )
  server.setRequestHandler('tools/list', () => ({ tools: config.tools.map(toolEntry) }))
  server.setRequestHandler('tools/call', (request, context) => callTool(catalog, request.params, context))
  if (config.resources.length > 0) registerResources(server, catalog)
  if (config.prompts.length > 0) registerPrompts(server, catalog)
  return server
}

function toolEntry(tool: ToolSpec) {
  const { name, title, description, annotations } = tool
  return {
    name,
    inputSchema: { ...tool.input.json, type: 'object' as const },
    ...pick({ title, description, annotations }),
  }
}

async function callTool(
  catalog: Catalog,
  params: { name: string; arguments?: Record<string, unknown> | undefined },
  context: ServerContext,
): Promise<CallOutcome & { metadata: JsonObject }> {
  const tool = catalog.tools.get(params.name)
  if (tool === undefined)
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool "${clipText(params.name)}"`)
  const metadata = { agent: catalog.agent }
  const checked = checkArguments(tool.input, params.arguments)
  if (!checked.ok) return { ...toolError(checked.message), metadata }
  const started = catalog.now()
  try {
    const payload = { tool: tool.name, input: checked.value, metadata: callMetadata(catalog, context) }
    const plan = planRun(tool, { name: tool.name, arguments: checked.value, payload })
    const result = await runCommand(catalog, plan, context)
    const took = Math.round(catalog.now() - started)
    catalog.log('info', 'Tool call ended', {
      tool: tool.name,
      exitCode: result.exitCode,
      timedOut: result.timedOut,
      durationMs: took,
    })
    return { ...toolOutcome(result, plan.timeoutMs), metadata }
  } catch (error) {
    return { ...toolError(runnerFailure(catalog, error, { tool: tool.name })), metadata }
  }
}

function toolError(message: string): CallOutcome {
  return { content: [{ type: 'text', text: clipText(message) }], isError: true }
}

/** What a caller learns when the runner itself failed: the reason stays in the agent's log. */
function runnerFailure(catalog: Catalog, error: unknown, fields: Record<string, unknown>): string {
  if (error instanceof BusyError) return error.message
  catalog.log('error', 'Command could not be run', {
    ...fields,
    error: error instanceof Error ? error.message : String(error),
  })
  return 'The command could not be run; see the log of the agent'
}

/** Runs a command and turns what it says on standard error into progress and log notifications of this call. */
async function runCommand(
  catalog: Catalog,
  plan: Omit<ToolRun, 'signal'>,
  context: ServerContext,
): Promise<ToolRunResult> {
  const { mcpReq } = context
  const token = mcpReq._meta?.progressToken
  const progress = createProgressReporter(async (report) => {
    if (token === undefined) return
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, ...report } })
  }, catalog.now)
  let logLines = 0
  const onStderrLine = (text: string): boolean => {
    const line = readStderrLine(text)
    if (line.kind === 'progress') progress.report(line.progress)
    if (line.kind === 'log' && ++logLines <= LIMITS.logLinesPerCall) {
      // A client that left, or an era without logging, is no reason to fail the tool.
      mcpReq.log(line.level, line.data, catalog.agent).catch(() => undefined)
    }
    return line.kind === 'progress'
  }
  const result = await catalog.run({ ...plan, signal: mcpReq.signal, onStderrLine })
  await progress.flush()
  return result
}

function callMetadata(catalog: Catalog, context: ServerContext): JsonObject {
  const headers: [string, string][] = []
  context.http?.req?.headers.forEach((value, name) => {
    if (SHOWN_HEADERS.test(name)) headers.push([name, value])
  })
  return {
    agent: catalog.agent,
    requestId: context.mcpReq.id,
    ...pick({ sessionId: context.sessionId, invocation: invocationOf(context) ?? undefined }),
    requestInfo: { headers: Object.fromEntries(headers) },
  }
}

function registerResources(server: Server, catalog: Catalog): void {
  const plain = catalog.config.resources.filter((resource) => resource.template === undefined)
  const templates = catalog.config.resources.filter((resource) => resource.template !== undefined)
  const texts = ({ name, title, description, mimeType }: ResourceSpec) => ({
    name,
    mimeType,
    ...pick({ title, description }),
  })
  server.setRequestHandler('resources/list', () => ({
    resources: plain.map((entry) => ({ uri: entry.uri, ...texts(entry) })),
  }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: templates.map((entry) => ({ uriTemplate: entry.uri, ...texts(entry) })),
  }))
  server.setRequestHandler('resources/read', async (request, context) => {
    const { uri } = request.params
    const found = findResource(catalog.config.resources, uri)
    if (found === undefined) throw new ResourceNotFoundError(uri)
    const { resource, params } = found
    const payload = { resource: resource.name, uri, ...pick({ params }), metadata: callMetadata(catalog, context) }
    const plan = planRun(resource, { name: resource.name, arguments: { uri, ...params }, payload })
    const text = await readResource(catalog, { spec: resource, plan, name: resource.name }, context)
    return { contents: [{ uri, mimeType: resource.mimeType, text }] }
  })
}

function findResource(
  resources: readonly ResourceSpec[],
  uri: string,
): { resource: ResourceSpec; params?: Record<string, string> } | undefined {
  const exact = resources.find((resource) => resource.template === undefined && resource.uri === uri)
  if (exact !== undefined) return { resource: exact }
  for (const resource of resources) {
    const params = resource.template?.match(uri)
    if (params !== undefined) return { resource, params }
  }
  return undefined
}

/** Resources have no place for errors in their result, so a failing command is a JSON-RPC error. */
async function readResource(
  catalog: Catalog,
  { spec, plan, name }: { spec: CommandSpec; plan: Omit<ToolRun, 'signal'>; name: string },
  context: ServerContext,
): Promise<string> {
  let failure: string | undefined
  try {
    const result = await runCommand(catalog, plan, context)
    failure = failureText(result, spec.timeoutMs)
    if (failure === undefined && result.truncated) failure = `The resource is larger than ${LIMITS.stdoutBytes} bytes`
    if (failure === undefined) return result.stdout
  } catch (error) {
    failure = runnerFailure(catalog, error, { resource: name })
  }
  throw new ProtocolError(ProtocolErrorCode.InternalError, failure)
}

function registerPrompts(server: Server, catalog: Catalog): void {
  const prompts = catalog.config.prompts.map((prompt) => ({
    name: prompt.name,
    ...pick({ title: prompt.title, description: prompt.description }),
    ...(prompt.arguments.length > 0 ? { arguments: prompt.arguments } : {}),
  }))
  server.setRequestHandler('prompts/list', () => ({ prompts }))
  server.setRequestHandler('prompts/get', (request) => {
    const prompt = catalog.prompts.get(request.params.name)
    if (prompt === undefined)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown prompt "${clipText(request.params.name)}"`)
    const messages = renderPrompt(prompt, request.params.arguments ?? {})
    if (typeof messages === 'string') throw new ProtocolError(ProtocolErrorCode.InvalidParams, messages)
    return {
      ...pick({ description: prompt.description }),
      messages: messages.map(({ role, text }) => ({ role, content: { type: 'text' as const, text } })),
    }
  })
}
