/**
 * Sessions of the older protocol at agents that start on demand. A client's session is the router's: it begins while the agent is
 * stopped, and outlives its stops; the agent's own session behind it is opened when it is needed, with what the client said first.
 */
import type { Principal } from '../../../core/principal.ts'

const MAX_SESSIONS = 1000
const IDLE_MS = 30 * 60_000

/** The agent's own session, in one run of the agent. */
interface Upstream {
  readonly run: number
  /** Null: the agent keeps no sessions. */
  readonly id: string | null
}

export interface Session {
  readonly agent: string
  readonly owner: string
  /** Of the client's `initialize`. */
  readonly params: Readonly<Record<string, unknown>>
  upstream: Promise<Upstream> | null
  usedAt: number
}

export interface SessionsOptions {
  newId(): string
  now(): number
}

export function createSessions({ newId, now }: SessionsOptions) {
  const sessions = new Map<string, Session>()

  /** The map keeps the order of last use: the oldest stand first. */
  function sweep(): void {
    const limit = now() - IDLE_MS
    for (const [id, session] of sessions) {
      if (session.usedAt > limit && sessions.size < MAX_SESSIONS) return
      sessions.delete(id)
    }
  }

  return {
    begin(agent: string, principal: Principal, params: Session['params']): { id: string; session: Session } {
      sweep()
      const id = newId()
      const session: Session = { agent, owner: principal.id, params, upstream: null, usedAt: now() }
      sessions.set(id, session)
      return { id, session }
    },
    /** Null: unknown, ended, another agent's or somebody else's; all the same to who asks. */
    find(id: string, agent: string, principal: Principal): Session | null {
      const session = sessions.get(id)
      if (session === undefined || session.agent !== agent || session.owner !== principal.id) return null
      session.usedAt = now()
      sessions.delete(id)
      sessions.set(id, session)
      return session
    },
    end(id: string): void {
      sessions.delete(id)
    },
    size: () => sessions.size,
  }
}

export type Sessions = ReturnType<typeof createSessions>
