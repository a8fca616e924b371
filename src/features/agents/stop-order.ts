/** Agents are stopped before what they need: a program that writes to its database until it ends still has one. */
import type { Manifest } from '../../config/manifest/index.ts'
import type { EnabledAgent } from './registry.ts'

export interface Stopping {
  readonly name: string
  /** Names of agents that it needs. */
  readonly needs: readonly string[]
}

/**
 * For each agent, which others have to be stopped before it. Where agents need each other in a circle (which no start
 * allows, but a manifest may have changed since), one of them does not wait.
 */
export function stopOrder(agents: readonly Stopping[]): ReadonlyMap<string, readonly string[]> {
  const needers = new Map(agents.map(({ name }): [string, string[]] => [name, []]))
  for (const { name, needs } of agents) for (const need of needs) if (need !== name) needers.get(need)?.push(name)
  const places = new Map<string, number>()
  const seen = new Set<string>()
  function visit(name: string): void {
    if (seen.has(name)) return
    seen.add(name)
    needers.get(name)?.forEach(visit)
    places.set(name, places.size)
  }
  agents.forEach(({ name }) => visit(name))
  const isBefore = (name: string, other: string): boolean => (places.get(name) ?? 0) < (places.get(other) ?? 0)
  return new Map([...needers].map(([name, all]) => [name, all.filter((needer) => isBefore(needer, name))]))
}

/** What a manifest needs, by the names under which it is enabled. One that cannot be read orders nothing. */
export async function needsOf(
  agent: EnabledAgent,
  load: (agent: EnabledAgent) => Promise<{ manifest: Manifest }>,
): Promise<Stopping> {
  const dependencies = await load(agent).then(
    ({ manifest }) => manifest.dependencies,
    () => [],
  )
  const names = dependencies.map(({ ref, alias }) => alias ?? ref.split(/[/:]/).at(-1) ?? ref)
  return { name: agent.name, needs: names }
}

/** Runs `stop` for all, each as soon as those that need it have been stopped, or could not be. */
export async function stopInOrder<T>(
  agents: readonly EnabledAgent[],
  order: ReadonlyMap<string, readonly string[]>,
  stop: (agent: EnabledAgent) => Promise<T>,
): Promise<T[]> {
  const gates = new Map(agents.map(({ name }) => [name, createGate()]))
  return await Promise.all(
    agents.map(async (agent) => {
      for (const name of order.get(agent.name) ?? []) await gates.get(name)?.passed
      try {
        return await stop(agent)
      } finally {
        gates.get(agent.name)?.open()
      }
    }),
  )
}

function createGate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { passed, open: () => open() }
}
