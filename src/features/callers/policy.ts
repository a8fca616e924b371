/** What agents may call of each other: what their manifests say and what the workspace grants; everything else is refused. */
import type { AgentRecord, Granted } from '../../config/documents.ts'
import { own } from '../../core/id.ts'
import { callingAgent, type Principal } from '../../core/principal.ts'

export interface CallPolicy {
  /** Whether a caller may call anything of an agent, and so learn what it offers. People may; agents as they were granted. */
  maySee(principal: Principal, agent: string): boolean
  /** The same for one tool, or for `prompt:<name>` and `resource:<uri>`. Without `tool`: for everything of the agent. */
  mayCall(principal: Principal, agent: string, tool?: string): boolean
}

export interface PolicySources {
  /** The enabled agents by name. */
  agents(): Readonly<Record<string, AgentRecord>>
  grants(): Readonly<Record<string, Granted>>
}

export function createCallPolicy({ agents, grants }: PolicySources): CallPolicy {
  /** Null: everything; empty: nothing. */
  function toolsOf(caller: string, agent: string): readonly string[] | null {
    const record = own(agents(), caller)
    if (record === undefined) return []
    const granted = own(grants(), caller)
    const isSame = granted?.definition === `${record.repo}/${record.agent}`
    const found = [...(record.calls ?? []), ...(isSame ? granted.calls : [])].filter((call) => call.agent === agent)
    return found.some(({ tools }) => tools === null) ? null : found.flatMap(({ tools }) => tools ?? [])
  }

  return {
    maySee(principal, agent) {
      const caller = callingAgent(principal)
      if (caller === null) return true
      const tools = toolsOf(caller, agent)
      return tools === null || tools.length > 0
    },
    mayCall(principal, agent, tool) {
      const caller = callingAgent(principal)
      if (caller === null) return true
      const tools = toolsOf(caller, agent)
      return tools === null || (tool !== undefined && tools.includes(tool))
    },
  }
}
