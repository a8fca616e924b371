/**
 * The tool-definition lock. What a locked agent's tools say of themselves is pinned; a tool that says something else, or is new,
 * is not told to clients and not called until a person approved it.
 */
import { toolLocksDocument, type ToolLock } from '../../config/documents.ts'
import { messageOf, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { own } from '../../core/id.ts'
import type { Logger } from '../../core/log.ts'
import type { Store } from '../../core/store.ts'
import { canonical, definitionsOf, type Definition, type Difference, differences } from './definition.ts'

export type { Difference } from './definition.ts'

/** A pinned definition is larger only in an attack on the one who reads it. */
const MAX_LOCK_BYTES = 4 * 1024 * 1024

export interface BlockedTool {
  readonly tool: string
  readonly why: 'changed' | 'new'
  readonly differences: readonly Difference[]
}

export interface LockView {
  readonly agent: string
  /** False: it is pinned when the agent next tells its tools. */
  readonly pinned: boolean
  readonly approved: readonly string[]
  readonly blocked: readonly BlockedTool[]
}

export interface ToolLocks {
  views(): Promise<LockView[]>
  /** True when it was not locked before. */
  lock(agent: string): Promise<boolean>
  unlock(agent: string): Promise<boolean>
  /** Null: all that are blocked. Gives those that were. */
  approve(agent: string, tools: readonly string[] | null): Promise<readonly string[]>
}

const isSame = (a: Definition | undefined, b: Definition): boolean => a !== undefined && canonical(a) === canonical(b)

function blockedIn({ approved, seen }: ToolLock): BlockedTool[] {
  if (approved === null) return []
  return Object.entries(seen).flatMap(([tool, definition]) => {
    const before = own(approved, tool)
    if (isSame(before, definition)) return []
    return [
      {
        tool,
        why: before === undefined ? ('new' as const) : ('changed' as const),
        differences: differences(before ?? {}, definition),
      },
    ]
  })
}

/** The part for commands. */
export function createToolLocks(store: Store): ToolLocks {
  const change = async (agent: string, to: (lock: ToolLock | undefined) => ToolLock | null): Promise<void> => {
    await store.update(toolLocksDocument, ({ agents }) => {
      const { [agent]: _before, ...others } = agents
      const next = to(own(agents, agent))
      return { agents: next === null ? others : { ...others, [agent]: next } }
    })
  }
  const find = async (agent: string): Promise<ToolLock | undefined> =>
    own((await store.read(toolLocksDocument)).agents, agent)

  return {
    async views() {
      const { agents } = await store.read(toolLocksDocument)
      return Object.entries(agents).map(([agent, lock]) => ({
        agent,
        pinned: lock.approved !== null,
        approved: Object.keys(lock.approved ?? {}),
        blocked: blockedIn(lock),
      }))
    },
    async lock(agent) {
      if ((await find(agent)) !== undefined) return false
      await change(agent, (lock) => lock ?? { approved: null, seen: {} })
      return true
    },
    async unlock(agent) {
      if ((await find(agent)) === undefined) return false
      await change(agent, () => null)
      return true
    },
    async approve(agent, tools) {
      const lock = await find(agent)
      if (lock === undefined)
        throw new PloinkyError('CONFIG_INVALID', `The tools of agent "${agent}" are not locked`, {
          hint: `Run: ploinky mcp lock ${agent}`,
        })
      const blocked = blockedIn(lock).map(({ tool }) => tool)
      const unknown = tools?.find((tool) => !blocked.includes(tool))
      if (unknown !== undefined)
        throw new PloinkyError('USAGE_INVALID', `Tool "${unknown}" of agent "${agent}" is not blocked`, {
          hint: blocked.length === 0 ? 'Nothing is to be approved' : `Blocked are: ${blocked.join(', ')}`,
        })
      const wanted = tools ?? blocked
      await change(agent, (now = lock) => ({
        ...now,
        approved: {
          ...now.approved,
          ...Object.fromEntries(
            wanted.flatMap((tool) => (now.seen[tool] === undefined ? [] : [[tool, now.seen[tool]]])),
          ),
        },
      }))
      return wanted
    },
  }
}

/** The part for the router: knows in memory what is blocked. */
export interface ToolGuard {
  has(agent: string): boolean
  /** Whether the tools of this run of the agent were looked at. */
  isChecked(agent: string, run: string): boolean
  /** Notes what an agent says of its tools; gives the names that may be told. */
  check(agent: string, run: string, tools: unknown): Promise<ReadonlySet<string>>
  /** Throws DENIED for a tool that is blocked or was never told. */
  assertCallable(agent: string, tool: string): void
  blocked(agent: string): readonly BlockedTool[]
  close(): void
}

/** Rejects when the locks cannot be read: nothing is served then that may have been blocked. */
export async function createToolGuard(options: { store: Store; events: EventBus; log: Logger }): Promise<ToolGuard> {
  const { store, events, log } = options
  let locks: Readonly<Record<string, ToolLock>> = {}
  const checked = new Map<string, string>()
  const read = async (): Promise<void> => {
    locks = (await store.read(toolLocksDocument)).agents
    for (const agent of checked.keys()) if (own(locks, agent) === undefined) checked.delete(agent)
  }
  const readAgain = (): void => {
    // The last locks that could be read stay in force.
    read().catch((error: unknown) => log.error('locks of tools not read', { error: messageOf(error) }))
  }
  const off = store.watch(toolLocksDocument, readAgain)
  await read().catch((error: unknown) => {
    off()
    throw error
  })

  const blockedOf = (agent: string): BlockedTool[] => {
    const lock = own(locks, agent)
    return lock === undefined ? [] : blockedIn(lock)
  }

  function tellNew(agent: string, before: ToolLock | undefined, now: ToolLock): void {
    const known = new Set((before === undefined ? [] : blockedIn(before)).map(({ tool }) => tool))
    for (const { tool, why } of blockedIn(now)) {
      if (known.has(tool)) continue
      log.warn('tool blocked', { agent, tool, why })
      events.emit({ type: 'tool.blocked', subject: agent, data: { tool, why } })
    }
  }

  return {
    has: (agent) => own(locks, agent) !== undefined,
    isChecked: (agent, run) => checked.get(agent) === run,
    async check(agent, run, tools) {
      const seen = Object.fromEntries(definitionsOf(tools))
      if (JSON.stringify(seen).length > MAX_LOCK_BYTES)
        throw new PloinkyError('DENIED', `Agent "${agent}" describes its tools in more than ${MAX_LOCK_BYTES} bytes`)
      const before = own(locks, agent)
      const isKnown = before?.approved != null && canonical(before.seen) === canonical(seen)
      if (!isKnown) {
        const { agents } = await store.update(toolLocksDocument, (current) => {
          const lock = own(current.agents, agent)
          if (lock === undefined) return current
          return { agents: { ...current.agents, [agent]: { approved: lock.approved ?? seen, seen } } }
        })
        locks = agents
        const now = own(agents, agent)
        if (now !== undefined) tellNew(agent, before, now)
      }
      checked.set(agent, run)
      const blocked = new Set(blockedOf(agent).map(({ tool }) => tool))
      return new Set(Object.keys(seen).filter((tool) => !blocked.has(tool)))
    },
    assertCallable(agent, tool) {
      const lock = own(locks, agent)
      if (lock === undefined) return
      const blocked = blockedIn(lock).find((item) => item.tool === tool)
      if (blocked === undefined) {
        if (lock.approved !== null && own(lock.approved, tool) !== undefined) return
        throw new PloinkyError('DENIED', `Tool "${tool}" of agent "${agent}" was never approved`, {
          hint: `Run: ploinky mcp locks`,
          details: { agent, tool },
        })
      }
      throw new PloinkyError(
        'DENIED',
        `Tool "${tool}" of agent "${agent}" is blocked: its definition ${blocked.why === 'new' ? 'is new' : 'changed'}`,
        {
          hint: `Look at it, then run: ploinky mcp approve ${agent} ${tool}`,
          details: { agent, tool, why: blocked.why, differences: blocked.differences },
        },
      )
    },
    blocked: blockedOf,
    close: off,
  }
}
