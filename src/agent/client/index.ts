/**
 * For programs in an agent that call other agents. Node 18 or later, no packages:
 *
 *     import { createAgentClient } from '/Agent/client/index.mjs'
 *     const client = createAgentClient()
 *     const result = await client.callTool('demo', 'add', { a: 1, b: 2 })
 *
 * What an agent may call is said by its manifest ("calls") and by `ploinky grant`.
 */
import { AgentClientError } from './error.ts'
import { createSession, type Session } from './session.ts'
import { createTransport } from './transport.ts'
import type {
  AgentClient,
  CallOptions,
  ClientOptions,
  ConnectedAgent,
  PromptResult,
  ResourceResult,
  Tool,
  ToolResult,
} from './types.ts'

export { AgentClientError }

const AGENT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/
/** Pages of a list that are read; a server that never ends is not followed. */
const MAX_PAGES = 100

export function createAgentClient(options: ClientOptions = {}): AgentClient {
  const transport = createTransport(options)
  const sessions = new Map<string, Session>()
  const name = options.name ?? process.env['AGENT_NAME'] ?? 'agent'

  function sessionOf(agent: string): Session {
    if (!AGENT.test(agent))
      throw new AgentClientError('AGENT_NOT_FOUND', `Not the name of an agent: ${JSON.stringify(agent)}`)
    const known = sessions.get(agent) ?? createSession({ transport, agent, name, depth: process.env['PLOINKY_DEPTH'] })
    sessions.set(agent, known)
    return known
  }

  async function ask(
    agent: string,
    request: { method: string; params: Record<string, unknown> },
    call: CallOptions = {},
  ) {
    const limit = limited(call)
    try {
      return await sessionOf(agent).request(request.method, request.params, { ...call, signal: limit.signal })
    } catch (error) {
      if (limit.timedOut()) throw new AgentClientError('TIMEOUT', `No answer of "${agent}" within ${call.timeoutMs} ms`)
      throw error
    } finally {
      limit.end()
    }
  }

  async function listTools(agent: string, call?: CallOptions): Promise<Tool[]> {
    const tools: Tool[] = []
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const params = typeof cursor === 'string' ? { cursor } : {}
      const result = await ask(agent, { method: 'tools/list', params }, call)
      if (Array.isArray(result['tools'])) tools.push(...(result['tools'] as Tool[]))
      cursor = result['nextCursor']
      if (typeof cursor !== 'string') break
    }
    return tools
  }

  const client: AgentClient = {
    listTools,
    callTool: async (agent, tool, args = {}, call = {}) =>
      (await ask(agent, { method: 'tools/call', params: { name: tool, arguments: args } }, call)) as ToolResult,
    readResource: async (agent, uri, call = {}) =>
      (await ask(agent, { method: 'resources/read', params: { uri } }, call)) as ResourceResult,
    getPrompt: async (agent, prompt, args = {}, call = {}) =>
      (await ask(agent, { method: 'prompts/get', params: { name: prompt, arguments: args } }, call)) as PromptResult,
    connect: (agent): ConnectedAgent => ({
      agent,
      listTools: (call) => client.listTools(agent, call),
      callTool: (tool, args, call) => client.callTool(agent, tool, args, call),
      readResource: (uri, call) => client.readResource(agent, uri, call),
      getPrompt: (prompt, args, call) => client.getPrompt(agent, prompt, args, call),
      request: (method, params = {}, call = {}) => ask(agent, { method, params }, call),
    }),
    async close() {
      await Promise.all([...sessions.values()].map((session) => session.close()))
      sessions.clear()
      transport.close()
    },
  }
  return client
}

/** The caller's signal and time limit as one signal. */
function limited({ signal, timeoutMs }: CallOptions) {
  const control = new AbortController()
  let timedOut = false
  const abort = (): void => control.abort()
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          control.abort()
        }, timeoutMs)
  if (signal?.aborted === true) abort()
  signal?.addEventListener('abort', abort, { once: true })
  return {
    signal: control.signal,
    timedOut: () => timedOut,
    end: () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    },
  }
}
