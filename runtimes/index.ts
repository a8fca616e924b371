/** The list of runtimes. A folder here that is not in the list fails a test. */
import type { RuntimeDefinition } from './adapter.ts'
import { bwrapRuntime } from './bwrap/index.ts'
import { dockerRuntime } from './docker/index.ts'
import { fakeRuntime } from './fake/index.ts'
import { hostRuntime } from './host/index.ts'
import { podmanRuntime } from './podman/index.ts'

export const runtimeDefinitions: readonly RuntimeDefinition[] = [
  dockerRuntime,
  podmanRuntime,
  hostRuntime,
  bwrapRuntime,
  fakeRuntime,
]
