/**
 * Follows one engine: its event stream while there is one, a look at everything after each (re)connection, and looks alone
 * where the stream breaks again and again. An engine that cannot be asked is told as lost, and asked again.
 */
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import { delay } from '../../core/time.ts'
import type { RuntimeAdapter, RuntimeEvent, Workload } from '../../../runtimes/adapter.ts'

/** Until a stream that ended is opened again, ms: this is also the pace of looks where there is no stream to be had. */
const REOPEN_MS = 500
/** The same for an engine that does not answer: grows to the longest. */
const RETRY_LONGEST_MS = 5000
/** A stream can be dead without an end; a look costs a millisecond an agent. */
const RECHECK_MS = 60_000

export interface FollowOptions {
  readonly workspaceId: string
  readonly log: Logger
  open(): Promise<RuntimeAdapter>
  onEvent(adapter: RuntimeAdapter, event: RuntimeEvent): void
  /** Called before the question is put: what happens after it is newer than the answer. */
  beforeLook(): void
  onLook(adapter: RuntimeAdapter, workloads: readonly Workload[]): Promise<void>
  onLost(reason: string): void
}

export interface Following {
  /** Looks at everything now; nothing while the engine is lost. */
  look(): Promise<void>
}

export function followRuntime(options: FollowOptions, signal: AbortSignal): Following {
  const { workspaceId, log } = options
  let adapter: RuntimeAdapter | null = null

  async function look(): Promise<void> {
    if (adapter === null) return
    const asked = adapter
    options.beforeLook()
    const workloads = await asked.list({ workspace: workspaceId }, { signal })
    await options.onLook(asked, workloads)
  }

  async function round(): Promise<void> {
    adapter = await options.open()
    // Asked for before the look, so that nothing falls between the two.
    const events = adapter.events({ workspace: workspaceId }, { signal })
    await look()
    const recheck = setInterval(() => void look().catch(() => {}), RECHECK_MS)
    recheck.unref?.()
    try {
      for await (const event of events) options.onEvent(adapter, event)
    } catch (error) {
      if (!signal.aborted) log.warn('event stream ended', { runtime: adapter.id, error: messageOf(error) })
    } finally {
      clearInterval(recheck)
    }
  }

  async function follow(): Promise<void> {
    let pause = REOPEN_MS
    while (!signal.aborted) {
      try {
        await round()
        pause = REOPEN_MS
      } catch (error) {
        if (signal.aborted) return
        adapter = null
        options.onLost(messageOf(error))
        pause = Math.min(pause * 2, RETRY_LONGEST_MS)
      }
      await delay(pause, signal).catch(() => {})
    }
  }

  void follow()
  return { look }
}
