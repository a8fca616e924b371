/** Lists are kept only while their agent would tell of a change: one subscription for each agent of which something is kept. */
import { pause } from '../../../core/time.ts'
import type { Principal } from '../../../core/principal.ts'
import type { AgentAccess } from '../access.ts'
import { envelope } from './call.ts'
import type { Eras } from './eras.ts'
import type { Index, Lists } from './lists.ts'
import { watchAgent } from './watch.ts'

const CHECK_MS = 30_000
const ALL = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

export interface KeeperOptions {
  readonly access: AgentAccess
  readonly eras: Eras
  readonly lists: Lists
  readonly index: Index
}

export interface Keeper {
  /** A list of the agent was kept. */
  watch(agent: string, principal: Principal): void
  close(): void
}

export function createKeeper({ access, eras, lists, index }: KeeperOptions): Keeper {
  const closed = new AbortController()
  const watched = new Set<string>()

  async function run(agent: string, principal: Principal): Promise<void> {
    const stop = new AbortController()
    const signal = AbortSignal.any([closed.signal, stop.signal])
    const forget = (): void => {
      lists.drop(agent)
      index.drop(agent)
    }
    const meta = envelope({ info: { name: 'ploinky', version: '1' } })
    const watching = watchAgent(agent, {
      ...{ access, eras, filter: ALL, caller: { principal, requestId: `watch-${agent}`, signal, meta } },
      onAck: () => {},
      onNotification: (method) => {
        if (method.endsWith('/list_changed')) forget()
      },
    })
    let isOver = false
    void watching.then(() => (isOver = true))
    do await Promise.race([watching, pause(CHECK_MS, signal)])
    while (!isOver && !signal.aborted && lists.kept().has(agent))
    stop.abort()
  }

  return {
    watch(agent, principal) {
      if (watched.has(agent) || closed.signal.aborted) return
      watched.add(agent)
      void run(agent, principal).finally(() => watched.delete(agent))
    },
    close: () => closed.abort(),
  }
}
