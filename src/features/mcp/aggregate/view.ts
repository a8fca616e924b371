/** What an endpoint shows of the agents behind it, under which names, and whose a name is. */
import { CODES } from '../../../core/mcp.ts'
import { RpcFailure, invalidParams } from './failure.ts'
import { KINDS, type Index, type Kind, type Listing } from './lists.ts'
import type { Json } from './message.ts'

export interface Found {
  readonly agent: string
  /** The agent's own name for it. */
  readonly name: string
}

/** Why something is not in a list: `_meta["ploinky/unavailable"]`. */
export interface Problem {
  readonly agent: string
  readonly code: string
  readonly message: string
}

export interface Shown {
  readonly items: readonly Json[]
  readonly problems: readonly Problem[]
}

export interface View {
  /** Those whose lists are needed, in the order of the list. */
  agents(kind: Kind): readonly string[]
  /** What the caller is told of one of them. */
  readonly list: Lister
  show(kind: Kind, lists: ReadonlyMap<string, readonly Json[]>): Shown
  /** @throws RpcFailure nobody's, or more than one's */
  find(kind: 'tools' | 'prompts', name: string): Promise<Found>
  findUri(kind: 'resources' | 'templates', uri: string): Promise<Found>
}

/** Asks an agent for a list; the answer is learnt by the index. */
export type Lister = (agent: string, kind: Kind) => Promise<Listing>

export interface ViewOptions {
  /** Those that the caller may see and that may be part of the endpoint. */
  readonly agents: readonly string[]
  readonly index: Index
  readonly list: Lister
  /** Code for a URI that nobody knows: it differs between the eras. */
  readonly unknownUriCode: number
}

export const SEPARATOR = '__'
const SCHEME = 'ploinky:'

export const prefixed = (agent: string, name: string): string => `${agent}${SEPARATOR}${name}`
/** `ploinky:<agent>/<its own URI>`: valid for every resource, shown where two agents have the same URI. */
export const qualified = (agent: string, uri: string): string => `${SCHEME}${agent}/${uri}`

/** The longest name of an agent counts, where one agent's name begins another's. */
export function splitPrefix(agents: readonly string[], name: string): Found | null {
  const owners = agents.filter((agent) => name.startsWith(`${agent}${SEPARATOR}`))
  const agent = owners.sort((a, b) => b.length - a.length)[0]
  return agent === undefined ? null : { agent, name: name.slice(agent.length + SEPARATOR.length) }
}

export function splitQualified(agents: readonly string[], uri: string): Found | null {
  if (!uri.startsWith(SCHEME)) return null
  const slash = uri.indexOf('/')
  const agent = uri.slice(SCHEME.length, slash)
  return slash > 0 && agents.includes(agent) ? { agent, name: uri.slice(slash + 1) } : null
}

const SINGULAR = { tools: 'tool', prompts: 'prompt', resources: 'resource', templates: 'resource template' } as const

export const unknownName = (kind: Kind, name: string): RpcFailure =>
  invalidParams(`Unknown ${SINGULAR[kind]} "${name.slice(0, 200)}"`)

export const ambiguousName = (kind: Kind, name: string, choices: readonly string[]): RpcFailure =>
  invalidParams(`More than one agent has the ${SINGULAR[kind]} "${name.slice(0, 200)}"`, { choices })

export const unknownUri = (code: number, uri: string): RpcFailure =>
  new RpcFailure(200, { code, message: `Unknown resource "${uri.slice(0, 500)}"`, data: { uri } })

/** Names of a kind by agent, asking those of which nothing is known yet; agents that cannot be asked are left out. */
export async function namesOf(
  { index, list }: ViewOptions,
  kind: Kind,
  { agents, fresh = false }: { agents: readonly string[]; fresh?: boolean },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const entries = await Promise.all(
    agents.map(async (agent): Promise<[string, readonly string[]]> => {
      const known = fresh ? null : index.names(agent, kind)
      if (known !== null) return [agent, known]
      try {
        const { items } = await list(agent, kind)
        return [agent, items.map((item) => String(item[KINDS[kind].key]))]
      } catch (error) {
        if (error instanceof RpcFailure && error.error.code === CODES.methodNotFound) return [agent, []]
        return [agent, index.names(agent, kind) ?? []]
      }
    }),
  )
  return new Map(entries)
}
