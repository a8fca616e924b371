/**
 * Which browsers are signed in. The list is a state file, so that a session can be looked at and ended with and without a
 * router; the router keeps it in memory, follows the file, and cuts what an ended session has open.
 */
import { type BrowserSession, sessionsDocument } from '../../config/documents.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import type { Principal } from '../../core/principal.ts'
import { type Listed, Roster } from '../../core/roster.ts'
import type { Store } from '../../core/store.ts'
import { browserName } from './browser-name.ts'

export interface SessionView extends BrowserSession {
  readonly session: string
  /** The one that asks. */
  readonly current: boolean
}

/** Which to end: one by its id or the beginning of it, or all but one. */
export type Ended = { readonly session: string } | { readonly allBut: string | null }

export interface Sessions {
  list(current: string | null): Promise<SessionView[]>
  /** Gives those that were ended. SESSION_NOT_FOUND, also when the beginning of an id fits several. */
  end(which: Ended, by: { principal: string; current: string | null }): Promise<SessionView[]>
  /** For the router: keeps the list in memory, and follows what other processes change. */
  follow(): Promise<LiveSessions>
}

export interface LiveSessions {
  /** Written before it returns: who has the secret is on the list. */
  open(
    session: { id: string; seconds: number },
    from: { userAgent: string | undefined; address: string },
  ): Promise<void>
  /** The same principal, or null when its session was ended. On the path of every request. */
  check(principal: Principal | null): Principal | null
  /** Calls back, once, when the principal's session ends before the returned function is called. */
  hold(principal: Principal | null, onEnd: (reason: EndReason) => void): () => void
  /** A person signs out. */
  signOut(principal: Principal): Promise<void>
  /** What others changed counts from here on. */
  reload(): Promise<void>
  /** The token that signed them is gone. */
  endAll(): Promise<void>
  close(): Promise<void>
}
export type EndReason = 'ended' | 'expired'

export interface SessionsOptions {
  readonly store: Store
  readonly events: EventBus
  readonly log: Logger
  now?(): number
}

/** The least recently used one goes when there are more: a script may sign in with each call. */
const MOST_SESSIONS = 200
const SHORTEST_BEGINNING = 4
/** How often it is looked for what expired, and uses are written. */
const LOOK_MS = 30_000

type Records = Record<string, BrowserSession>

export function createSessions(options: SessionsOptions): Sessions {
  const { store, events } = options
  const now = options.now ?? Date.now
  let live: ReturnType<typeof createLive> | null = null

  const isOver = ({ expiresAt }: BrowserSession): boolean => Date.parse(expiresAt) <= now()

  async function read(): Promise<[string, BrowserSession][]> {
    await live?.write()
    const { sessions } = await store.read(sessionsDocument)
    return Object.entries(sessions).filter(([, record]) => !isOver(record))
  }

  function chosen(found: readonly [string, BrowserSession][], which: Ended): readonly [string, BrowserSession][] {
    if ('allBut' in which) return found.filter(([id]) => id !== which.allBut)
    const words = which.session
    const fit = found.filter(([id]) => id === words || (words.length >= SHORTEST_BEGINNING && id.startsWith(words)))
    if (fit.length === 1) return fit
    const shown = JSON.stringify(words.slice(0, 80))
    throw new PloinkyError(
      'SESSION_NOT_FOUND',
      fit.length > 1 ? `Several sessions begin with ${shown}` : `There is no session ${shown}: it has ended`,
      { hint: 'Run: ploinky sessions' },
    )
  }

  return {
    async list(current) {
      return (await read())
        .map(([session, record]) => ({ session, ...record, current: session === current }))
        .toSorted((a, b) => b.lastUsedAt.localeCompare(a.lastUsedAt))
    },
    async end(which, { principal, current }) {
      const gone = chosen(await read(), which)
      await remove(store, new Set(gone.map(([id]) => id)))
      for (const [session, { browser, address }] of gone)
        events.emit({ type: 'session.ended', subject: 'router', principal, data: { session, browser, address } })
      await live?.reload()
      return gone.map(([session, record]) => ({ session, ...record, current: session === current }))
    },
    async follow() {
      live = createLive({ ...options, now, isOver })
      await live.reload()
      return live
    },
  }
}

async function remove(store: Store, gone: ReadonlySet<string>): Promise<void> {
  if (gone.size === 0) return
  await store.update(sessionsDocument, ({ sessions }) => ({
    sessions: Object.fromEntries(Object.entries(sessions).filter(([id]) => !gone.has(id))),
  }))
}

interface LiveSession {
  /** Milliseconds. */
  usedAt: number
  readonly expiresAt: number
  readonly holds: Roster<Hold>
}

interface Hold extends Listed {
  readonly end: (reason: EndReason) => void
}

type LiveOptions = SessionsOptions & { now(): number; isOver(record: BrowserSession): boolean }

function createLive(options: LiveOptions) {
  const { store, events, log, now, isOver } = options
  const sessions = new Map<string, LiveSession>()
  let isUnwritten = false
  let queue: Promise<unknown> = Promise.resolve()
  /** A sign-in that is being written is not taken for one that somebody ended. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const result = queue.then(run)
    queue = result.catch(() => {})
    return result
  }

  function drop(id: string, reason: EndReason): void {
    const holds = sessions.get(id)?.holds.all() ?? []
    sessions.delete(id)
    for (const { end } of holds) end(reason)
  }

  function add(id: string, record: BrowserSession): void {
    const [usedAt, expiresAt] = [Date.parse(record.lastUsedAt), Date.parse(record.expiresAt)]
    sessions.set(id, { usedAt, expiresAt, holds: new Roster() })
  }

  async function readAgain(): Promise<void> {
    const { sessions: records } = await store.read(sessionsDocument)
    for (const id of [...sessions.keys()]) if (own(records, id) === undefined) drop(id, 'ended')
    for (const [id, record] of Object.entries(records)) if (!sessions.has(id) && !isOver(record)) add(id, record)
  }

  const reload = (): Promise<void> =>
    inTurn(readAgain).catch((error: unknown) => log.error('sessions not reloaded', { error }))

  /** What is open is in use. */
  const usedAt = ({ holds, usedAt: last }: LiveSession): number => (holds.size > 0 ? now() : last)

  async function writeUses(): Promise<void> {
    isUnwritten = false
    await store.update(sessionsDocument, ({ sessions: records }) => ({
      sessions: Object.fromEntries(
        Object.entries(records).flatMap(([id, record]) => {
          const session = sessions.get(id)
          if (isOver(record)) return []
          return [[id, session === undefined ? record : { ...record, lastUsedAt: iso(usedAt(session)) }]]
        }),
      ),
    }))
  }
  const write = async (): Promise<void> => {
    const isOpen = [...sessions.values()].some(({ holds }) => holds.size > 0)
    if (isUnwritten || isOpen)
      await inTurn(writeUses).catch((error: unknown) => log.warn('uses of sessions not written', { error }))
  }

  const timer = setInterval(() => {
    for (const [id, { expiresAt }] of sessions) if (expiresAt <= now()) drop(id, 'expired')
    void write()
  }, LOOK_MS)
  timer.unref?.()
  const unwatch = store.watch(sessionsDocument, () => void reload())

  return {
    ...{ reload, write },
    open: ({ id, seconds }, { userAgent, address }) =>
      inTurn(async () => {
        const record = {
          ...{ openedAt: iso(now()), lastUsedAt: iso(now()), expiresAt: iso(now() + seconds * 1000) },
          ...{ browser: browserName(userAgent), address: address.slice(0, 100) },
        }
        await store.update(sessionsDocument, ({ sessions: records }) => ({
          sessions: { ...newest(records, MOST_SESSIONS - 1), [id]: record },
        }))
        add(id, record)
        await readAgain()
        const { browser } = record
        events.emit({
          ...{ type: 'session.opened', subject: 'router', principal: 'operator' },
          data: { session: id, browser, address },
        })
      }),
    check(principal) {
      const id = principal?.session
      if (id === undefined) return principal
      const session = sessions.get(id)
      if (session === undefined || session.expiresAt <= now()) return null
      session.usedAt = now()
      isUnwritten = true
      return principal
    },
    hold(principal, onEnd) {
      const session = sessions.get(principal?.session ?? '')
      if (session === undefined) return () => {}
      const held: Hold = { place: -1, end: onEnd }
      session.holds.add(held)
      return () => session.holds.delete(held)
    },
    async signOut({ id: principal, session }) {
      if (session !== undefined) await remove(store, new Set([session]))
      events.emit({ type: 'session.closed', subject: 'router', principal, data: { session: session ?? null } })
      await reload()
    },
    async endAll() {
      await remove(store, new Set(sessions.keys()))
      await reload()
    },
    async close() {
      clearInterval(timer)
      unwatch()
      await write()
    },
  } satisfies LiveSessions & { write(): Promise<void> }
}

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString()

const newest = (records: Records, most: number): Records =>
  Object.fromEntries(
    Object.entries(records)
      .toSorted(([, a], [, b]) => b.lastUsedAt.localeCompare(a.lastUsedAt))
      .slice(0, most),
  )
