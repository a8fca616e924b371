/** What would be run for an agent, enabled or not: the plan, the values that are missing, the order. Changes nothing. */
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Grants } from '../callers/index.ts'
import type { Catalog } from '../repos/index.ts'
import type { RuntimeChooser } from './choose-runtime.ts'
import { buildGraph, type GraphDeps } from './graph.ts'
import { type ExplainedPlan, explainPlan } from './plan/explain.ts'
import type { Loaded, Planner, Target as Capabilities } from './planner.ts'
import type { EnabledAgent, EnableOptions, Registry } from './registry.ts'
import type { Runtimes } from './runtimes.ts'

export interface ExplainerDeps {
  registry: Registry
  planner: Planner
  catalog: Catalog
  runtimes: Runtimes
  chooser: RuntimeChooser
  grants: Grants
  paths: WorkspacePaths
}

interface Target {
  readonly name: string
  readonly capabilities: Capabilities
}

export function createExplainer(deps: ExplainerDeps) {
  const { registry, planner, catalog } = deps

  /** The agent as it is enabled, or as it would be. */
  async function agentOf(ref: string, options: EnableOptions = {}): Promise<EnabledAgent> {
    const known = (await registry.list()).find(({ name }) => name === (options.alias ?? ref))
    if (known !== undefined) return known
    const { repo, agent } = await catalog.resolve(ref)
    return {
      name: options.alias ?? agent,
      repo,
      agent,
      enabledAt: '',
      runtime: null,
      wanted: false,
      mode: options.mode ?? { kind: 'isolated' },
      profile: options.profile ?? null,
    }
  }

  /** The runtime that a start would choose now; without any, the plan is that of what is asked for, else of a container. */
  async function targetOf(agent: EnabledAgent, manifest: Loaded['manifest']): Promise<Target> {
    try {
      const { displayName: name, capabilities } = await deps.chooser.choose({ agent, manifest })
      return { name, capabilities }
    } catch (error) {
      if (!isPloinkyError(error) || error.code !== 'RUNTIME_UNAVAILABLE') throw error
      const wanted = deps.chooser.wanted(manifest)
      if (wanted === null) return { name: 'no engine', capabilities: { images: true, bindMounts: true } }
      const { displayName, capabilities } = await deps.runtimes.look(wanted)
      return { name: `${displayName} (not usable now)`, capabilities }
    }
  }

  async function orderOf(agent: EnabledAgent, load: GraphDeps['load']): Promise<readonly (readonly string[])[]> {
    const graph = await buildGraph([agent], {
      load,
      registry: {
        ...registry,
        enable: async (ref, options) => ({ agent: await agentOf(ref, options), created: false }),
      },
      ensureRepos: async () => {},
    })
    return graph.waves
  }

  return async (ref: string, profile: string | null): Promise<ExplainedPlan> => {
    const found = await agentOf(ref)
    const agent = profile === null ? found : { ...found, profile }
    const loaded = await planner.load(agent)
    const target = await targetOf(agent, loaded.manifest)
    const [prepared] = await planner.draft([{ agent, ...loaded }])
    if (prepared === undefined) throw new PloinkyError('INTERNAL', `Agent "${ref}" was not prepared`)
    const plan = planner.plan(prepared, target.capabilities, null)
    const { missing, problems, warnings } = prepared.resolution
    // Under another profile its needs may be others; theirs are those of their own.
    const load = (item: EnabledAgent) => (item.name === agent.name ? Promise.resolve(loaded) : planner.load(item))
    const order = await orderOf(agent, load)
    return explainPlan({
      ...loaded,
      agent,
      plan,
      missing,
      notes: [...problems, ...warnings],
      runtime: target.name,
      usesImage: target.capabilities.images,
      order,
      granted: (await deps.grants.list([agent])).filter(({ from }) => from === 'workspace'),
      paths: deps.paths,
    })
  }
}
