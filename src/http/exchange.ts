import type { IncomingMessage } from '../platform/index.ts'
import type { Caller } from './guard.ts'
import type { Target } from './request.ts'

/** A request or upgrade at the front, and what was learnt of it. */
export interface Exchange {
  incoming: IncomingMessage
  target: Target
  caller: Caller
  requestId: string
  /** `performance.now()` */
  began: number
  isCounted: boolean
}
