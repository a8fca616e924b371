/** Sessions of the legacy era, of all agents: begun by "initialize", found by an id that only their owner can use. */
import { CODES } from '../../../core/mcp.ts'
import type { Hashing } from '../../../platform/index.ts'
import type { AgentExchange } from '../exchange.ts'
import { messageLimit, refuse } from './http.ts'
import type { Programs } from './program.ts'
import { createSession, type Call, type Session } from './session.ts'

const ID_BYTES = 24

interface Held {
  readonly session: Session
  readonly agent: string
  readonly idleMs: number
}

export interface SessionsOptions {
  readonly programs: Programs
  readonly hash: Hashing
}

export function createSessions({ programs, hash }: SessionsOptions) {
  const held = new Map<string, Held>()
  /** Of each agent, those that are being started too. */
  const counts = new Map<string, number>()

  function count(agent: string, by: 1 | -1): void {
    const left = (counts.get(agent) ?? 0) + by
    if (left > 0) counts.set(agent, left)
    else counts.delete(agent)
  }

  async function begin(call: Call): Promise<void> {
    const { exchange } = call
    const { agent } = exchange
    const program = await programs.find(agent)
    if ((counts.get(agent) ?? 0) >= program.maxSessions)
      return refuse(exchange, {
        status: 503,
        id: call.message.id,
        error: {
          code: CODES.server,
          message: `Agent "${agent}" has ${program.maxSessions} sessions, as many as it may`,
        },
        headers: { 'retry-after': '30' },
      })
    count(agent, 1)
    const id = hash.randomToken(ID_BYTES)
    const session = createSession({
      id,
      principal: exchange.principal.id,
      onEnd: () => {
        held.delete(id)
        count(agent, -1)
      },
    })
    held.set(id, { session, agent, idleMs: program.idleMs })
    const { onMessage, onExit: onEnd } = session
    try {
      const child = await program.start({ limit: messageLimit(exchange), onMessage, onEnd })
      session.attach(child)
      if (exchange.outgoing.destroyed) return await session.end()
    } catch (error) {
      session.onExit('it could not be started')
      throw error
    }
    session.request(call)
  }

  return {
    begin,
    /** Null: there is none of this id for this caller. */
    find({ agent, principal }: AgentExchange, id: string): Session | null {
      const found = held.get(id)
      return found?.agent === agent && found.session.principal === principal.id ? found.session : null
    },
    /** Ends sessions that nobody used for their idle time. */
    async sweep(now: number): Promise<void> {
      const idle = [...held.values()].filter(({ session, idleMs }) => {
        const since = session.idleSince()
        return since !== null && now - since > idleMs
      })
      await Promise.all(idle.map(({ session }) => session.end().catch(() => {})))
    },
    async close(): Promise<void> {
      await Promise.all([...held.values()].map(({ session }) => session.end().catch(() => {})))
    },
  }
}
