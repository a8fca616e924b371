/** What an agent sends to a browser ends with the browser's session, whoever waits for it. */
import type { Exchange } from './exchange.ts'
import type { SessionHolds } from './front-ports.ts'

/** An answer or a socket. */
interface Closing {
  on(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

export function createCut(sessions: SessionHolds) {
  return ({ caller: { principal } }: Pick<Exchange, 'caller'>, stream: Closing): void => {
    if (principal?.session === undefined) return
    stream.on(
      'close',
      sessions.hold(principal, () => void stream.destroy()),
    )
  }
}
