/** How an agent speaks MCP, and what it may call of others. */
import { isName } from '../../core/id.ts'
import { childPath } from '../../core/json.ts'
import { show, type Problem } from '../check.ts'
import type { Raw } from './schema.ts'
import { textProblem } from './text.ts'
import type { CallGrant, McpSpeech, McpWay } from './types.ts'
import { splitWords } from './words.ts'

/** As long as bridges in the field keep a session that nobody ended. */
const SESSION_IDLE_SECONDS = 1800
const MAX_GRANTS = 200

function argvOf(command: string | readonly string[] | undefined, problems: Problem[]): readonly string[] {
  const path = 'mcp.command'
  const split = typeof command === 'string' ? splitWords(command) : { words: command ?? [], closed: true }
  if (!split.closed) problems.push({ path, message: 'a quote is not closed' })
  if (split.words.length === 0 || split.words[0] === '')
    problems.push({ path, message: 'expected the program that speaks MCP on its standard streams, and its arguments' })
  const problem = split.words.map(textProblem).find((message) => message !== null)
  if (problem !== undefined) problems.push({ path, message: problem })
  return split.words
}

export function speechOf(raw: Raw, problems: Problem[]): McpSpeech {
  const after = raw.mcp?.taskAfterSeconds
  return { ...wayOf(raw, problems), ...(after === undefined ? {} : { taskAfterSeconds: after }) }
}

function wayOf({ mcp = {} }: Raw, problems: Problem[]): McpWay {
  if (mcp.transport === 'stdio') {
    for (const key of ['port', 'path'] as const)
      if (mcp[key] !== undefined) problems.push({ path: `mcp.${key}`, message: 'belongs to transport "http"' })
    const idleSeconds = mcp.idleSeconds ?? SESSION_IDLE_SECONDS
    return { transport: 'stdio', argv: argvOf(mcp.command, problems), idleSeconds }
  }
  if (mcp.command !== undefined)
    problems.push({
      path: 'mcp.command',
      message: 'belongs to transport "stdio"; a server of its own starts with "agent"',
    })
  const { path = '/mcp' } = mcp
  if (!/^\/[\x21\x22\x24-\x7e]*$/.test(path) || path.startsWith('//'))
    problems.push({ path: 'mcp.path', message: `expected a path like "/mcp", found ${show(path)}` })
  return { transport: 'http', port: mcp.port ?? null, path }
}

export function callsOf({ calls }: Raw, problems: Problem[]): CallGrant[] {
  if (calls === undefined) return []
  const grants = Array.isArray(calls)
    ? calls.map((text, index) => grantOf(text, childPath('calls', index)))
    : Object.entries(calls).map(([agent, tools]) => ({
        agent,
        tools: tools === '*' ? null : tools,
        path: childPath('calls', agent),
      }))
  if (grants.length > MAX_GRANTS) problems.push({ path: 'calls', message: `more than ${MAX_GRANTS} entries` })
  for (const { agent, path } of grants)
    if (!isName(agent)) problems.push({ path, message: `expected the name of an agent, found ${show(agent)}` })
  return grants
}

/** `agent`, or `agent/tool`. */
function grantOf(text: string, path: string): CallGrant {
  const slash = text.indexOf('/')
  if (slash < 0) return { agent: text, tools: null, path }
  return { agent: text.slice(0, slash), tools: [text.slice(slash + 1)], path }
}
