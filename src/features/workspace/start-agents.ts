/** Brings agents up with all that they need: checked and allowed first, then each as soon as its own needs are met. */
import { asPloinkyError, exitCodeOf, PloinkyError } from '../../core/error.ts'
import {
  buildGraph,
  type EnabledAgent,
  type Graph,
  type GraphNode,
  type Instances,
  type Planner,
  type Prepared,
  type Registry,
  type RoutesWriter,
  type RuntimeChooser,
  runGraph,
} from '../agents/index.ts'
import type { Consents } from '../hooks/index.ts'

export interface StartInput {
  /** Enabled first when it is not; null: every enabled agent that starts by itself. */
  readonly agent: string | null
  readonly progress: (text: string, key: string) => void
  /** Called when the engine has been asked to start the first agent: what else there is to do can be done now. */
  readonly underWay?: () => void
  readonly signal?: AbortSignal
  /** Asks a person; without it nothing new is allowed. */
  readonly confirm?: (question: string) => Promise<boolean>
  /** False: everything is checked and allowed, and left to the router to start. */
  readonly wait?: boolean
}

export interface AgentResult {
  readonly agent: string
  readonly state: 'ready' | 'failed' | 'stopped' | 'starting'
  readonly outcome: string
  readonly runtime: string | null
  readonly milliseconds: number
  readonly warnings?: readonly string[]
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string; readonly exit: number }
}

export interface StartResult {
  readonly agents: readonly AgentResult[]
  readonly notices: readonly string[]
  /** Agents that are still to be started, without anybody waiting for them. */
  readonly later: readonly string[]
}

export interface StarterOptions {
  registry: Registry
  instances: Instances
  planner: Planner
  consents: Consents
  chooser: RuntimeChooser
  routes: RoutesWriter
  ensureRepos(node: Pick<GraphNode, 'definition' | 'manifest'>, progress: StartInput['progress']): Promise<void>
}

export interface Starter {
  start(input: StartInput): Promise<StartResult>
}

export function createStarter(options: StarterOptions): Starter {
  const { registry, instances, planner } = options

  /** `start x`: an agent that is enabled under this name, else one to enable. */
  async function rootsOf(agent: string | null): Promise<EnabledAgent[]> {
    const enabled = await registry.list()
    if (agent !== null) {
      const known = enabled.find(({ name }) => name === agent)
      return [known ?? (await registry.enable(agent)).agent]
    }
    const automatic = await Promise.all(
      enabled.map(async (item) => {
        // One that cannot be read fails by itself, later and with its reason.
        const startup = await planner.load(item).then(
          ({ manifest }) => manifest.startup,
          () => 'automatic' as const,
        )
        return startup === 'automatic' ? [item] : []
      }),
    )
    return automatic.flat()
  }

  async function graph(roots: readonly EnabledAgent[], progress: StartInput['progress']): Promise<Graph> {
    return await buildGraph(roots, {
      registry,
      load: planner.load,
      ensureRepos: (node) => options.ensureRepos(node, progress),
    })
  }

  /** Several roots: one whose needs cannot be met must not keep the others from starting. */
  async function graphOfAll(roots: readonly EnabledAgent[], input: StartInput) {
    if (roots.length === 1 || input.agent !== null) return { graph: await graph(roots, input.progress), failed: [] }
    const nodes = new Map<string, GraphNode>()
    const failed: AgentResult[] = []
    const background = new Set<string>()
    const awaited = new Set<string>()
    for (const root of roots) {
      try {
        const part = await graph([root], input.progress)
        for (const [name, node] of part.nodes) {
          nodes.set(name, node)
          if (part.background.has(name)) background.add(name)
          else awaited.add(name)
        }
      } catch (error) {
        failed.push(failure(root, error))
      }
    }
    for (const name of awaited) background.delete(name)
    return { graph: { nodes, background }, failed }
  }

  /** Before anything is started: values that are missing, and commands on this machine that nobody allowed. */
  async function check(
    nodes: ReadonlyMap<string, GraphNode>,
    input: StartInput,
  ): Promise<ReadonlyMap<string, Prepared>> {
    const prepared = await planner.prepare([...nodes.values()])
    const { confirm } = input
    if (confirm !== undefined) await options.consents.obtain(prepared, confirm)
    return new Map(prepared.map((item) => [item.agent.name, item]))
  }

  async function startOne(prepared: Prepared, input: StartInput, notices: Set<string>): Promise<AgentResult> {
    const { agent, manifest } = prepared
    const began = Date.now()
    const done = () => ({ agent: agent.name, milliseconds: Date.now() - began })
    try {
      const adapter = await options.chooser.choose({ agent, manifest, notice: (text) => void notices.add(text) })
      const progress = (line: string): void => input.progress(`${agent.name}: ${line}`, agent.name)
      const { underWay, signal } = input
      const result = await instances.start(agent, { adapter, progress, underWay, signal, prepared })
      return { ...done(), state: 'ready', outcome: result.outcome, runtime: result.runtime, warnings: result.warnings }
    } catch (error) {
      input.progress(`${agent.name}: failed`, agent.name)
      return { ...failure(agent, error), ...done() }
    }
  }

  return {
    async start(input) {
      const notices = new Set<string>()
      const roots = await rootsOf(input.agent)
      if (roots.length === 0) {
        const waiting = await registry.list()
        if (waiting.length > 0) return { agents: [], notices: [onlyNamed(waiting)], later: [] }
        throw new PloinkyError('USAGE_INVALID', 'No agent is enabled in this workspace', {
          hint: 'Run: ploinky start demo',
        })
      }
      const { graph: found, failed } = await graphOfAll(roots, input)
      const prepared = await check(found.nodes, input)
      const chosen = await registry.static()
      const [first] = roots
      if (chosen === null && input.agent !== null && first !== undefined) await registry.setStatic(first.name)
      const isAwaited = (name: string): boolean => input.wait !== false && !found.background.has(name)
      const names = [...found.nodes.keys()]
      let underWay = (): void => {}
      const asked = new Promise<void>((resolve) => (underWay = resolve))
      const { underWay: told } = input
      if (told !== undefined) void asked.then(told)
      const starting = runGraph<AgentResult>(found, names.filter(isAwaited), {
        run: async (node) => {
          const item = prepared.get(node.agent.name)
          if (item === undefined) throw new PloinkyError('INTERNAL', `Agent "${node.agent.name}" was not prepared`)
          return await startOne(item, { ...input, underWay }, notices)
        },
        isUp: ({ state }) => state === 'ready',
        skipped: (node, needs) => failure(node.agent, neededBy(node.agent, needs)),
      })
      const noting = Promise.race([asked, starting]).then(() => options.routes.setStatic(chosen ?? first?.name ?? null))
      const [results] = await Promise.all([starting, noting])
      // In the order in which they were asked for: what was named first comes first.
      const ended = names.flatMap((name) => results.get(name) ?? [])
      const later = names.filter((name) => !isAwaited(name))
      return { agents: [...ended, ...later.map(leftToRouter), ...failed], notices: [...notices], later }
    },
  }
}

const onlyNamed = (agents: readonly EnabledAgent[]): string =>
  `Started when they are named or called: ${agents.map(({ name }) => name).join(', ')}`

const leftToRouter = (agent: string): AgentResult => ({
  agent,
  state: 'starting',
  outcome: 'not waited for',
  runtime: null,
  milliseconds: 0,
})

function neededBy(agent: EnabledAgent, needs: readonly string[]): PloinkyError {
  const list = needs.map((name) => `"${name}"`).join(', ')
  return new PloinkyError('AGENT_FAILED', `Agent "${agent.name}" was not started: it needs ${list}, which failed`, {
    hint: `See why: ploinky logs ${needs[0] ?? ''}`,
    details: { agent: agent.name, needs },
  })
}

function failure(agent: EnabledAgent, error: unknown): AgentResult {
  const base = { agent: agent.name, runtime: agent.runtime, milliseconds: 0 }
  return { ...base, state: 'failed', outcome: 'failed', error: errorData(error) }
}

export function errorData(thrown: unknown): NonNullable<AgentResult['error']> {
  const error = asPloinkyError(thrown)
  return {
    code: error.code,
    message: error.message,
    exit: exitCodeOf(error),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}
