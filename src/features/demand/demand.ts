/** Agents that start on demand: started by the first call, stopped when nobody called for a while. */
import { agentsDocument } from '../../config/documents.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import { messageOf, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import type { Logger } from '../../core/log.ts'
import { sharedRead } from '../../core/shared-read.ts'
import type { Store } from '../../core/store.ts'
import type { EnabledAgent, Registry } from '../agents/index.ts'

/** Between two looks for agents that nobody uses, ms. */
const LOOK_MS = 1000

export interface DemandOptions {
  readonly registry: Pick<Registry, 'list'>
  readonly store: Pick<Store, 'watch'>
  readonly events: EventBus
  readonly log: Logger
  load(agent: EnabledAgent): Promise<{ manifest: Manifest }>
  /** Starts an agent with all it needs and waits until it is ready; throws why it cannot be. */
  start(agent: string): Promise<void>
  stop(agent: string): Promise<void>
  isRunning(agent: string): boolean
  /** Milliseconds on a steady clock. */
  now?(): number
}

export interface Demand {
  /** Whether calls start this agent. */
  has(agent: string): boolean
  /** Of one that may be stopped now: after how long a call of it becomes a task; null: never. */
  taskAfterSeconds(agent: string): number | null
  /** Resolves when it runs; one start serves all that ask for it. AGENT_NOT_READY when that takes longer than `waitMs`: it goes on. */
  wake(agent: string, waitMs: number): Promise<void>
  /** Resolves when a stop that is under way is over. */
  settled(agent: string): Promise<void>
  /** It is in use until the returned function is called. */
  use(agent: string): () => void
  close(): void
}

interface Use {
  idleMs: number
  taskAfterSeconds: number | null
  active: number
  lastUsed: number
  starting: Promise<void> | null
  stopping: Promise<void> | null
}

export function createDemand(options: DemandOptions): Demand {
  const { log, events } = options
  const now = options.now ?? (() => performance.now())
  const agents = new Map<string, Use>()

  async function read(): Promise<void> {
    const found = new Map<string, Pick<Use, 'idleMs' | 'taskAfterSeconds'>>()
    for (const agent of await options.registry.list()) {
      // One whose manifest cannot be read is told about where it is started.
      const manifest = await options.load(agent).then(
        (loaded) => loaded.manifest,
        () => null,
      )
      if (manifest?.startup !== 'on-demand') continue
      const { idleSeconds, mcp } = manifest
      found.set(agent.name, { idleMs: idleSeconds * 1000, taskAfterSeconds: mcp.taskAfterSeconds ?? null })
    }
    for (const name of agents.keys()) if (!found.has(name)) agents.delete(name)
    for (const [name, wanted] of found) {
      const known = agents.get(name)
      if (known === undefined)
        agents.set(name, { ...wanted, active: 0, lastUsed: now(), starting: null, stopping: null })
      else Object.assign(known, wanted)
    }
  }

  function begin(name: string, use: Use): Promise<void> {
    const began = now()
    log.info('agent starts on demand', { agent: name })
    const starting = options
      .start(name)
      .then(() => {
        events.emit({ type: 'agent.woken', subject: name, data: { milliseconds: Math.round(now() - began) } })
      })
      .finally(() => {
        use.starting = null
        use.lastUsed = now()
      })
    use.starting = starting
    // Who waited too short is told by the next call.
    starting.catch((error: unknown) =>
      log.warn('agent not started on demand', { agent: name, error: messageOf(error) }),
    )
    return starting
  }

  function look(): void {
    for (const [name, use] of agents) {
      const isIdle = use.active === 0 && use.starting === null && now() - use.lastUsed >= use.idleMs
      if (!isIdle || use.stopping !== null || !options.isRunning(name)) continue
      log.info('agent stops, nobody calls it', { agent: name, idleSeconds: use.idleMs / 1000 })
      use.stopping = options
        .stop(name)
        .then(() => void events.emit({ type: 'agent.idle', subject: name }))
        .catch((error: unknown) => log.warn('idle agent not stopped', { agent: name, error: messageOf(error) }))
        .finally(() => (use.stopping = null))
    }
  }

  // Every start and stop of an agent changes the document: reads do not pile up.
  const readShared = sharedRead(read)
  const readAgain = (): void => {
    readShared().catch((error: unknown) => log.warn('agents on demand not read', { error: messageOf(error) }))
  }
  const off = options.store.watch(agentsDocument, readAgain)
  readAgain()
  const timer = setInterval(look, LOOK_MS)
  timer.unref?.()
  return {
    has: (agent) => agents.has(agent),
    taskAfterSeconds: (agent) => agents.get(agent)?.taskAfterSeconds ?? null,
    async wake(agent, waitMs) {
      const use = agents.get(agent)
      if (use === undefined) return
      use.lastUsed = now()
      await within(use.starting ?? begin(agent, use), waitMs, agent)
    },
    async settled(agent) {
      await agents.get(agent)?.stopping
    },
    use(agent) {
      const use = agents.get(agent)
      if (use === undefined) return () => {}
      use.active += 1
      let open = true
      return () => {
        if (!open) return
        open = false
        use.active -= 1
        use.lastUsed = now()
      }
    },
    close() {
      off()
      clearInterval(timer)
    },
  }
}

async function within(starting: Promise<void>, waitMs: number, agent: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new PloinkyError('AGENT_NOT_READY', `Agent "${agent}" is starting`, {
          hint: 'Call again in a moment',
          details: { agent, state: 'starting', retryAfterSeconds: 2 },
        }),
      )
    }, waitMs)
  })
  try {
    await Promise.race([starting, late])
  } finally {
    clearTimeout(timer)
  }
}
