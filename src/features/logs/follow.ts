/** Follows the log of an agent over the ends of its instances: a log that somebody looks at goes on when the agent does. */
import { isPloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { LogEntry } from './types.ts'

/** After one of these there may be more to read. */
const WAKING = new Set(['agent.started', 'agent.ready', 'agent.restarted', 'instance.started'])
/** An agent that was never started, was disabled, or whose container was removed, has no log yet. */
const NO_LOG = new Set(['AGENT_NOT_FOUND', 'AGENT_NOT_RUNNING', 'WORKLOAD_NOT_FOUND'])

export interface FollowOptions {
  readonly agent: string
  readonly events: EventBus
  readonly signal: AbortSignal
  /** The log of the instance there is now, `since` an ISO time when it was read before. */
  open(since: string | null): AsyncIterable<LogEntry>
}

export async function* followOver(options: FollowOptions): AsyncGenerator<LogEntry> {
  const { signal } = options
  const bell = createBell(options)
  /** Time of the last line, and how many lines of that time were given: they come again. */
  let lastAt: string | null = null
  let count = 0
  try {
    while (!signal.aborted) {
      const began = bell.rings()
      const since: string | null = lastAt
      let repeated = count
      try {
        for await (const entry of options.open(since)) {
          if (entry.at !== null && entry.at === since && repeated > 0) {
            repeated -= 1
            continue
          }
          if (entry.at !== null) {
            count = entry.at === lastAt ? count + 1 : 1
            lastAt = entry.at
          }
          yield entry
        }
      } catch (error) {
        if (!isPloinkyError(error) || !NO_LOG.has(error.code)) throw error
      }
      await bell.after(began)
    }
  } finally {
    bell.close()
  }
}

/** Rings with each sign of life of the agent; one that rang meanwhile is not missed. */
function createBell({ agent, events, signal }: FollowOptions) {
  let rings = 0
  let wake = (): void => {}
  const off = events.on(({ type, subject }) => {
    if (subject !== agent || !WAKING.has(type)) return
    rings += 1
    wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort)
  return {
    rings: () => rings,
    async after(count: number): Promise<void> {
      if (rings === count && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
    },
    close(): void {
      off()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
