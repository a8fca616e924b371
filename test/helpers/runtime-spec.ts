/** A complete spec for tests of one adapter. */
import type { WorkloadSpec } from '../../runtimes/adapter.ts'
import { workloadName } from '../../src/core/id.ts'

export function specFor(workspace: string, overrides: Partial<WorkloadSpec> = {}): WorkloadSpec {
  const agent = overrides.agent ?? 'demo'
  return {
    name: workloadName(workspace, agent),
    workspace,
    agent,
    image: null,
    command: ['sleep', '100000'],
    entrypoint: null,
    workdir: null,
    env: {},
    mounts: [],
    ports: [],
    labels: {},
    user: null,
    limits: { pids: 256, memoryBytes: null, cpus: null },
    security: {
      readOnlyRoot: false,
      dropCapabilities: [],
      addCapabilities: [],
      privileged: false,
      shmBytes: null,
      gpus: null,
    },
    network: { mode: 'default' },
    stopGraceSeconds: 60,
    ...overrides,
  }
}
