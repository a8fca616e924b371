/** Follows the engines' events and keeps routing true: an agent that ended is not routed, one that came back is. */
import type { RouteEntry } from '../../config/documents.ts'
import { messageOf } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import { delay } from '../../core/time.ts'
import type { RuntimeAdapter, RuntimeEvent } from '../../../runtimes/adapter.ts'
import type { Registry, RoutesWriter, Runtimes } from '../agents/index.ts'

/** Pause before an ended event stream is opened again, ms: grows to the maximum. */
const RETRY_MS = 500
const RETRY_MAX_MS = 15_000

export interface WatcherOptions {
  runtimes: Runtimes
  registry: Registry
  routes: RoutesWriter
  workspaceId: string
  events: EventBus
  log: Logger
}

export function createWatcher(options: WatcherOptions) {
  const { registry, routes, events, log, workspaceId } = options

  async function refresh(adapter: RuntimeAdapter, agent: string): Promise<void> {
    const entry = own((await routes.read()).routes, agent)
    if (entry === undefined || entry.containerPort === 0) return
    const endpoint = await adapter.endpoint(entry.container, entry.containerPort)
    if (endpoint === null || (endpoint.host === entry.hostIp && endpoint.port === entry.hostPort)) return
    const moved: RouteEntry = { ...entry, hostIp: endpoint.host, hostPort: endpoint.port }
    await routes.set(agent, moved)
    log.info('agent moved to another port', { agent, port: endpoint.port })
  }

  async function handle(adapter: RuntimeAdapter, event: RuntimeEvent): Promise<void> {
    const known = (await registry.list()).some((agent) => agent.name === event.agent)
    if (!known) return
    events.emit({
      type: `instance.${event.type}`,
      subject: event.agent,
      data: { runtime: adapter.id, exitCode: event.exitCode },
    })
    // A container that was started again by hand may have been given another port.
    if (event.type === 'started') await refresh(adapter, event.agent)
  }

  async function follow(adapter: RuntimeAdapter, signal: AbortSignal): Promise<void> {
    let pause = RETRY_MS
    while (!signal.aborted) {
      try {
        for await (const event of adapter.events({ workspace: workspaceId }, { signal })) {
          pause = RETRY_MS
          await handle(adapter, event).catch((error: unknown) =>
            log.warn('event not handled', { error: messageOf(error) }),
          )
        }
      } catch (error) {
        if (!signal.aborted) log.warn('event stream ended', { runtime: adapter.id, error: messageOf(error) })
      }
      await delay(pause, signal).catch(() => {})
      pause = Math.min(pause * 2, RETRY_MAX_MS)
    }
  }

  /** Follows each runtime that agents use, including those that come into use later. */
  return async function watch(signal: AbortSignal): Promise<void> {
    const followed = new Set<string>()
    const look = async (): Promise<void> => {
      for (const { runtime } of await registry.list()) {
        if (runtime === null || followed.has(runtime)) continue
        const adapter = await options.runtimes.use(runtime).catch(() => null)
        if (adapter === null) continue
        followed.add(runtime)
        void follow(adapter, signal)
      }
    }
    await look()
    const off = events.on((event) => {
      if (event.type === 'routing.changed')
        void look().catch((error: unknown) => log.warn('runtimes not followed', { error: messageOf(error) }))
    })
    signal.addEventListener('abort', off, { once: true })
  }
}
