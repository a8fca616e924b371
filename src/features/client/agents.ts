/** The running agents, and what each of them offers. */
import type { Client, Tool } from '@modelcontextprotocol/client'
import { asPloinkyError, type ErrorBody, exitCodeOf, PloinkyError, toErrorBody } from '../../core/error.ts'
import { nearest } from '../../core/id.ts'
import type { AgentStatus } from '../agents/index.ts'
import { type ClientServices, type ConnectOptions, withClient } from './connect.ts'
import { isNoMcp } from './errors.ts'

export type Offer = 'tools' | 'resources' | 'prompts'

/** What one agent offers, as it said it. */
export interface Offered {
  readonly agent: string
  readonly items: readonly Record<string, unknown>[]
}

/** An agent that could not be asked. */
interface Failure {
  readonly agent: string
  readonly error: ErrorBody['error']
  /** Exit code that it is worth. */
  readonly exit: number
}

export interface Listing {
  readonly offered: readonly Offered[]
  readonly failures: readonly Failure[]
}

/** Every enabled agent, as the running router sees it. */
export async function agentStates({ client }: Pick<ClientServices, 'client'>): Promise<readonly AgentStatus[]> {
  return ((await client.get('/status')) as { agents: readonly AgentStatus[] }).agents
}

/** Those that can be asked. */
export const isRunning = ({ mcpUrl, state }: AgentStatus): boolean =>
  mcpUrl !== null && state !== 'stopped' && state !== 'failed'

/** Nothing for what the agent does not offer at all: asking would be an error. Pages are followed by the SDK. */
async function itemsOf(client: Client, offer: Offer, options: ConnectOptions): Promise<Offered['items']> {
  const request = { signal: options.signal, timeout: options.timeoutMs }
  if (client.getServerCapabilities()?.[offer] === undefined) return []
  if (offer === 'tools') return (await client.listTools(undefined, request)).tools
  if (offer === 'prompts') return (await client.listPrompts(undefined, request)).prompts
  const [{ resources }, templates] = await Promise.all([
    client.listResources(undefined, request),
    // Older servers know no templates.
    client.listResourceTemplates(undefined, request).catch(() => ({ resourceTemplates: [] })),
  ])
  return [...resources, ...templates.resourceTemplates]
}

/** What one agent offers; an error is thrown. */
export async function listOne(
  services: ClientServices,
  offer: Offer,
  target: { agent: string } & ConnectOptions,
): Promise<Offered> {
  const items = await withClient(services, target, (client) => itemsOf(client, offer, target))
  return { agent: target.agent, items }
}

/** What all running agents offer. One that fails is one of the results; one without MCP is left out. */
export async function listAll(services: ClientServices, offer: Offer, options: ConnectOptions): Promise<Listing> {
  const running = (await agentStates(services)).filter(isRunning)
  const offered: Offered[] = []
  const failures: Failure[] = []
  await Promise.all(
    running.map(async ({ name: agent }) => {
      try {
        offered.push(await listOne(services, offer, { agent, ...options }))
      } catch (error) {
        options.signal.throwIfAborted()
        const told = asPloinkyError(error)
        if (!isNoMcp(told)) failures.push({ agent, error: toErrorBody(told).error, exit: exitCodeOf(told) })
      }
    }),
  )
  const byName = (a: { agent: string }, b: { agent: string }): number => (a.agent < b.agent ? -1 : 1)
  return { offered: offered.sort(byName), failures: failures.sort(byName) }
}

/** The only running agent that has a tool; else what there is, or which of them to choose. */
export async function agentOfTool(services: ClientServices, tool: string, options: ConnectOptions): Promise<string> {
  const { offered, failures } = await listAll(services, 'tools', options)
  const having = offered.filter(({ items }) => items.some(({ name }) => name === tool)).map(({ agent }) => agent)
  const [first, ...more] = having
  if (first !== undefined && more.length === 0) return first
  if (first !== undefined) {
    throw new PloinkyError('AGENT_AMBIGUOUS', `Several agents have a tool "${tool}": ${having.join(', ')}`, {
      hint: `Choose one: ploinky client tool ${tool} --agent ${first}`,
      details: { tool, agents: having },
    })
  }
  // Whether the one that could not be asked has it is not known.
  const [failed] = failures
  if (failed !== undefined) {
    const { code, message, details } = failed.error
    throw new PloinkyError(code, `Whether agent "${failed.agent}" has a tool "${tool}" cannot be seen: ${message}`, {
      ...(details.suggestion === undefined ? {} : { hint: details.suggestion }),
    })
  }
  const available = offered.flatMap(({ items }) => items.map(({ name }) => String(name)))
  throw notFound('tool', { name: tool, who: 'No running agent has', available })
}

type Named = 'tool' | 'prompt'

function notFound(kind: Named, missing: { name: string; who: string; available: readonly string[] }): PloinkyError {
  const { name, who, available } = missing
  const near = nearest(name, available)
  const list = `Run: ploinky client list ${kind}s`
  return new PloinkyError('TOOL_NOT_FOUND', `${who} a ${kind} "${name}"`, {
    hint: near === null ? list : `Did you mean "${near}"? ${list}`,
    details: { [kind]: name, available: available.slice(0, 100) },
  })
}

interface Wanted extends ConnectOptions {
  readonly agent: string
  readonly name: string
}

async function named(client: Client, kind: Named, { name, ...target }: Wanted): Promise<Record<string, unknown>> {
  const items = await itemsOf(client, `${kind}s`, target)
  const found = items.find((item) => item['name'] === name)
  if (found !== undefined) return found
  const names = items.map((item) => String(item['name']))
  throw notFound(kind, { name, who: `Agent "${target.agent}" has not`, available: names })
}

/** The tool of a connected agent; TOOL_NOT_FOUND names the nearest one. */
export const toolOf = async (client: Client, wanted: Wanted): Promise<Tool> =>
  (await named(client, 'tool', wanted)) as Tool

/** TOOL_NOT_FOUND unless the connected agent has a prompt of that name. */
export async function checkPrompt(client: Client, wanted: Wanted): Promise<void> {
  await named(client, 'prompt', wanted)
}
