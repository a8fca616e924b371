/**
 * `/MCPBrowserClient.js`: an MCP client for pages, signed in by the page's own cookie. It speaks the stateless revision
 * where the server does, else the one with sessions. No dependency; nothing is kept beyond the page.
 *
 *     import { createAgentClient } from '/MCPBrowserClient.js'
 *     const demo = createAgentClient('/mcps/demo')
 *     const { content } = await demo.callTool('echo', { text: 'Hello' })
 */
import { createConnection, type Json } from './connection.ts'

export { McpError } from './connection.ts'

export interface CallOptions {
  /** Cancels the call, in the agent too; the promise is rejected with an AbortError. */
  signal?: AbortSignal
  /** Called for each step that the agent reports. */
  onProgress?: (step: { progress: number; total?: number; message?: string }) => void
}

export interface AgentClient {
  /** Finds out what the server speaks and is. The other calls do it by themselves when it was not done. */
  connect(): Promise<{ protocolVersion: string; serverInfo: Json; capabilities: Json }>
  listTools(options?: CallOptions): Promise<Json[]>
  /** The tool's result; `isError` in it tells that the tool failed. Throws McpError when the call itself is refused. */
  callTool(name: string, args?: Json, options?: CallOptions): Promise<Json>
  listResources(options?: CallOptions): Promise<Json[]>
  readResource(uri: string, options?: CallOptions): Promise<Json>
  listPrompts(options?: CallOptions): Promise<Json[]>
  getPrompt(name: string, args?: Record<string, string>, options?: CallOptions): Promise<Json>
  /** Ends what is under way and the session, if there is one. */
  close(): Promise<void>
}

/** Pages of a list that are followed; a server that never ends has a fault. */
const MAX_PAGES = 1000

/** `/mcps/demo` and `/mcps/demo/mcp` are the same; `/mcp` is the endpoint of the whole workspace. */
function endpointOf(baseUrl: string): URL {
  const url = new URL(baseUrl, globalThis.location?.href)
  if (!/\/mcp\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, '')}/mcp`
  url.pathname = url.pathname.replace(/\/$/, '')
  return url
}

export function createAgentClient(baseUrl: string): AgentClient {
  const connection = createConnection(endpointOf(baseUrl).href)

  async function listAll(method: string, key: string, options: CallOptions = {}): Promise<Json[]> {
    const items: Json[] = []
    let cursor: unknown
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const result = await connection.request(method, cursor === undefined ? {} : { cursor }, options)
      if (Array.isArray(result[key])) items.push(...(result[key] as Json[]))
      if (typeof result['nextCursor'] !== 'string' || result['nextCursor'] === cursor) return items
      cursor = result['nextCursor']
    }
    return items
  }

  async function listTools(options?: CallOptions): Promise<Json[]> {
    const tools = await listAll('tools/list', 'tools', options)
    connection.noteTools(tools)
    return tools
  }

  return {
    connect: () => connection.open(),
    listTools,
    async callTool(name, args = {}, options = {}) {
      const call = () => connection.request('tools/call', { name, arguments: args }, options)
      try {
        return await call()
      } catch (error) {
        // The server wants arguments repeated in headers: which ones, its list says.
        if (!connection.needsTools(error)) throw error
        await listTools(options)
        return await call()
      }
    },
    listResources: (options) => listAll('resources/list', 'resources', options),
    readResource: (uri, options = {}) => connection.request('resources/read', { uri }, options),
    listPrompts: (options) => listAll('prompts/list', 'prompts', options),
    getPrompt: (name, args = {}, options = {}) => connection.request('prompts/get', { name, arguments: args }, options),
    close: () => connection.close(),
  }
}
