/** Who may see and call which agent through MCP: people by their role, agents as they were granted. */
import { callingAgent, isAllowed, type Principal } from '../../core/principal.ts'
import type { CallPolicy } from '../callers/index.ts'

export interface Visibility {
  /** May the caller know that the agent is there, and what it offers? */
  maySee(principal: Principal, agent: string): boolean
  /** May the caller use all of it; or one tool (by the agent's own name), `prompt:<name>`, `resource:<uri>`? */
  mayCall(principal: Principal, agent: string, wanted?: string): boolean
}

export function createVisibility(policy: CallPolicy): Visibility {
  const isPerson = (principal: Principal): boolean => callingAgent(principal) === null
  return {
    maySee: (principal, agent) =>
      isPerson(principal) ? isAllowed(principal, 'read') : policy.maySee(principal, agent),
    mayCall: (principal, agent, wanted) =>
      isPerson(principal) ? isAllowed(principal, 'operate') : policy.mayCall(principal, agent, wanted),
  }
}
