/** Whose a request is, and what in it has to say the agent's own name instead of the one that the client knows. */
import { objectOf } from '../../../core/json.ts'
import { CODES } from '../../../core/mcp.ts'
import { RpcFailure, invalidParams } from './failure.ts'
import { grantOf } from './granted.ts'
import { type Edit, type Message, rewrite, spanOf, textOf } from './message.ts'
import type { AgentAccess } from '../access.ts'
import type { Principal } from '../../../core/principal.ts'
import type { Found, View } from './view.ts'

export interface Located extends Found {
  /** The message as the agent gets it. */
  readonly text: string
  /** What `Mcp-Name` says, where the method has one. */
  readonly header: string | null
}

/** Methods that are passed on to one agent. */
export const FORWARDED = new Set([
  ...['tools/call', 'prompts/get', 'resources/read', 'completion/complete'],
  ...['resources/subscribe', 'resources/unsubscribe'],
])

interface Place {
  readonly path: readonly string[]
  readonly found: Found
  readonly header: boolean
}

async function placeOf({ method, params }: Message, view: View): Promise<Place> {
  const text = (key: string): string => {
    const value = textOf(params[key])
    if (value === undefined) throw invalidParams(`"params.${key}" is missing`)
    return value
  }
  switch (method) {
    case 'tools/call':
      return { path: ['params', 'name'], found: await view.find('tools', text('name')), header: true }
    case 'prompts/get':
      return { path: ['params', 'name'], found: await view.find('prompts', text('name')), header: true }
    case 'completion/complete':
      return await completionPlace(params, view)
    default: {
      const found = await view.findUri('resources', text('uri'))
      return { path: ['params', 'uri'], found, header: method === 'resources/read' }
    }
  }
}

async function completionPlace(params: Message['params'], view: View): Promise<Place> {
  const { type, name, uri } = objectOf(params['ref'])
  if (type === 'ref/prompt' && typeof name === 'string')
    return { path: ['params', 'ref', 'name'], found: await view.find('prompts', name), header: false }
  if (type === 'ref/resource' && typeof uri === 'string')
    return { path: ['params', 'ref', 'uri'], found: await view.findUri('templates', uri), header: false }
  throw invalidParams('"params.ref" is neither a prompt nor a resource')
}

/**
 * @throws RpcFailure nobody's, not permitted, or ambiguous
 */
export async function locate(
  message: Message,
  { view, access, principal, edits = [] }: { view: View; access: AgentAccess; principal: Principal; edits?: Edit[] },
): Promise<Located> {
  const { path, found, header } = await placeOf(message, view)
  const { agent, name } = found
  if (!access.mayCall(principal, agent, wantedOf(message, name)))
    throw new RpcFailure(200, {
      code: CODES.server,
      message: `You may not call this of agent "${agent}"`,
      data: { code: 'DENIED' },
    })
  // Looked for also when nothing changes: a name that stands twice could be read as another one by the agent.
  const span = spanOf(message.text, path)
  const isSame = span === null || JSON.parse(message.text.slice(span.start, span.end)) === name
  const all = isSame ? edits : [...edits, { ...span, value: name }]
  return {
    agent,
    name,
    header: header ? name : null,
    text: all.length === 0 ? message.text : rewrite(message.text, all),
  }
}

/** As grants name it. */
function wantedOf({ method }: Message, name: string): string | undefined {
  if (method === 'tools/call') return grantOf('tools', name)
  if (method === 'prompts/get') return grantOf('prompts', name)
  return method?.startsWith('resources/') === true ? grantOf('resources', name) : undefined
}
