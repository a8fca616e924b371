/** What the front hands over when somebody asks for a terminal. Types only. */
import type { Principal } from '../core/principal.ts'
import type { UpgradeRequest } from '../platform/index.ts'

export interface TerminalRequest extends UpgradeRequest {
  readonly agent: string
  /** Without the sign-in token. */
  readonly query: URLSearchParams
  /** Null: a stranger, perhaps with a link that was shared. */
  readonly principal: Principal | null
  readonly requestId: string
}

export interface TerminalGateway {
  /** Owns the socket from here on. */
  upgrade(request: TerminalRequest): void
}
