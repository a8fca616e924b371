/** Where the router reaches an instance, and who answers MCP for it. */
import { join } from 'node:path'
import { imagesDocument, type RouteEntry } from '../../config/documents.ts'
import { createBatch } from '../../core/batch.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { Platform } from '../../platform/index.ts'
import type { Definition } from '../repos/index.ts'
import { findNode, type Started } from './find-node.ts'
import type { Plan } from './plan/workload.ts'
import type { Loaded } from './planner.ts'

export interface MadeInstance extends Loaded {
  readonly adapter: RuntimeAdapter
  readonly plan: Plan
  readonly workload: Workload
}

export interface RouteFinder {
  find(made: MadeInstance, options: { signal?: AbortSignal }): Promise<RouteEntry>
  /** Resolves when what was learnt about images is written. */
  noted(): Promise<unknown>
}

export function createRouteFinder({ platform, store }: { platform: Platform; store: Store }): RouteFinder {
  const noteImage = createBatch(store, imagesDocument)
  let imagesNoted: Promise<unknown> = Promise.resolve()
  const { fs } = platform

  /** Found out once; the answer is kept by image id. */
  async function knowsNode(started: Started): Promise<boolean> {
    const key = started.workload.imageId
    const known = key === null ? undefined : own((await store.read(imagesDocument)).images, key)
    if (known !== undefined) return known.node
    const node = await findNode(platform.net, started)
    if (key !== null && node !== null) {
      const noted = noteImage(({ images }) => ({ images: { ...images, [key]: { ...own(images, key), node } } }))
      imagesNoted = Promise.all([imagesNoted, noted])
      imagesNoted.catch(() => {})
    }
    // Nobody knows: then it is waited for, and an end is explained.
    return node ?? true
  }

  /** A program of its own (`start`) may serve MCP too; if the agent ships a tool configuration, its tools run through exec instead. */
  async function declaresMcp(definition: Definition): Promise<RouteEntry['mcp']> {
    const config = await fs.stat(join(definition.codeDir, 'mcp-config.json'))
    return config === null ? 'container' : 'exec'
  }

  async function staticFolder(definition: Definition): Promise<string | null> {
    const folder = await fs.realPath(join(definition.codeDir, 'public'))
    // A link out of the agent's folder would publish files that are not its own.
    if (folder === null || !folder.startsWith(`${definition.dir}/`)) return definition.dir
    return (await fs.stat(folder))?.kind === 'directory' ? folder : definition.dir
  }

  return {
    noted: () => imagesNoted,
    async find({ adapter, plan, manifest, definition, workload }, options) {
      const at = endpointOf(adapter, workload, plan.primaryPort)
      const [endpoint, hasNode, files] = await Promise.all([
        at,
        plan.mcp === 'detect'
          ? at.then((found) => knowsNode({ adapter, workload, endpoint: found, ...options }))
          : true,
        staticFolder(definition),
      ])
      const isMcp = manifest.readiness.protocol === 'mcp' || plan.mcp === 'detect'
      return {
        container: workload.name,
        runtime: adapter.id,
        hostIp: endpoint?.host ?? '127.0.0.1',
        hostPort: endpoint?.port ?? 0,
        containerPort: plan.primaryPort,
        mcp: plan.mcp === 'stdio' ? 'stdio' : hasNode ? (isMcp ? 'container' : await declaresMcp(definition)) : 'exec',
        mcpPath: manifest.mcp.transport === 'http' ? manifest.mcp.path : '/mcp',
        files,
        ...(manifest.mcp.taskAfterSeconds === undefined ? {} : { taskAfterSeconds: manifest.mcp.taskAfterSeconds }),
      }
    },
  }
}

async function endpointOf(adapter: RuntimeAdapter, workload: Workload, port: number) {
  const known = workload.ports.find((item) => item.container === port && item.protocol === 'tcp' && item.host !== 0)
  return known === undefined ? await adapter.endpoint(workload.name, port) : { host: known.hostIp, port: known.host }
}
