/** WebSockets of a browser whose session ends are told why, and closed. */
import type { TerminalRequest } from '../../http/terminal-gateway.ts'
import type { Network, UpgradeRequest } from '../../platform/index.ts'
import type { EndReason, LiveSessions } from './sessions.ts'

/** Of the protocol of terminals: the page says that one has to sign in, and does not try again. */
const CLOSE_UNAUTHENTICATED = 4401

const WHY: Record<EndReason, string> = {
  ended: 'This sign-in was ended',
  expired: 'This sign-in has expired',
}

type Accepts = Pick<Network, 'acceptWebSocket'>

/** `net` for what is upgraded through `upgraded`. A link that was shared opens its terminal for whoever has it. */
export function cutSockets(net: Accepts, sessions: Pick<LiveSessions, 'hold'>) {
  const principals = new WeakMap<UpgradeRequest['socket'], TerminalRequest['principal']>()
  const cutting: Accepts = {
    async acceptWebSocket(request, options, onOpen) {
      let release = (): void => {}
      const link = await net.acceptWebSocket(request, options, (opened) => {
        const listener = onOpen(opened)
        return {
          ...listener,
          closed(code, reason) {
            release()
            listener.closed(code, reason)
          },
        }
      })
      release = sessions.hold(principals.get(request.socket) ?? null, (reason) => {
        const hint = 'Sign in again; the program goes on meanwhile'
        link.send(JSON.stringify({ type: 'error', code: 'UNAUTHENTICATED', message: WHY[reason], hint }))
        link.close(CLOSE_UNAUTHENTICATED, 'UNAUTHENTICATED')
      })
      return link
    },
  }
  const upgraded =
    (upgrade: (request: TerminalRequest) => void) =>
    (request: TerminalRequest): void => {
      if (!request.query.has('share')) principals.set(request.socket, request.principal)
      upgrade(request)
    }
  return { net: cutting, upgraded }
}
