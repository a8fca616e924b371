import { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, Server } from '@modelcontextprotocol/server'
import type { ServerContext } from '@modelcontextprotocol/server'
import { clipText, failureText, planRun } from './call.ts'
import { invocationOf, mayUse } from './caller.ts'
import type { Catalog } from './catalog.ts'
import { promptEntry, resourceTexts, toolEntry } from './catalog.ts'
import type { CommandSpec } from './config-entry.ts'
import type { ResourceSpec } from './config.ts'
import { pick } from './fields.ts'
import { LIMITS } from './limits.ts'
import { renderPrompt } from './prompts.ts'
import { callMetadata, clientListener, runCommand, runnerFailure } from './run-command.ts'
import { registerTasks } from './task-handlers.ts'
import { TASKS_EXTENSION } from './tasks-extension.ts'
import { callTool } from './tool-calls.ts'
import type { ToolRun } from './types.ts'

/** A server instance over the shared catalog. The low-level class is used because the lists are built once, not per instance. */
export function createServer(catalog: Catalog, era: 'legacy' | 'modern'): Server {
  const server = new Server(
    { name: catalog.agent, version: catalog.version },
    {
      // Everything is declared, also what there is none of: a changed configuration may bring it to a session that lives.
      capabilities: {
        logging: {},
        tools: { listChanged: true },
        resources: { listChanged: true },
        prompts: { listChanged: true },
        ...(era === 'modern' ? { extensions: { [TASKS_EXTENSION]: {} } } : {}),
      },
    },
  )
  server.setRequestHandler('tools/list', (_request, context) => {
    const invocation = invocationOf(context)
    return { tools: catalog.offer.config.tools.filter(({ access }) => mayUse(access, invocation)).map(toolEntry) }
  })
  server.setRequestHandler('tools/call', (request, context) => callTool(catalog, request.params, context))
  registerResources(server, catalog)
  registerPrompts(server, catalog)
  if (era === 'modern') registerTasks(server, catalog)
  return server
}

function registerResources(server: Server, catalog: Catalog): void {
  const listed = (isTemplate: boolean): ResourceSpec[] =>
    catalog.offer.config.resources.filter((resource) => (resource.template !== undefined) === isTemplate)
  server.setRequestHandler('resources/list', () => ({
    resources: listed(false).map((entry) => ({ uri: entry.uri, ...resourceTexts(entry) })),
  }))
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: listed(true).map((entry) => ({ uriTemplate: entry.uri, ...resourceTexts(entry) })),
  }))
  server.setRequestHandler('resources/read', async (request, context) => {
    const { uri } = request.params
    const found = findResource(catalog.offer.config.resources, uri)
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
    const listener = clientListener(context, catalog)
    const result = await runCommand(catalog.run, plan, { signal: context.mcpReq.signal, listener })
    failure = failureText(result, spec.timeoutMs)
    if (failure === undefined && result.truncated) failure = `The resource is larger than ${LIMITS.stdoutBytes} bytes`
    if (failure === undefined) return result.stdout
  } catch (error) {
    failure = runnerFailure(catalog, error, { resource: name })
  }
  throw new ProtocolError(ProtocolErrorCode.InternalError, failure)
}

function registerPrompts(server: Server, catalog: Catalog): void {
  server.setRequestHandler('prompts/list', () => ({ prompts: catalog.offer.config.prompts.map(promptEntry) }))
  server.setRequestHandler('prompts/get', (request) => {
    const prompt = catalog.offer.prompts.get(request.params.name)
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
