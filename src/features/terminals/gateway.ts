/** From an upgrade to a session: the handshake, then messages both ways. Refusals are told over the socket, which pages can read. */
import { asPloinkyError, type ErrorCode, type PloinkyError } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { TerminalGateway, TerminalRequest } from '../../http/terminal-gateway.ts'
import type { Network, WebSocketPeer } from '../../platform/index.ts'
import type { Joined, TerminalManager } from './manager.ts'
import { parseClientMessage, parseOpenRequest } from './messages.ts'
import { CLOSE, MAX_CLIENT_FRAME_BYTES, TTY_PROTOCOL } from './protocol.ts'

/** Between two signs of life that are asked for; a connection that gives none is cut. */
const HEARTBEAT_MS = 30_000
/** What may be typed before the terminal is there. */
const MAX_EARLY_BYTES = 64 * 1024

export interface GatewayOptions {
  readonly net: Pick<Network, 'acceptWebSocket'>
  readonly log: Logger
  /** Loaded with the first terminal. */
  manager(): Promise<TerminalManager>
}

const CLOSE_CODES: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: CLOSE.unauthenticated,
  DENIED: CLOSE.denied,
  AGENT_NOT_FOUND: CLOSE.notFound,
  SESSION_NOT_FOUND: CLOSE.notFound,
  REQUEST_INVALID: CLOSE.invalid,
  RATE_LIMITED: CLOSE.tooMany,
}

export function createTerminalGateway(options: GatewayOptions): TerminalGateway & { close(): void } {
  const { net, log } = options
  /** Connections, and whether they gave a sign of life since the last look. */
  const links = new Map<WebSocketPeer, boolean>()
  const heartbeat = setInterval(() => {
    for (const [link, isAlive] of links) {
      if (!isAlive) link.terminate()
      links.set(link, false)
      link.ping()
    }
  }, HEARTBEAT_MS)
  heartbeat.unref?.()

  async function serve(request: TerminalRequest): Promise<void> {
    const reader = createReader(() => links.set(link, true))
    const link = await net.acceptWebSocket(
      request,
      { protocol: TTY_PROTOCOL, maxPayloadBytes: MAX_CLIENT_FRAME_BYTES },
      (opened) => reader.listener(opened, () => links.delete(opened)),
    )
    links.set(link, true)
    try {
      const manager = await options.manager()
      const { agent, principal } = request
      const joined = await manager.attach({ agent, principal, link, request: parseOpenRequest(request.query) })
      reader.start({ ...joined, leave: () => manager.leave(joined) })
    } catch (error) {
      refuse(link, asPloinkyError(error))
    }
  }

  function refuse(link: WebSocketPeer, error: PloinkyError): void {
    if (error.code === 'INTERNAL') log.error('terminal not opened', { error })
    const message = error.code === 'INTERNAL' ? 'Internal error; the router log has the details' : error.message
    link.send(JSON.stringify({ type: 'error', code: error.code, message, hint: error.hint ?? null }))
    link.close(CLOSE_CODES[error.code] ?? CLOSE.unavailable, error.code)
  }

  return {
    upgrade(request) {
      serve(request).catch((error: unknown) => {
        log.debug('terminal handshake failed', { requestId: request.requestId, error })
        request.socket.destroy()
      })
    },
    close() {
      clearInterval(heartbeat)
      for (const link of links.keys()) link.close(1001, 'router stops')
    },
  }
}

/** Hands messages to a session; those that come before there is one wait. */
function createReader(alive: () => void) {
  let joined: (Joined & { leave(): void }) | null = null
  let early: (string | Uint8Array)[] = []
  let earlyBytes = 0
  let isClosed = false

  function take(data: string | Uint8Array, { session, peer }: Joined): void {
    if (typeof data !== 'string' && peer.link.protocol !== '') return session.input(peer, data)
    const message = typeof data === 'string' ? parseClientMessage(data) : null
    if (message !== null) return session.message(peer, message)
    peer.control({
      ...{ type: 'error', code: 'REQUEST_INVALID', message: 'Not a message of a terminal', hint: null },
    })
    peer.link.close(CLOSE.invalid, 'REQUEST_INVALID')
  }

  function start(to: Joined & { leave(): void }): void {
    joined = to
    if (isClosed) return to.leave()
    for (const data of early) take(data, to)
    early = []
  }

  return {
    start,
    listener: (link: WebSocketPeer, forget: () => void) => ({
      message(data: string | Uint8Array): void {
        alive()
        if (joined !== null) return take(data, joined)
        early.push(data)
        earlyBytes += data.length
        if (earlyBytes > MAX_EARLY_BYTES) link.close(CLOSE.invalid, 'too much before the terminal was there')
      },
      pong: alive,
      closed(): void {
        isClosed = true
        forget()
        joined?.leave()
      },
    }),
  }
}
