/** What would be run for an agent: its definition, its variables and its mounts, put together. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { Manifest } from '../../config/manifest/index.ts'
import type { RuntimeCapabilities } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Catalog, Definition } from '../repos/index.ts'
import {
  assertResolved,
  type EnvironmentRequest,
  expandReference,
  type MissingValue,
  type Resolution,
  resolveEnvironment,
  type Variables,
} from '../variables/index.ts'
import { OWN_NAMES, type Plan, type PlannedValue, planWorkload } from './plan/workload.ts'
import type { EnabledAgent } from './registry.ts'

export interface Loaded {
  readonly definition: Definition
  readonly manifest: Manifest
}

/** An agent with the values of its variables. */
export interface Prepared extends Loaded {
  readonly agent: EnabledAgent
  readonly resolution: Resolution
  /** Its variables filled in; as written where one is missing. */
  readonly image: string
}

export type Target = Pick<RuntimeCapabilities, 'images' | 'bindMounts'>

export interface Planner {
  load(agent: EnabledAgent): Promise<Loaded>
  /** Values as they are now; what nobody has made yet is told as such. Changes nothing. */
  draft(items: readonly (Loaded & { agent: EnabledAgent })[]): Promise<Prepared[]>
  /** Makes generated values that are missing. CONFIG_INVALID, once for all, when a value is missing or wrong. */
  prepare(items: readonly (Loaded & { agent: EnabledAgent })[]): Promise<Prepared[]>
  /** `nodeModules`: folder of its installed packages, or null. */
  plan(prepared: Prepared, capabilities: Target, nodeModules: string | null): Plan
}

export interface PlannerDeps {
  platform: Platform
  paths: WorkspacePaths
  workspaceId: string
  readonly profile: string
  catalog: Catalog
  variables: Variables
}

export function createPlanner(deps: PlannerDeps): Planner {
  const profileOf = (agent: EnabledAgent): string => agent.profile ?? deps.profile

  function requestOf({ agent, definition, manifest }: Loaded & { agent: EnabledAgent }): EnvironmentRequest {
    const storage = manifest.volumes.find(({ key }) => key !== null)
    return {
      agent: agent.name,
      repo: definition.repo,
      definition: definition.agent,
      file: definition.manifestFile,
      env: manifest.env,
      secrets: manifest.secrets,
      resourceEnv: manifest.resourceEnv,
      storage:
        storage === undefined ? null : { host: join(deps.paths.data, storage.key ?? ''), container: storage.target },
      given: OWN_NAMES,
    }
  }

  async function resolve(
    items: readonly (Loaded & { agent: EnabledAgent })[],
    options: { create: boolean },
  ): Promise<Prepared[]> {
    const requests = items.map(requestOf)
    const sources = await deps.variables.load(requests, options)
    return items.map((item, index) => {
      const resolution = resolveEnvironment(requests[index] as EnvironmentRequest, sources)
      const { image } = item.manifest
      if (!image.includes('${')) return { ...item, resolution, image }
      const expanded = expandReference(image, sources, resolution.values)
      const path = item.manifest.origins['image'] ?? 'image'
      const missing = expanded.missing.map((variable): MissingValue => ({
        ...{ agent: item.agent.name, variable, neededBy: path, file: item.definition.manifestFile },
        ...{ kind: 'image', empty: false },
      }))
      const problems = expanded.problems.map((message) => ({ path, message }))
      return {
        ...item,
        image: expanded.value ?? image,
        resolution: {
          ...resolution,
          missing: [...resolution.missing, ...missing],
          problems: [...resolution.problems, ...problems],
        },
      }
    })
  }

  return {
    async load(agent) {
      const definition = await deps.catalog.resolve(`${agent.repo}/${agent.agent}`)
      return { definition, manifest: await deps.catalog.manifest(definition, profileOf(agent)) }
    },
    draft: (items) => resolve(items, { create: false }),
    async prepare(items) {
      const prepared = await resolve(items, { create: true })
      assertResolved(prepared.map(({ resolution }) => resolution))
      return prepared
    },
    plan({ agent, definition, manifest, resolution, image }, capabilities, nodeModules) {
      const env = new Map<string, PlannedValue>()
      for (const [name, { value, from }] of resolution.values) env.set(name, { value, from: from.text })
      return planWorkload({
        agent: agent.name,
        definition,
        manifest,
        mode: agent.mode,
        workspaceId: deps.workspaceId,
        paths: deps.paths,
        assetsDir: deps.platform.assetsDir,
        profile: profileOf(agent),
        capabilities,
        image,
        env,
        nodeModules,
      })
    },
  }
}
