/** What would be run for an agent: its definition, its variables and its mounts, put together. Changes nothing. */
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import { PloinkyError } from '../../core/error.ts'
import type { RuntimeCapabilities } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Catalog, Definition } from '../repos/index.ts'
import type { SecretStore } from '../secrets/index.ts'
import { type MissingValue, type ResolvedEnvironment, resolveEnvironment } from './environment.ts'
import { type Plan, planWorkload } from './plan/workload.ts'
import type { EnabledAgent } from './registry.ts'

export interface Loaded {
  readonly definition: Definition
  readonly manifest: Manifest
}

export interface Missing extends MissingValue {
  readonly agent: string
  readonly file: string
}

export interface Planner {
  load(agent: EnabledAgent): Promise<Loaded>
  profileOf(agent: EnabledAgent): string
  environment(agent: EnabledAgent, loaded: Loaded): Promise<ResolvedEnvironment>
  /** The plan as far as values are there, and those that are missing. */
  draft(
    agent: EnabledAgent,
    loaded: Loaded,
    capabilities: Pick<RuntimeCapabilities, 'images'>,
  ): Promise<{ plan: Plan; missing: readonly MissingValue[] }>
  /** CONFIG_INVALID when a required variable has no value. */
  plan(agent: EnabledAgent, loaded: Loaded, capabilities: Pick<RuntimeCapabilities, 'images'>): Promise<Plan>
}

export interface PlannerDeps {
  platform: Platform
  paths: WorkspacePaths
  workspaceId: string
  readonly profile: string
  catalog: Catalog
  secrets: SecretStore
}

/** All that is missing at once, each with who needs it. */
export function missingError(missing: readonly Missing[]): PloinkyError {
  const [first] = missing
  const lines = missing.map(({ agent, variable, path }) => `"${variable}" for agent "${agent}" (${path})`)
  return new PloinkyError('CONFIG_INVALID', `Values are missing: ${lines.join(', ')}`, {
    hint: `Run: ploinky var ${first?.variable ?? 'NAME'} <value>`,
    details: { missing },
  })
}

export function createPlanner(deps: PlannerDeps): Planner {
  const profileOf = (agent: EnabledAgent): string => agent.profile ?? deps.profile

  async function environment(_agent: EnabledAgent, { manifest }: Loaded): Promise<ResolvedEnvironment> {
    const secrets = await deps.secrets.all()
    return resolveEnvironment(manifest, { secrets, environment: deps.platform.env })
  }

  const draft: Planner['draft'] = async (agent, loaded, capabilities) => {
    const { definition, manifest } = loaded
    const { values, missing } = await environment(agent, loaded)
    const plan = planWorkload({
      agent: agent.name,
      definition,
      manifest,
      mode: agent.mode,
      workspaceId: deps.workspaceId,
      paths: deps.paths,
      assetsDir: deps.platform.assetsDir,
      profile: profileOf(agent),
      capabilities,
      image: manifest.image,
      env: values,
      nodeModules: null,
    })
    return { plan, missing }
  }

  return {
    profileOf,
    environment,
    draft,
    async load(agent) {
      const definition = await deps.catalog.resolve(`${agent.repo}/${agent.agent}`)
      return { definition, manifest: await deps.catalog.manifest(definition, profileOf(agent)) }
    },
    async plan(agent, loaded, capabilities) {
      const { plan, missing } = await draft(agent, loaded, capabilities)
      if (missing.length === 0) return plan
      const file = loaded.definition.manifestFile
      throw missingError(missing.map((item) => ({ ...item, agent: agent.name, file })))
    },
  }
}
