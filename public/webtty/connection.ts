/** The socket of one terminal: opens it, keeps it open, opens it again. */
import type { TtyClientMessage, TtyServerMessage } from '../../src/features/terminals/protocol.ts'
import { TTY_PROTOCOL } from '../../src/features/terminals/protocol.ts'
import { readMessage } from './frames.ts'
import type { FinalReason } from './reconnect.ts'
import { verdictOf } from './reconnect.ts'

export type ConnectionState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** Milliseconds since 1970. */
  | { readonly kind: 'waiting'; readonly retryAt: number }
  | { readonly kind: 'closed'; readonly reason: FinalReason }

export interface ConnectionOptions {
  /** Asked for each try: by then the session has an id. */
  url(): string
  onMessage(message: TtyServerMessage): void
  onOutput(bytes: Uint8Array): void
  onState(state: ConnectionState): void
  onLatency(milliseconds: number): void
}

export interface Connection {
  send(message: TtyClientMessage): void
  /** False: not connected; the bytes are gone. */
  input(bytes: Uint8Array<ArrayBuffer>): boolean
  /** Drops what there is, and opens a new one. */
  retryNow(): void
  close(): void
}

/** From the first packet to an open socket: an agent may have to start first. Whatever swallows the request says nothing. */
const CONNECT_MS = 30_000
const PING_MS = 5000
/** A ping without an answer for so long: the way is cut, though nobody said so. */
const SILENCE_MS = 15_000
/** Frames are small, so that a large paste does not stand in the way of Ctrl-C for longer than it must. */
const INPUT_FRAME = 32 * 1024

export function openConnection(options: ConnectionOptions): Connection {
  let socket: WebSocket | null = null
  let attempt = 0
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let connectTimer: ReturnType<typeof setTimeout> | undefined
  let heartbeat: ReturnType<typeof setInterval> | undefined
  let heardAt = 0
  let closed = false

  function connect(): void {
    clearTimeout(retryTimer)
    if (closed) return
    options.onState({ kind: 'connecting' })
    const mine = new WebSocket(options.url(), TTY_PROTOCOL)
    mine.binaryType = 'arraybuffer'
    socket = mine
    clearTimeout(connectTimer)
    connectTimer = setTimeout(() => socket === mine && drop(), CONNECT_MS)
    mine.addEventListener('open', () => {
      if (socket !== mine) return mine.close()
      clearTimeout(connectTimer)
      heardAt = Date.now()
      startHeartbeat(mine)
    })
    mine.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (socket !== mine) return
      heardAt = Date.now()
      if (typeof data !== 'string') return options.onOutput(new Uint8Array(data))
      const message = readMessage(data)
      if (message !== null) take(message)
    })
    mine.addEventListener('close', ({ code }) => {
      if (socket !== mine) return
      socket = null
      clearInterval(heartbeat)
      clearTimeout(connectTimer)
      ended(code)
    })
  }

  function take(message: TtyServerMessage): void {
    if (message.type === 'pong') return options.onLatency(Math.max(0, performance.now() - message.at))
    if (message.type === 'attached') {
      attempt = 0
      options.onState({ kind: 'open' })
    }
    options.onMessage(message)
  }

  function startHeartbeat(mine: WebSocket): void {
    clearInterval(heartbeat)
    const beat = (): void => {
      if (Date.now() - heardAt > SILENCE_MS) return drop()
      if (mine.readyState === WebSocket.OPEN) send({ type: 'ping', at: performance.now() })
    }
    heartbeat = setInterval(beat, PING_MS)
    beat()
  }

  function ended(code: number): void {
    const verdict = verdictOf(code, attempt, Math.random())
    attempt += 1
    if (verdict.kind === 'final') {
      closed = true
      return options.onState({ kind: 'closed', reason: verdict.reason })
    }
    options.onState({ kind: 'waiting', retryAt: Date.now() + verdict.waitMs })
    retryTimer = setTimeout(connect, verdict.waitMs)
  }

  /** Forgets a socket without waiting for its closing handshake, which a dead one never ends. */
  function drop(): void {
    const old = socket
    socket = null
    clearInterval(heartbeat)
    old?.close()
    ended(0)
  }

  function send(message: TtyClientMessage): void {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message))
  }

  function retryNow(): void {
    if (closed || socket?.readyState === WebSocket.CONNECTING) return
    attempt = 0
    if (socket === null) return connect()
    // It says that it is open; a page that slept knows better.
    send({ type: 'ping', at: performance.now() })
  }

  function close(): void {
    closed = true
    clearTimeout(retryTimer)
    clearTimeout(connectTimer)
    clearInterval(heartbeat)
    const old = socket
    socket = null
    old?.close()
    window.removeEventListener('online', retryNow)
    document.removeEventListener('visibilitychange', onVisible)
  }

  const onVisible = (): void => {
    if (document.visibilityState === 'visible') retryNow()
  }
  window.addEventListener('online', retryNow)
  document.addEventListener('visibilitychange', onVisible)
  connect()

  return {
    send,
    input(bytes) {
      if (socket?.readyState !== WebSocket.OPEN) return false
      for (let at = 0; at < bytes.length; at += INPUT_FRAME) socket.send(bytes.subarray(at, at + INPUT_FRAME))
      return true
    },
    retryNow,
    close,
  }
}
