/**
 * The list of runtimes. A folder here that is not in the list fails a test. Each is loaded when it is used: a command uses one,
 * and reading all of them took a tenth of what a start adds to the engine's own time.
 */
import type { RuntimeDefinition, RuntimeId } from './adapter.ts'

export const runtimeLoaders: Readonly<Record<RuntimeId, () => Promise<RuntimeDefinition>>> = {
  docker: async () => (await import('./docker/index.ts')).dockerRuntime,
  podman: async () => (await import('./podman/index.ts')).podmanRuntime,
  host: async () => (await import('./host/index.ts')).hostRuntime,
  bwrap: async () => (await import('./bwrap/index.ts')).bwrapRuntime,
  fake: async () => (await import('./fake/index.ts')).fakeRuntime,
}
