/** Sessions in tabs and panes: the page's state as signals, and what changes it. */
import { computed, signal } from '@preact/signals'
import type { TtyView } from '../../src/features/terminals/protocol.ts'
import { goToSignIn, routerUrl } from '../shared/api.ts'
import { answerClipboard, copyWhenDone, openAddress } from './consent.ts'
import { keepTabs, readTabs } from './kept-tabs.ts'
import type { Action } from './keys.ts'
import { actionOf } from './keys.ts'
import type { Direction, Layout } from './layout.ts'
import * as tiles from './layout.ts'
import { announce, notifyProblem } from './notices.ts'
import type { Paste } from './paste.ts'
import type { SessionWish, TtySession } from './session.ts'
import { openSession } from './session.ts'
import { settings } from './settings.ts'
import { strings } from './strings.ts'
import { cleanTitle } from './terminal.ts'

export type DialogView =
  | { readonly kind: 'paste'; readonly paste: Paste; proceed(): void }
  | { readonly kind: 'sessions' | 'settings' | 'help' | 'recordings' | 'picker' }
  | { readonly kind: 'rename' | 'share' | 'end' | 'commands'; readonly session: TtySession }
  | { readonly kind: 'files'; readonly agent: string; readonly files: readonly File[] }
  | { readonly kind: 'player'; readonly id: string; readonly name: string }

export const sessions = signal<ReadonlyMap<string, TtySession>>(new Map())
export const layout = signal<Layout>(tiles.EMPTY)
export const dialog = signal<DialogView | null>(null)
/** Key of the session whose search bar is open. */
export const searching = signal<string | null>(null)
export const now = signal(Date.now())
/** Came by a link that somebody shared: this one session, and nothing else of the router. */
export const guest = signal(false)

export const focusedSession = computed(() => {
  const key = tiles.focusedTab(layout.value)
  return key === null ? null : (sessions.value.get(key) ?? null)
})

let act: (action: Action) => void = () => {}
let counter = 0

/** Who does what a key of the page asks for. */
export const onAction = (run: (action: Action) => void): void => {
  act = run
}

/** What a tab is called: the name a person gave, else what the program says, else the command. */
export function nameOf(session: TtySession): string {
  return labelOf(session.view.value, session.agent)
}

export function labelOf(view: TtyView | null, agent: string): string {
  // The router names every session; that name says no more than the command.
  const given = view?.name === `${agent} ${view?.command ?? ''}` ? '' : view?.name
  const names = [given, cleanTitle(view?.title ?? ''), view?.command]
  return names.find((name) => name !== undefined && name !== '') ?? agent
}

function create(wish: SessionWish): TtySession {
  counter += 1
  const key = `t${counter}`
  const session: TtySession = openSession(key, wish, {
    onKey: pageKey,
    askPaste: (paste, proceed) => {
      dialog.value = { kind: 'paste', paste, proceed }
    },
    askClipboard: (from, text) => answerClipboard(from.key, text, focusTerminal),
    onSelect: (text) => {
      if (settings.value.copyOnSelect) copyWhenDone(text)
    },
    onOpen: openAddress,
    onFocus: () => {
      if (tiles.focusedTab(layout.value) !== key) layout.value = tiles.selectTab(layout.value, key)
    },
    announce: (kind) => announce(strings.announce[kind]),
    onError: notifyProblem,
    onIdentity: remember,
    onReady() {
      if (tiles.focusedTab(layout.value) === key) focusTerminal()
    },
  })
  sessions.value = new Map(sessions.value).set(key, session)
  session.connection.subscribe((state) => {
    // A guest has nothing to sign in with; everybody else comes back here afterwards.
    if (state.kind === 'closed' && state.reason === 'signedOut' && wish.share === undefined) goToSignIn()
  })
  return session
}

/** In a tab of its own; a session that is open here already comes to the front instead. */
export function openTab(wish: SessionWish): void {
  const already = [...sessions.value.values()].find(({ id }) => wish.session !== undefined && id.value === wish.session)
  if (already !== undefined) return select(already.key)
  layout.value = tiles.addTab(layout.value, create(wish).key)
  remember()
  focusTerminal()
}

/** What runs in this one, once more. */
export function likeOf({ agent, view, wish }: TtySession): SessionWish {
  const command = view.value?.command ?? wish.command
  return { agent, ...(command === undefined || command === '' ? {} : { command }) }
}

/** A second pane with a new session of the same agent; with two panes, their direction changes. */
export function splitTo(direction: Direction): void {
  const current = focusedSession.value
  if (current === null || guest.value) return
  if (layout.value.shown.length > 1) layout.value = { ...layout.value, direction }
  else layout.value = tiles.split(layout.value, create(likeOf(current)).key, direction)
  remember()
  focusTerminal()
}

export function toggleSplit(): void {
  if (layout.value.shown.length === 1) return splitTo(matchMedia('(min-width: 48rem)').matches ? 'row' : 'column')
  layout.value = tiles.unsplit(layout.value)
  remember()
  focusTerminal()
}

/** `focus`: whether the terminal takes it too. */
export function select(key: string, focus = true): void {
  layout.value = tiles.selectTab(layout.value, key)
  remember()
  if (focus) focusTerminal()
}

/** Its session goes on at the router. */
export function closeTab(key: string): void {
  sessions.value.get(key)?.dispose()
  layout.value = tiles.closeTab(layout.value, key)
  sessions.value = new Map([...sessions.value].filter(([kept]) => kept !== key))
  if (searching.value === key) searching.value = null
  remember()
  focusTerminal()
}

/** After the page has drawn what changed. */
export function focusTerminal(): void {
  requestAnimationFrame(() => {
    if (dialog.value === null) focusedSession.value?.focus()
  })
}

/** The files of its agent; `files` are given to it. Who came by a link has no files. */
export function openFiles({ agent }: TtySession, files: readonly File[] = []): void {
  if (!guest.value) dialog.value = { kind: 'files', agent, files }
}

export function closeDialog(): void {
  dialog.value = null
  focusTerminal()
}

function pageKey(event: KeyboardEvent): boolean {
  const action = actionOf(event)
  if (action === null) return true
  // The browser's own paste event follows; xterm must only not send the key.
  if (action !== 'paste' && event.type === 'keydown') {
    event.preventDefault()
    act(action)
  }
  return false
}

/** The same keys while something else of the page has the focus; copying and pasting are the browser's there. */
export function pageKeyOutside(event: KeyboardEvent): void {
  const inTerminal = event.target instanceof Element && event.target.closest('.xterm') !== null
  const action = actionOf(event)
  if (inTerminal || dialog.value !== null || event.defaultPrevented || action === null) return
  if (action === 'copy' || action === 'paste') return
  event.preventDefault()
  act(action)
}

/** A reload, and this tab of the browser when it is opened again, find the same sessions. */
function remember(): void {
  const current = focusedSession.value
  if (current === null) {
    if (!guest.value) history.replaceState(null, '', routerUrl('webtty/'))
    return
  }
  const { share } = current.wish
  const url = new URL(routerUrl(`webtty/${encodeURIComponent(current.agent)}`))
  if (share !== undefined) url.searchParams.set('share', share)
  else if (current.id.value !== null) url.searchParams.set('session', current.id.value)
  history.replaceState(null, '', url)
  if (share === undefined) keepLayout(layout.value)
}

function keepLayout({ tabs, shown, focused, direction }: Layout): void {
  const known = tabs.flatMap((key) => {
    const session = sessions.value.get(key)
    const id = session?.id.value
    return session === undefined || typeof id !== 'string' ? [] : [{ key, agent: session.agent, session: id }]
  })
  keepTabs({
    tabs: known.map(({ agent, session }) => ({ agent, session })),
    shown: shown.map((key) => known.findIndex((one) => one.key === key)).filter((index) => index >= 0),
    focused,
    direction,
  })
}

/** Opens what was open before; false when that does not include `session`. */
export function restoreTabs(session: string): boolean {
  const kept = readTabs()
  if (kept === null || !kept.tabs.some((tab) => tab.session === session)) return false
  const keys = kept.tabs.map((tab) => create(tab).key)
  const shown = kept.shown.flatMap((index) => keys[index] ?? [])
  const front = keys[kept.tabs.findIndex((tab) => tab.session === session)] ?? ''
  layout.value = tiles.selectTab({ tabs: keys, shown, focused: kept.focused, direction: kept.direction }, front)
  focusTerminal()
  return true
}
