import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import { isObject, own } from './check.ts'

/** Who may use a tool: every signed-in caller, other agents, or callers with the role `admin`. */
export const ACCESS = ['authenticated', 'internal', 'admin'] as const
export type Access = (typeof ACCESS)[number]

/** The verified claims of an invocation: the router vouches for the caller with its signature. */
export interface Invocation {
  /** `agent:<name>` or `user:<name>`. */
  readonly sub: string
  readonly roles: readonly string[]
  /** Further claims; tools get them all. */
  readonly [claim: string]: unknown
}

/** Nobody vouches for a caller without an invocation: such a one is signed in, no more. */
export function mayUse(access: Access, invocation: Invocation | null): boolean {
  if (access === 'authenticated') return true
  if (invocation === null) return false
  return access === 'internal' ? invocation.sub.startsWith('agent:') : invocation.roles.includes('admin')
}

/** The way an invocation takes through the MCP library. There is no token in it: none of ours reaches a handler. */
export function toAuthInfo(invocation: Invocation): AuthInfo {
  return { token: '', clientId: invocation.sub, scopes: [...invocation.roles], extra: { invocation } }
}

/** The invocation of the request that is handled, as `toAuthInfo` put it there. */
export function invocationOf(context: ServerContext): Invocation | null {
  const extra = context.http?.authInfo?.extra
  const found = extra === undefined ? undefined : own(extra, 'invocation')
  return isObject(found) && typeof found['sub'] === 'string' ? (found as unknown as Invocation) : null
}
