/** The care for one agent, as the supervisor uses it. */
import type { RouteEntry, Supervised } from '../../config/documents.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import type { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { Network } from '../../platform/index.ts'
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { AgentState, EnabledAgent, Launched, Supervision } from '../agents/index.ts'
import type { Check } from './check.ts'
import type { Clock } from './clock.ts'

/** `restart`: it does not run. `recycle`: it runs and does not live. `adopt`: it runs and nothing leads to it. */
export type ChangeKind = 'restart' | 'recycle' | 'adopt'

export interface CareOptions {
  readonly name: string
  readonly remembered: Supervised | undefined
  readonly net: Network
  readonly check: Check
  readonly clock: Clock
  readonly events: EventBus
  /** Time for an agent to become ready where its manifest names none. */
  readonly readySeconds: number
  load(): Promise<Manifest>
  routeOf(): Promise<RouteEntry | undefined>
  /** Makes the route count, unless the agent is not wanted any more. */
  publish(route: RouteEntry): Promise<void>
  /** A person changes the workspace at this moment: what ends may have been ended by that. */
  isDisturbed(): Promise<boolean>
  request(kind: ChangeKind): void
  remember(record: Supervised | null): void
}

export interface Care {
  /** What is wanted and what is. The adapter that told it. */
  sync(seen: Seen): Promise<void>
  /** The engine cannot be asked. */
  lose(reason: string): void
  launched(launched: Launched): void
  launchFailed(error: unknown): void
  /** Whether the change that was asked for is still what is needed. */
  needs(kind: ChangeKind, workload: Workload | null): boolean
  view(): { state: AgentState; supervision: Supervision } | null
  /** Why requests are refused; null when they are passed on. */
  refusal(): PloinkyError | null
  close(): void
}

export interface Seen {
  readonly agent: EnabledAgent | null
  readonly workload: Workload | null
  readonly adapter: RuntimeAdapter
}
