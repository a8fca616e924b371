/** What `/Agent/client/index.mjs` offers. This file is shipped as its types, so it imports nothing. */

export interface ClientOptions {
  /** Socket of the router; by default `PLOINKY_ROUTER_SOCKET`, which every agent is given. */
  socketPath?: string | undefined
  /** Address of the router, for agents that reach it over TCP: `http://127.0.0.1:8088`. Takes the place of the socket. */
  url?: string | undefined
  /** Credential to show there; by default the text of the file that `PLOINKY_CREDENTIAL_FILE` names. */
  credential?: string | undefined
  /** Milliseconds to wait for a router that is being started again (default 10000). */
  connectTimeoutMs?: number | undefined
  /** Name that other agents see as the client (default: `AGENT_NAME`). */
  name?: string | undefined
}

export interface CallOptions {
  /** Milliseconds for the whole call; without it, as long as it takes. */
  timeoutMs?: number | undefined
  /** Aborting cancels the call at the other agent. */
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface Progress {
  progress: number
  total?: number
  message?: string
}

export interface Tool {
  name: string
  title?: string
  description?: string
  inputSchema: Record<string, unknown>
  [key: string]: unknown
}

export interface ToolResult {
  content: { type: string; text?: string; [key: string]: unknown }[]
  structuredContent?: unknown
  /** The tool itself failed, and `content` says why. */
  isError?: boolean
  [key: string]: unknown
}

export interface ResourceResult {
  contents: { uri: string; mimeType?: string; text?: string; blob?: string }[]
  [key: string]: unknown
}

export interface PromptResult {
  description?: string
  messages: { role: string; content: { type: string; text?: string; [key: string]: unknown } }[]
  [key: string]: unknown
}

/** One agent, as the router lets this one see it. */
export interface ConnectedAgent {
  readonly agent: string
  listTools(options?: CallOptions): Promise<Tool[]>
  callTool(tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>
  readResource(uri: string, options?: CallOptions): Promise<ResourceResult>
  getPrompt(name: string, args?: Record<string, string>, options?: CallOptions): Promise<PromptResult>
  /** Any other MCP request. */
  request(method: string, params?: Record<string, unknown>, options?: CallOptions): Promise<Record<string, unknown>>
}

export interface AgentClient {
  connect(agent: string): ConnectedAgent
  listTools(agent: string, options?: CallOptions): Promise<Tool[]>
  callTool(agent: string, tool: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>
  readResource(agent: string, uri: string, options?: CallOptions): Promise<ResourceResult>
  getPrompt(agent: string, name: string, args?: Record<string, string>, options?: CallOptions): Promise<PromptResult>
  /** Ends sessions and connections. A program that is about to end need not call it. */
  close(): Promise<void>
}

/**
 * - `ROUTER_UNREACHABLE`: no router at the socket within `connectTimeoutMs`
 * - `DENIED`: this agent may not call that; the message says how it is granted
 * - `AGENT_NOT_FOUND`, `AGENT_NOT_RUNNING`, ...: codes of the router
 * - `TIMEOUT`, `ABORTED`: the caller's own limit or signal
 * - `CONNECTION_LOST`: the answer broke off; whether the call took effect is not known
 * - `RPC_ERROR`: the other agent answered with a JSON-RPC error, see `rpcCode`
 * - `INPUT_REQUIRED`: the tool asks a person something, which an agent cannot answer
 * - `PROTOCOL_ERROR`: what was answered is not MCP
 */
export type ErrorCode =
  | 'ROUTER_UNREACHABLE'
  | 'DENIED'
  | 'TIMEOUT'
  | 'ABORTED'
  | 'CONNECTION_LOST'
  | 'RPC_ERROR'
  | 'INPUT_REQUIRED'
  | 'PROTOCOL_ERROR'
  | (string & {})
