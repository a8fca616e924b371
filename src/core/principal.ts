/** A caller that was identified. The operator may do everything; agents have no roles, only what they were granted. */
export type Permission = 'read' | 'operate' | 'admin'

export interface Principal {
  readonly id: string
  readonly roles: readonly ('viewer' | 'operator' | 'admin')[]
  /** Id of the browser session that it came by; it is no secret. Absent: by a token. */
  readonly session?: string
}

const GRANTS: Record<Principal['roles'][number], readonly Permission[]> = {
  viewer: ['read'],
  operator: ['read', 'operate'],
  admin: ['read', 'operate', 'admin'],
}

export const isAllowed = (principal: Principal, permission: Permission): boolean =>
  principal.roles.some((role) => GRANTS[role].includes(permission))

const AGENT = 'agent:'

/** Who an agent is when it calls another one. */
export const agentPrincipal = (name: string): Principal => ({ id: `${AGENT}${name}`, roles: [] })

/** Name of the agent that is calling; null: it is none. */
export const callingAgent = ({ id }: Principal): string | null => (id.startsWith(AGENT) ? id.slice(AGENT.length) : null)
