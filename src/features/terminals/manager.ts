/** All terminals of the router: who may open, join and end them, how many there are, and for how long. */
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { messageOf, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { typedId } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import { isAllowed, type Principal } from '../../core/principal.ts'
import type { Hashing, WebSocketPeer } from '../../platform/index.ts'
import { commandOf } from './command-of.ts'
import type { createLeftovers } from './leftovers.ts'
import type { TerminalLibrary } from './library.ts'
import type { OpenRequest } from './messages.ts'
import type { Peer } from './peer.ts'
import { CLOSE, type TtyRole, type TtyServerMessage } from './protocol.ts'
import type { Recorder } from './recorder.ts'
import { createSession, type RecordingRequest, type Session } from './session.ts'
import type { createShares, Share } from './shares.ts'

/** Where the terminals of an agent are made. */
export interface TerminalTarget {
  readonly agent: string
  readonly adapter: RuntimeAdapter
  readonly workload: Workload
  /** argv of its own interactive program. */
  readonly cli: readonly string[]
  /** It is in use until the returned function is called. */
  use(): () => void
}

export interface TerminalLimits {
  readonly scrollback: number
  /** Programs that may be run beside `cli` and `shell`; `*`: any. */
  readonly commands: readonly string[]
  /** Open terminals, in all and of one agent. */
  readonly most: number
  readonly mostOfAgent: number
  /** Seconds: without a viewer, and altogether (0: no end). */
  readonly detachedSeconds: number
  readonly totalSeconds: number
}

export interface ManagerOptions {
  readonly hash: Hashing
  readonly events: EventBus
  readonly log: Logger
  readonly library: TerminalLibrary
  readonly limits: TerminalLimits
  readonly shares: ReturnType<typeof createShares>
  readonly leftovers: ReturnType<typeof createLeftovers>
  record(request: RecordingRequest): Promise<Recorder>
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

const MOST_VIEWERS = 50
const LOOK_MS = 1000

export type TerminalManager = ReturnType<typeof createManager>

export function createManager(options: ManagerOptions) {
  const { hash, events, log, limits, shares, leftovers } = options
  const sessions = new Map<string, Session>()
  /** Terminals that are being opened, by agent. */
  const opening: string[] = []
  /** Links by which connections came in. */
  const cameBy = new Map<Peer, Share>()
  /** Those whose time is up; they are told once. */
  const told = new WeakSet<Session>()
  const timer = setInterval(look, LOOK_MS)
  timer.unref?.()

  function look(): void {
    const now = Date.now()
    for (const session of sessions.values()) {
      const isLeft = session.detachedAt !== null && now - session.detachedAt > limits.detachedSeconds * 1000
      const isOld = limits.totalSeconds > 0 && now - session.startedAt > limits.totalSeconds * 1000
      if (isOld && !told.has(session)) session.tell(tooOld(limits.totalSeconds))
      if (isOld) told.add(session)
      if (isLeft || isOld) end(session, isLeft ? 'nobody looked at it' : 'it reached its longest time')
    }
    dropShares(shares.expired())
  }

  function end(session: Session, reason: string): void {
    log.info('terminal ends', { session: session.id, agent: session.agent, reason })
    session
      .end()
      .catch((error: unknown) => log.warn('terminal not ended', { session: session.id, error: messageOf(error) }))
  }

  function dropShares(gone: readonly Share[]): void {
    for (const [peer, share] of cameBy) {
      if (!gone.includes(share)) continue
      peer.control({
        ...{ type: 'error', code: 'UNAUTHENTICATED', message: 'This link has expired, or was taken back' },
        hint: 'Ask for a new one, or sign in: ploinky open',
      })
      peer.link.close(CLOSE.unauthenticated, 'link ended')
    }
  }

  function checkRoom(agent: string): void {
    const of = [...[...sessions.values()].map((session) => session.agent), ...opening]
    const isFull = of.length >= limits.most
    if (!isFull && of.filter((name) => name === agent).length < limits.mostOfAgent) return
    const most = isFull ? `${limits.most} terminals are open` : `${limits.mostOfAgent} terminals of "${agent}" are open`
    throw new PloinkyError('RATE_LIMITED', `${most}: no more are allowed`, { hint: 'Run: ploinky terminals' })
  }

  async function open(agent: string, request: OpenRequest, principal: string): Promise<Session> {
    checkRoom(agent)
    opening.push(agent)
    try {
      return await start(agent, request, principal)
    } finally {
      opening.splice(opening.indexOf(agent), 1)
    }
  }

  async function start(agent: string, request: OpenRequest, principal: string): Promise<Session> {
    const { adapter, workload, cli, use } = await options.target(agent)
    const { argv, words } = commandOf(request.command, { cli, allowed: limits.commands })
    const [id, tag] = [typedId(hash), hash.randomToken(12)]
    const size = { cols: request.cols, rows: request.rows }
    await leftovers.add({ tag, workload: workload.name, runtime: adapter.id })
    const tty = await adapter.openTty(workload.name, argv, { ...size, tag }).catch((error: unknown) => {
      leftovers.remove(tag)
      throw error
    })
    const release = use()
    const session = createSession({
      ...{ id, agent, tty, log, command: words, size, name: request.name ?? words, record: options.record },
      ...{ library: options.library, scrollback: limits.scrollback },
    })
    sessions.set(id, session)
    const data = { session: id, command: words }
    events.emit({ type: 'terminal.opened', subject: agent, principal, data })
    session.closed
      .then(
        (exitCode) => ({ exitCode }),
        (error: unknown) => ({ error: messageOf(error) }),
      )
      .then((outcome) => {
        sessions.delete(id)
        release()
        leftovers.remove(tag)
        dropShares(shares.remove(id, null))
        events.emit({ type: 'terminal.closed', subject: agent, data: { ...data, ...outcome } })
      })
      .catch((error: unknown) => log.error('terminal not cleaned up', { session: id, error: messageOf(error) }))
    return session
  }

  /** By id, by the beginning of one, or by a name that only one has. */
  function find(words: string): Session {
    const exact = sessions.get(words)
    if (exact !== undefined) return exact
    const found = [...sessions.values()].filter(
      (session) => (words.length >= 4 && session.id.startsWith(words)) || session.view().name === words,
    )
    if (found.length === 1 && found[0] !== undefined) return found[0]
    const shown = JSON.stringify(words.slice(0, 80))
    throw new PloinkyError(
      'SESSION_NOT_FOUND',
      found.length > 1 ? `Several terminals are called ${shown}` : `There is no terminal ${shown}: it has ended`,
      {
        hint: 'Run: ploinky terminals',
      },
    )
  }

  async function attach(given: AttachRequest): Promise<Joined> {
    const { agent, request, link } = given
    const share = request.share === null ? null : shares.check(request.share)
    const principal = share === null ? allowed(given.principal).id : null
    const id = share?.session ?? request.session
    if (share !== null && request.session !== null && request.session !== share.session)
      throw new PloinkyError('DENIED', 'This link is for another terminal')
    const session = id === null ? await open(agent, request, principal ?? '') : find(id)
    if (session.agent !== agent)
      throw new PloinkyError('SESSION_NOT_FOUND', `Agent ${JSON.stringify(agent)} has no such terminal`)
    if (session.peers.size >= MOST_VIEWERS)
      throw new PloinkyError('RATE_LIMITED', `${MOST_VIEWERS} are looking at this terminal: no more are allowed`)
    const role: TtyRole = share?.role ?? 'owner'
    const size = { cols: request.cols, rows: request.rows }
    const name = principal ?? `guest ${hash.randomToken(3)}`
    const peer = session.join({ id: hash.randomToken(6), name, role, link, size })
    if (share !== null) cameBy.set(peer, share)
    return { session, peer }
  }

  return {
    ...{ attach, open, find },
    sessions: (): Session[] => [...sessions.values()],
    leave({ session, peer }: Joined): void {
      cameBy.delete(peer)
      session.leave(peer)
    },
    dropShares,
    /** Ends all of them. */
    async close() {
      clearInterval(timer)
      await Promise.allSettled([...sessions.values()].map((session) => session.end().then(() => session.closed)))
      await leftovers.settled()
    },
  }
}

const tooOld = (seconds: number): TtyServerMessage => ({
  ...{ type: 'error', code: 'RATE_LIMITED', message: `A terminal lasts ${seconds} s at most: this one ends` },
  hint: 'Open another one, or allow more: ploinky config terminalLongest SECONDS',
})

function allowed(principal: Principal | null): Principal {
  if (principal === null) throw new PloinkyError('UNAUTHENTICATED', 'Sign in first', { hint: 'Run: ploinky open' })
  if (isAllowed(principal, 'operate')) return principal
  throw new PloinkyError('DENIED', 'Terminals need the role operator or admin')
}
