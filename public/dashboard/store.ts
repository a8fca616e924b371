/** The page's state as signals, and everything that changes it. */
import { computed, signal } from '@preact/signals'
import { ApiError, call, goToSignIn, routerUrl } from '../shared/api.ts'
import type { Live, LiveState } from '../shared/live.ts'
import { openLive } from '../shared/live.ts'
import { plainText } from '../shared/format.ts'
import type { SseMessage } from '../shared/sse.ts'
import { ask } from './ask.tsx'
import type { Action, Activity, ReadBefore, Status } from './model.ts'
import { commandFor, commandIn, matches, readActivity, readStatus } from './model.ts'
import { strings } from './strings.ts'
import { takeSample } from './watch/metrics.ts'

export interface Notice {
  readonly id: number
  readonly at: string
  readonly tone: 'ok' | 'bad'
  readonly title: string
  readonly text: string | null
  readonly code: string | null
  readonly command: string | null
}
export const status = signal<Status | null>(null)
export const loadProblem = signal<ApiError | null>(null)
export const live = signal<LiveState>({ kind: 'connecting' })
export const now = signal(Date.now())
export const filter = signal('')
export const busy = signal<ReadonlyMap<string, Action>>(new Map())
export const notices = signal<readonly Notice[]>([])
/** Everything that was told in this visit, newest first. */
export const noticeLog = signal<readonly Notice[]>([])
export const unread = signal(0)
export const activity = signal<readonly Activity[]>([])
/** Agent whose files are shown. */
export const filesOf = signal<string | null>(null)

export const shownAgents = computed(() =>
  (status.value?.agents ?? []).filter((agent) => matches(agent, filter.value.trim(), strings.state(agent.state))),
)

const KEPT_ACTIVITIES = 50
const KEPT_NOTICES = 100
const OK_NOTICE_MS = 8000
/** Changes come in bursts (a start is several events); one look at the state serves them all. */
const REFRESH_MS = 150
/** Between two looks while changes go on and on: many agents are much to read. */
const PACE_MS = 1000
/** New activities are shown together: nobody reads fifty lines a second. */
const SHOW_MS = 200
/** They tell of somebody, and of no state of an agent. */
const NO_CHANGE = /^(?:agent\.(?:called|refused)$|session\.|command\.)/
const CLOCK_MS = 1000

let connection: Live | null = null
const listeners = new Set<(message: SseMessage) => void>()

/** Every event of the stream, for a view that shows more of it. Events of before are in `activity`. Returns the way out. */
export function onEvent(listener: (message: SseMessage) => void): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** Connects and keeps the page up to date. Returns the function that ends it. */
export function startPage(): () => void {
  connection = openLive({
    url: routerUrl('api/v1/events?metrics=true'),
    onMessage(message) {
      if (message.event === 'metrics') return takeSample(message.data)
      for (const listener of listeners) listener(message)
      const event = readActivity(message.data)
      if (event === null) return
      showSoon(event)
      if (!NO_CHANGE.test(message.event)) refreshSoon()
    },
    onState(state) {
      live.value = state
      // Whatever was missed while away is in the state itself.
      if (state.kind === 'live') refreshSoon()
    },
    onSignedOut: () => {
      if (!isLeaving) goToSignIn()
    },
  })
  void refresh()
  const clock = setInterval(() => {
    if (document.visibilityState === 'visible') now.value = Date.now()
  }, CLOCK_MS)
  return () => {
    clearInterval(clock)
    connection?.close()
  }
}

export const reconnect = (): void => connection?.retryNow()

let waiting: Activity[] = []
let showTimer: ReturnType<typeof setTimeout> | undefined

function showSoon(event: Activity): void {
  waiting.push(event)
  showTimer ??= setTimeout(() => {
    showTimer = undefined
    const known = new Set(activity.value.map(({ key }) => key))
    const fresh = waiting.filter(({ key }) => !known.has(key) && known.add(key) !== undefined)
    waiting = []
    if (fresh.length > 0) activity.value = [...fresh.toReversed(), ...activity.value].slice(0, KEPT_ACTIVITIES)
  }, SHOW_MS)
}

let refreshTimer: ReturnType<typeof setTimeout> | undefined
let refreshing: Promise<void> | null = null
let refreshedAt = Number.NEGATIVE_INFINITY
const known: ReadBefore = new Map()

function refreshSoon(): void {
  refreshTimer ??= setTimeout(
    () => {
      refreshTimer = undefined
      // One look at a time; a change during a look asks for one more after it.
      if (refreshing === null) void refresh()
      else void refreshing.then(refreshSoon)
    },
    Math.max(REFRESH_MS, refreshedAt + PACE_MS - performance.now()),
  )
}

export function refresh(): Promise<void> {
  refreshing ??= load().finally(() => {
    refreshing = null
  })
  return refreshing
}

async function load(): Promise<void> {
  try {
    const body = await call('GET', 'api/v1/status')
    now.value = Date.now()
    status.value = readStatus(body, now.value, { before: status.peek(), known })
    refreshedAt = performance.now()
    loadProblem.value = null
  } catch (error) {
    loadProblem.value = asApiError(error)
  }
}

/** Does it, or asks first when it would interrupt somebody's work. */
export function request(agent: string, action: Action): void {
  if (action !== 'stop') return void act(agent, action)
  ask({
    title: strings.confirmStop(plainText(agent)),
    text: strings.confirmStopText,
    command: commandFor(action, agent),
    label: strings.action(action),
    name: strings.actionOn(action, plainText(agent)),
    icon: 'stopped',
    run: () => void act(agent, action),
  })
}

export async function act(agent: string, action: Action): Promise<void> {
  if (busy.value.has(agent)) return
  busy.value = new Map(busy.value).set(agent, action)
  const command = commandFor(action, agent)
  try {
    await call('POST', `api/v1/agents/${encodeURIComponent(agent)}/${action}`)
    notify({ tone: 'ok', title: strings.done(action, agent), text: null, code: null, command })
  } catch (error) {
    const problem = asApiError(error)
    const next = problem.hint === null ? null : commandIn(problem.hint)
    const text = problem.hint === null || next !== null ? problem.message : `${problem.message}. ${problem.hint}`
    notify({ tone: 'bad', title: strings.notDone(action, agent), text, code: problem.code, command: next })
  } finally {
    busy.value = new Map([...busy.value].filter(([name]) => name !== agent))
    await refresh()
  }
}

let noticeId = 0

export function notify(told: Omit<Notice, 'id' | 'at'>): void {
  noticeId += 1
  const id = noticeId
  const notice = { ...told, id, at: new Date().toISOString() }
  notices.value = [...notices.value.slice(-3), notice]
  noticeLog.value = [notice, ...noticeLog.value].slice(0, KEPT_NOTICES)
  unread.value += 1
  // Bad news stays until it was read.
  if (notice.tone === 'ok') setTimeout(() => dismiss(id), OK_NOTICE_MS)
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id)
}

/** The router tells the page that its session is over while the page waits for the answer: it knows. */
let isLeaving = false

export async function signOut(): Promise<void> {
  isLeaving = true
  try {
    await call('POST', 'auth/logout')
    location.assign(routerUrl('signin/'))
  } catch (error) {
    isLeaving = false
    const problem = asApiError(error)
    if (problem.status !== 401) {
      notify({ tone: 'bad', title: problem.message, text: problem.hint, code: problem.code, command: null })
    }
  }
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  return new ApiError(error instanceof Error ? error.message : String(error), { code: 'INTERNAL', status: 0 })
}
