/** Who may see and call which agent through MCP. */
import { isAllowed, type Principal } from '../../core/principal.ts'

export interface Visibility {
  /** May the caller know that the agent is there, and what it offers? */
  maySee(principal: Principal, agent: string): boolean
  /** May the caller use it; or one tool of it, by the agent's own name for the tool? */
  mayCall(principal: Principal, agent: string, tool?: string): boolean
}

/** People: by their role alone. */
export const visibleByRole: Visibility = {
  maySee: (principal) => isAllowed(principal, 'read'),
  mayCall: (principal) => isAllowed(principal, 'operate'),
}
