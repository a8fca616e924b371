/** All terminals of the router: who may open, join and end them, how many there are, and for how long. */
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import { isAllowed, type Principal } from '../../core/principal.ts'
import type { Hashing, WebSocketPeer } from '../../platform/index.ts'
import type { TerminalLibrary } from './library.ts'
import type { OpenRequest } from './messages.ts'
import type { Peer } from './peer.ts'
import { createSession, type Session } from './session.ts'

/** Where the terminals of an agent are made. */
export interface TerminalTarget {
  readonly agent: string
  readonly adapter: RuntimeAdapter
  readonly workload: Workload
  /** argv of its own interactive program. */
  readonly cli: readonly string[]
}

export interface ManagerOptions {
  readonly hash: Hashing
  readonly events: EventBus
  readonly log: Logger
  readonly library: TerminalLibrary
  readonly scrollback: number
  /** Programs that may be run beside `cli` and `shell`; `*`: any. */
  readonly commands: readonly string[]
  /** AGENT_NOT_FOUND, AGENT_NOT_RUNNING. */
  target(agent: string): Promise<TerminalTarget>
}

export interface Joined {
  readonly session: Session
  readonly peer: Peer
}

export interface AttachRequest {
  readonly agent: string
  readonly request: OpenRequest
  readonly principal: Principal | null
  readonly link: WebSocketPeer
}

export function createManager(options: ManagerOptions) {
  const { hash, events, log } = options
  const sessions = new Map<string, Session>()

  function allowed(principal: Principal | null): Principal {
    if (principal === null) {
      throw new PloinkyError('UNAUTHENTICATED', 'Sign in first', { hint: 'Run: ploinky open' })
    }
    if (isAllowed(principal, 'operate')) return principal
    throw new PloinkyError('DENIED', 'Terminals need the role operator or admin')
  }

  function find(id: string): Session {
    const session = sessions.get(id)
    if (session !== undefined) return session
    throw new PloinkyError('SESSION_NOT_FOUND', 'This terminal has ended', { hint: 'Run: ploinky terminals' })
  }

  async function open({ agent, request }: AttachRequest, principal: Principal): Promise<Session> {
    const target = await options.target(agent)
    const id = hash.randomToken(9)
    const { argv, words } = commandOf(request.command, { target, allowed: options.commands })
    const { cols, rows } = request
    const tty = await target.adapter.openTty(target.workload.name, argv, { cols, rows })
    const session = createSession({
      ...{ id, agent, tty, log, command: words, size: { cols, rows } },
      ...{ library: options.library, scrollback: options.scrollback, name: request.name ?? `${agent} ${words}` },
    })
    sessions.set(id, session)
    const about = { session: id, command: words }
    events.emit({ type: 'terminal.opened', subject: agent, principal: principal.id, data: about })
    session.closed
      .catch((error: unknown) => void log.warn('a terminal failed', { session: id, error }))
      .finally(() => {
        sessions.delete(id)
        events.emit({ type: 'terminal.closed', subject: agent, data: about })
      })
    return session
  }

  async function attach(given: AttachRequest): Promise<Joined> {
    const { agent, request, link } = given
    const principal = allowed(given.principal)
    const session = request.session === null ? await open(given, principal) : find(request.session)
    if (session.agent !== agent) throw new PloinkyError('SESSION_NOT_FOUND', `Agent "${agent}" has no such terminal`)
    const { cols, rows } = request
    const peer = session.join({
      id: hash.randomToken(6),
      name: principal.id,
      role: 'owner',
      link,
      size: { cols, rows },
    })
    return { session, peer }
  }

  return {
    attach,
    list: () => [...sessions.values()].map((session) => session.view()),
    find,
    async close() {
      await Promise.allSettled([...sessions.values()].map((session) => session.end()))
    },
  }
}

export type TerminalManager = ReturnType<typeof createManager>

/** What is run: the agent's program, a shell, or what the policy allows besides. */
function commandOf(
  command: string | null,
  { target, allowed }: { target: TerminalTarget; allowed: readonly string[] },
): { argv: readonly string[]; words: string } {
  if (command === null || command === 'cli') return { argv: target.cli, words: 'cli' }
  if (command === 'shell') return { argv: ['sh'], words: 'shell' }
  if (allowed.includes(command) || allowed.includes('*')) return { argv: [command], words: command }
  throw new PloinkyError('DENIED', `Command "${command.slice(0, 80)}" may not be run in a terminal of the web`, {
    hint: 'Use cli or shell, or allow it: ploinky config terminalCommands NAME',
  })
}
