/** A caller that was identified. Roles grow in later versions; today the operator may do everything. */
export type Permission = 'read' | 'operate' | 'admin'

export interface Principal {
  readonly id: string
  readonly roles: readonly ('viewer' | 'operator' | 'admin')[]
}

const GRANTS: Record<Principal['roles'][number], readonly Permission[]> = {
  viewer: ['read'],
  operator: ['read', 'operate'],
  admin: ['read', 'operate', 'admin'],
}

export const isAllowed = (principal: Principal, permission: Permission): boolean =>
  principal.roles.some((role) => GRANTS[role].includes(permission))
