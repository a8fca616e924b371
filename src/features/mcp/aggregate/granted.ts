/** What an agent is told of another one: what it may call there. People are told of all that an agent offers. */
import type { VirtualEndpoint } from '../../../config/documents.ts'
import { callingAgent, type Principal } from '../../../core/principal.ts'
import { grantName } from '../../callers/index.ts'
import type { AgentAccess } from '../access.ts'
import { KINDS, type Kind } from './lists.ts'
import { type Json, textOf } from './message.ts'
import type { ViewOptions } from './view.ts'

type Access = Pick<AgentAccess, 'mayCall'>
type Sources = Pick<ViewOptions, 'list' | 'index'>

const NAMED = { tools: 'tool', prompts: 'prompt', resources: 'resource' } as const

export const grantOf = (kind: Exclude<Kind, 'templates'>, name: string): string => grantName(NAMED[kind], name)

/**
 * Lists and names without what the caller may not call, so that nothing hides or doubles a name that it sees. Templates stay:
 * a resource that was granted may be found by one of them.
 */
export function grantedOnly(all: Sources, access: Access, principal: Principal): Sources {
  if (callingAgent(principal) === null) return all
  const filter = <T>(agent: string, kind: Kind, { items, nameOf }: { items: readonly T[]; nameOf(item: T): string }) =>
    kind === 'templates' || access.mayCall(principal, agent)
      ? items
      : items.filter((item) => access.mayCall(principal, agent, grantOf(kind, nameOf(item))))
  return {
    async list(agent, kind) {
      const listing = await all.list(agent, kind)
      const nameOf = (item: Json): string => textOf(item[KINDS[kind].key]) ?? ''
      const items = filter(agent, kind, { items: listing.items, nameOf })
      // Not to be kept where something was left out: it may be granted in a moment.
      return items.length === listing.items.length ? listing : { items, ttlMs: 0, isPublic: false }
    },
    index: {
      ...all.index,
      names(agent, kind) {
        const items = all.index.names(agent, kind)
        return items === null ? null : filter(agent, kind, { items, nameOf: (name) => name })
      },
    },
  }
}

/** The same of a virtual endpoint: what was chosen for everybody is no grant. */
export function grantedPart(endpoint: VirtualEndpoint, access: Access, principal: Principal): VirtualEndpoint {
  if (callingAgent(principal) === null) return endpoint
  const mayCall = (kind: 'tools' | 'prompts') => (one: { agent: string; name: string }) =>
    access.mayCall(principal, one.agent, grantOf(kind, one.name))
  const [tools, prompts] = [endpoint.tools.filter(mayCall('tools')), endpoint.prompts.filter(mayCall('prompts'))]
  return { ...endpoint, tools, prompts }
}
