/** Who calls by an agent's own socket: that agent, whatever else the request says. */
import { agentPrincipal } from '../core/principal.ts'
import type { IncomingMessage } from '../platform/index.ts'
import type { Guard } from './guard.ts'
import { takeToken } from './request.ts'

/** `ownerOf` names the agent whose socket a request came by; null: nobody's. */
export function createAgentGuard(ownerOf: (incoming: IncomingMessage) => string | null): Guard {
  return {
    // No cookie of ours has business there, under any name.
    isOurs: () => true,
    identify(incoming, target) {
      const owner = ownerOf(incoming)
      const { query } = takeToken(target.query)
      const principal = owner === null ? null : agentPrincipal(owner)
      return { principal, via: principal === null ? null : 'bearer', query, queryToken: null, site: null, host: '' }
    },
  }
}
