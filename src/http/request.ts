/** One parse of the raw request line, used for the decision and for forwarding alike. Pure. */
import { isName } from '../core/id.ts'
import type { McpEndpoint } from './mcp-exchange.ts'

/** What an AgentServer answers beside `/mcp`. */
const TASK_PATHS: ReadonlySet<string> = new Set(['/getTaskStatus', '/task', '/task/cancel'])
const MCP_NAME = /^\/mcp\/([^/]+)$/

/** The MCP endpoint that a path names; null: it names none. */
export function mcpEndpointOf(target: Target): McpEndpoint | null {
  const { agent, path } = target
  if (agent !== null) {
    if (agent.surface !== 'mcps') return null
    if (agent.rest === '/mcp') return { kind: 'agent', agent: agent.name }
    return TASK_PATHS.has(agent.rest) ? { kind: 'tasks', agent: agent.name } : null
  }
  if (path === '/mcp') return { kind: 'aggregate' }
  const name = path.startsWith('/mcp/') ? MCP_NAME.exec(path)?.[1] : undefined
  return name !== undefined && isName(name) ? { kind: 'virtual', name } : null
}

/** Where agents are; below it the first segment is an agent's name and nothing else. */
export const isAgentPath = (path: string): boolean => path.startsWith('/mcps/') || path.startsWith('/services/')

const TERMINAL = /^\/webtty\/([^/]+)\/ws$/

/** The agent whose terminal a path is the socket of; null: it is none. */
export function terminalOf({ path }: Target): string | null {
  const name = path.startsWith('/webtty/') ? TERMINAL.exec(path)?.[1] : undefined
  return name !== undefined && isName(name) ? name : null
}

export interface Target {
  /** Raw path, without the query. */
  readonly path: string
  /** Raw query with its `?`, or ''. */
  readonly query: string
  /** `/mcps/<agent>/…` or `/services/<agent>/…`; the agent's name is literal, never percent-decoded. */
  readonly agent: { readonly surface: 'mcps' | 'services'; readonly name: string; readonly rest: string } | null
}

/** Null: not an origin-form target (`*`, an absolute URL), or one that a browser could take for another host (`//x`). */
export function parseTarget(url: string): Target | null {
  if (!url.startsWith('/') || url.startsWith('//') || url.startsWith('/\\')) return null
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query = mark < 0 ? '' : url.slice(mark)
  return { path, query, agent: agentOf(path) }
}

function agentOf(path: string): Target['agent'] {
  const surface = path.startsWith('/mcps/') ? 'mcps' : path.startsWith('/services/') ? 'services' : null
  if (surface === null) return null
  const start = surface.length + 2
  const slash = path.indexOf('/', start)
  const name = slash < 0 ? path.slice(start) : path.slice(start, slash)
  return isName(name) ? { surface, name, rest: slash < 0 ? '' : path.slice(slash) } : null
}

/** Value of `token` in a raw query, and the query without it (`''` or with its `?`), every other byte kept. */
export function takeToken(query: string): { token: string | null; query: string } {
  if (!query.includes('token=')) return { token: null, query }
  let token: string | null = null
  const kept = query
    .slice(1)
    .split('&')
    .filter((part) => {
      if (!part.startsWith('token=')) return true
      token ??= safeDecode(part.slice('token='.length))
      return false
    })
  return { token, query: kept.length === 0 ? '' : `?${kept.join('&')}` }
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Values of the cookies that `wanted` names, without building a table of the others. */
export function readCookies(header: string | undefined, wanted: (name: string) => boolean): string[] {
  const values: string[] = []
  for (const pair of header?.split(';') ?? []) {
    const equals = pair.indexOf('=')
    if (equals > 0 && wanted(pair.slice(0, equals).trim())) values.push(pair.slice(equals + 1).trim())
  }
  return values
}
