/** Agents as callers, in the router: who they are, what they may ask for, and the sockets that they ask by. */
import type { WorkspacePaths } from '../../config/paths.ts'
import type { EventBus } from '../../core/events.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import { agentPrincipal, type Principal } from '../../core/principal.ts'
import type { createAgentGuard } from '../../http/agent-guard.ts'
import type { Guard } from '../../http/guard.ts'
import type { IncomingMessage, Platform, ServerHandlers } from '../../platform/index.ts'
import {
  claimedAgent,
  createCallGate,
  createCallPolicy,
  createDoors,
  createInvocations,
  createKeyRing,
} from '../callers/index.ts'
import type { RouteTableHandle } from './table.ts'

export interface CallerOptions {
  platform: Platform
  paths: WorkspacePaths
  events: EventBus
  log: Logger
  agentSecret(): Promise<string>
  http: { createAgentGuard: typeof createAgentGuard }
}

export async function openCallers(options: CallerOptions, table: RouteTableHandle) {
  const { platform, paths, events, log } = options
  const keys = createKeyRing(await options.agentSecret(), platform.hash)
  const policy = createCallPolicy(table)
  const invocations = createInvocations({
    hash: platform.hash,
    keyOf(agent) {
      const record = own(table.agents(), agent)
      return record === undefined ? null : keys.keysOf(agent, record).invocation
    },
  })
  return {
    policy,
    gate: createCallGate({ policy, invocations, events, log }),
    vouch: invocations.unbound,
    /** The agent that a credential is of, or null. */
    verify({ kind, value }: { kind: string; value: string }): Principal | null {
      const name = kind === 'bearer' ? claimedAgent(value) : null
      const record = name === null ? undefined : own(table.agents(), name)
      if (name === null || record === undefined) return null
      return platform.hash.equal(value, keys.keysOf(name, record).credential) ? agentPrincipal(name) : null
    },
    openDoors(createFront: (guard: Guard) => ServerHandlers) {
      let ownerOf: (incoming: IncomingMessage) => string | null = () => null
      const front = createFront(options.http.createAgentGuard((incoming) => ownerOf(incoming)))
      const server = platform.net.serveSockets(front)
      ownerOf = server.ownerOf
      const doors = createDoors({ fs: platform.fs, paths, log, server, keys })
      const follow = (): void => void doors.follow(table.agents())
      follow()
      return { follow, close: server.close }
    },
  }
}
