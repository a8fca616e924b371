/**
 * A live connection that says how it is. Built on fetch and not on EventSource, which hides the status code: a page whose
 * sign-in has ended must go to the sign-in page instead of trying for ever.
 */
import type { SseMessage } from './sse.ts'
import { createSseParser } from './sse.ts'

export type LiveState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Not connected; the next try is at `retryAt` (milliseconds since 1970). */
  | { readonly kind: 'waiting'; readonly retryAt: number }
  /** The tab is hidden: its connection is given back, because a browser allows only six per host. */
  | { readonly kind: 'paused' }

export interface LiveOptions {
  readonly url: string
  onMessage(message: SseMessage): void
  onState(state: LiveState): void
  /** The server does not know this visitor any more. */
  onSignedOut(): void
}

export interface Live {
  retryNow(): void
  close(): void
}

/** The session of this browser was ended or has expired: there will be no more. */
const SIGNED_OUT = 'signed-out'
const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 15_000
const HIDDEN_GRACE_MS = 30_000

/** Waits longer each time, with a random part so that many pages do not come back in the same instant. */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10))
  return Math.round(full * (0.7 + random * 0.3))
}

export function openLive(options: LiveOptions): Live {
  let attempt = 0
  // Asks for the events that the router still keeps, so that a fresh page has a past.
  let lastId = '0'
  let retryMs: number | null = null
  let current: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined
  let closed = false

  async function connect(): Promise<void> {
    clearTimeout(timer)
    current?.abort()
    const mine = new AbortController()
    current = mine
    options.onState({ kind: 'connecting' })
    try {
      await read(mine.signal)
    } catch {
      // Any failure means the same: not connected. What to do about it is decided below.
    }
    if (current !== mine || closed) return
    mine.abort()
    current = null
    const wait = Math.max(backoffMs(attempt, Math.random()), retryMs ?? 0)
    attempt += 1
    options.onState({ kind: 'waiting', retryAt: Date.now() + wait })
    timer = setTimeout(() => void connect(), wait)
  }

  async function read(signal: AbortSignal): Promise<void> {
    const headers = { accept: 'text/event-stream', 'last-event-id': lastId }
    const response = await fetch(options.url, { headers, signal, cache: 'no-store' })
    if (response.status === 401) {
      stop()
      return options.onSignedOut()
    }
    if (!response.ok || response.body === null) return
    attempt = 0
    options.onState({ kind: 'live' })
    const parser = createSseParser(lastId)
    const decoder = new TextDecoder()
    const reader = response.body.getReader()
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      for (const message of parser.push(decoder.decode(chunk.value, { stream: true }))) {
        if (message.event === SIGNED_OUT) {
          stop()
          return options.onSignedOut()
        }
        options.onMessage(message)
      }
      lastId = parser.lastId
      retryMs = parser.retryMs ?? retryMs
    }
  }

  function retryNow(): void {
    if (closed || current !== null) return
    attempt = 0
    void connect()
  }

  function onVisibility(): void {
    if (document.visibilityState === 'visible') {
      clearTimeout(hiddenTimer)
      return retryNow()
    }
    clearTimeout(hiddenTimer)
    hiddenTimer = setTimeout(() => {
      clearTimeout(timer)
      current?.abort()
      current = null
      options.onState({ kind: 'paused' })
    }, HIDDEN_GRACE_MS)
  }
  function stop(): void {
    closed = true
    clearTimeout(timer)
    clearTimeout(hiddenTimer)
    current?.abort()
    document.removeEventListener('visibilitychange', onVisibility)
    window.removeEventListener('online', retryNow)
  }

  document.addEventListener('visibilitychange', onVisibility)
  window.addEventListener('online', retryNow)
  void connect()
  return { retryNow, close: stop }
}
