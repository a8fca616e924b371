/** Which agents need which: everything that a start brings up, in the order that their needs give. */
import type { Manifest } from '../../config/manifest/index.ts'
import { asPloinkyError, PloinkyError } from '../../core/error.ts'
import type { Definition } from '../repos/index.ts'
import type { EnabledAgent, Registry } from './registry.ts'

export interface Need {
  readonly name: string
  /** Nobody waits for it, and its failure is nobody else's. */
  readonly noWait: boolean
}

export interface GraphNode {
  readonly agent: EnabledAgent
  readonly definition: Definition
  readonly manifest: Manifest
  readonly needs: readonly Need[]
}

export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>
  /** Names in waves: each needs only what is in earlier ones. */
  readonly waves: readonly (readonly string[])[]
  /** Only needed by edges that nobody waits for. */
  readonly background: ReadonlySet<string>
}

export interface GraphDeps {
  readonly registry: Registry
  load(agent: EnabledAgent): Promise<{ definition: Definition; manifest: Manifest }>
  /** Makes the repositories available that a manifest asks for. */
  ensureRepos(node: { definition: Definition; manifest: Manifest }): Promise<void>
}

/** Enables what is needed and not enabled yet. CONFIG_INVALID for a circle, AGENT_NOT_FOUND for what is missing, both with names. */
export async function buildGraph(roots: readonly EnabledAgent[], deps: GraphDeps): Promise<Graph> {
  const nodes = new Map<string, GraphNode>()

  async function visit(agent: EnabledAgent): Promise<void> {
    const { definition, manifest } = await deps.load(agent)
    if (nodes.has(agent.name)) return
    const needs: Need[] = []
    nodes.set(agent.name, { agent, definition, manifest, needs })
    if (Object.keys(manifest.repos).length > 0) await deps.ensureRepos({ definition, manifest })
    for (const { ref, mode, alias, profile, noWait, path } of manifest.dependencies) {
      const options = { alias, ...(mode.kind === 'isolated' ? {} : { mode }), ...(profile === null ? {} : { profile }) }
      const enabled = await deps.registry.enable(ref, options).catch((error: unknown) => {
        throw missing(agent.name, { ref, path, file: definition.manifestFile }, error)
      })
      const { name } = enabled.agent
      needs.push({ name, noWait })
      if (!nodes.has(name)) await visit(enabled.agent)
    }
  }

  for (const root of roots) await visit(root)
  const rootNames = roots.map(({ name }) => name)
  return { nodes, waves: wavesOf(nodes), background: backgroundOf(rootNames, nodes) }
}

function missing(agent: string, need: { ref: string; path: string; file: string }, thrown: unknown): PloinkyError {
  const error = asPloinkyError(thrown)
  return new PloinkyError(error.code, `Agent "${agent}" needs "${need.ref}" (${need.path}): ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, agent, ...need },
    cause: error,
  })
}

/** By the longest way to the bottom. What nobody waits for orders nothing. */
function wavesOf(nodes: ReadonlyMap<string, GraphNode>): string[][] {
  const depths = new Map<string, number>()
  const path: string[] = []

  function depthOf(name: string): number {
    const known = depths.get(name)
    if (known !== undefined) return known
    if (path.includes(name)) throw circle([...path.slice(path.indexOf(name)), name])
    path.push(name)
    const below = (nodes.get(name)?.needs ?? []).filter(({ noWait }) => !noWait).map((need) => depthOf(need.name))
    path.pop()
    const depth = Math.max(-1, ...below) + 1
    depths.set(name, depth)
    return depth
  }

  const waves: string[][] = []
  for (const name of nodes.keys()) (waves[depthOf(name)] ??= []).push(name)
  return waves
}

function circle(names: readonly string[]): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `Agents need each other: ${names.join(' -> ')}`, {
    hint: `Add "no-wait" to one of these in "enable", for example in the manifest of "${names.at(-2) ?? ''}"`,
    details: { circle: names },
  })
}

function backgroundOf(roots: readonly string[], nodes: ReadonlyMap<string, GraphNode>): Set<string> {
  const awaited = new Set<string>()
  const follow = (name: string): void => {
    if (awaited.has(name)) return
    awaited.add(name)
    for (const need of nodes.get(name)?.needs ?? []) if (!need.noWait) follow(need.name)
  }
  roots.forEach(follow)
  return new Set([...nodes.keys()].filter((name) => !awaited.has(name)))
}

export interface RunGraphOptions<T> {
  /** Brings one agent up; called when everything that it waits for is up. */
  run(node: GraphNode): Promise<T>
  /** Whether the result lets others that need it go on. */
  isUp(result: T): boolean
  /** The result of an agent that was not started, since what it needs is not up. */
  skipped(node: GraphNode, needs: readonly string[]): T
}

/** Every agent as soon as its own needs are met, not when a whole wave is: the time is that of the longest way. */
export async function runGraph<T>(
  { nodes }: Pick<Graph, 'nodes'>,
  names: readonly string[],
  options: RunGraphOptions<T>,
): Promise<Map<string, T>> {
  const started = new Map<string, Promise<T>>()

  function start(name: string, node: GraphNode): Promise<T> {
    const known = started.get(name)
    if (known !== undefined) return known
    const result = bringUp(node)
    started.set(name, result)
    return result
  }

  async function bringUp(node: GraphNode): Promise<T> {
    const waits = node.needs
      .filter(({ noWait }) => !noWait)
      .flatMap(({ name }) => {
        const needed = nodes.get(name)
        return needed === undefined ? [] : [{ name, result: start(name, needed) }]
      })
    const results = await Promise.all(
      waits.map(async ({ name, result }) => ({ name, isUp: options.isUp(await result) })),
    )
    const down = results.filter(({ isUp }) => !isUp).map(({ name }) => name)
    return down.length > 0 ? options.skipped(node, down) : await options.run(node)
  }

  const wanted = names.flatMap((name) => {
    const node = nodes.get(name)
    return node === undefined ? [] : [start(name, node)]
  })
  await Promise.all(wanted)
  const ended = await Promise.all([...started].map(async ([name, result]) => [name, await result] as const))
  return new Map(ended)
}
