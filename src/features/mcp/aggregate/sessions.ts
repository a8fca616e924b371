/** Sessions of clients of the legacy era: bound to who began them, limited in number, ended when nobody uses them. */
import { PloinkyError } from '../../../core/error.ts'
import type { Principal } from '../../../core/principal.ts'
import { sessionNotFound } from './failure.ts'
import { Session, type SessionOptions } from './session.ts'

const MAX_SESSIONS = 1000
const IDLE_MS = 30 * 60_000
const SWEEP_MS = 60_000

export interface Sessions {
  begin(options: Pick<SessionOptions, 'client' | 'endpoint'>): Session
  /** @throws RpcFailure unknown, ended, or somebody else's: all the same to who asks */
  get(id: string, who: { principal: Principal; endpoint: string }): Session
  end(session: Session): void
  all(): IterableIterator<Session>
  close(): void
}

export interface SessionsOptions extends Pick<SessionOptions, 'access' | 'eras' | 'lists' | 'index'> {
  newId(): string
  readonly limits?: { readonly max?: number; readonly idleMs?: number }
  readonly now?: () => number
}

export function createSessions(options: SessionsOptions): Sessions {
  const { max = MAX_SESSIONS, idleMs = IDLE_MS } = options.limits ?? {}
  const now = options.now ?? (() => performance.now())
  const sessions = new Map<string, Session>()
  let sweeper: ReturnType<typeof setInterval> | undefined

  const isIdle = (session: Session): boolean => session.busy === 0

  function sweep(): void {
    for (const session of sessions.values()) if (isIdle(session) && now() - session.usedAt > idleMs) end(session)
  }

  function end(session: Session): void {
    sessions.delete(session.id)
    session.end()
    if (sessions.size > 0) return
    clearInterval(sweeper)
    sweeper = undefined
  }

  /** The one that was quiet for the longest gives its place. */
  function makeRoom(): void {
    if (sessions.size < max) return
    const idle = [...sessions.values()].filter(isIdle).sort((a, b) => a.usedAt - b.usedAt)[0]
    if (idle === undefined)
      throw new PloinkyError('RATE_LIMITED', `All ${max} sessions are in use`, { details: { retryAfterSeconds: 5 } })
    end(idle)
  }

  return {
    begin({ client, endpoint }) {
      makeRoom()
      const { access, eras, lists, index } = options
      const session = new Session({ id: options.newId(), endpoint, client, access, eras, lists, index, now })
      sessions.set(session.id, session)
      if (sweeper === undefined) {
        sweeper = setInterval(sweep, Math.min(SWEEP_MS, idleMs))
        sweeper.unref?.()
      }
      return session
    },
    get(id, { principal, endpoint }) {
      const session = sessions.get(id)
      if (session === undefined || session.principal.id !== principal.id || session.endpoint !== endpoint)
        throw sessionNotFound()
      session.usedAt = now()
      return session
    },
    end,
    all: () => sessions.values(),
    close: () => [...sessions.values()].forEach(end),
  }
}
