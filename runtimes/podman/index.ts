/** Podman, rootful or rootless by whoever runs us, through the `podman` command. There is no daemon. */
import type { RuntimeDefinition } from '../adapter.ts'
import { createCliAdapter } from '../cli/adapter.ts'
import { LOG_KEPT_MIB, type Dialect } from '../cli/dialect.ts'
import { qualifyReference } from '../cli/reference.ts'
import { PODMAN_CAPABILITIES } from './capabilities.ts'
import { probePodman } from './detect.ts'

/** Seconds without a connection after which an API service of ours ends by itself. */
const SERVICE_IDLE_SECONDS = 30

export const podmanDialect: Dialect = {
  id: 'podman',
  displayName: 'Podman',
  program: 'podman',
  programVariable: 'PLOINKY_PODMAN',
  runFlags: (spec) => [
    // One file, started anew when it is full: the other drivers are not bounded or lose the order of the streams.
    '--log-driver',
    'k8s-file',
    '--log-opt',
    `max-size=${LOG_KEPT_MIB}m`,
    // The host's proxy settings are not part of the spec.
    '--http-proxy=false',
    // With SELinux a mount would have to be relabelled for good, on the user's own files; not separating is the lesser harm.
    ...(spec.mounts.length > 0 ? ['--security-opt', 'label=disable'] : []),
  ],
  addsHost: false,
  // By the device names that nvidia-ctk writes down for podman (CDI).
  gpuFlags: ['--device', 'nvidia.com/gpu=all'],
  // Without it podman gives the program the full grace before it kills.
  removeFlags: ['--time', '0'],
  // A short name would make podman ask which registry is meant.
  pullReference: qualifyReference,
  jsonFormat: 'json',
  eventNames: ['start', 'died', 'pause', 'unpause', 'remove'],
  logBlockBytes: null,
  losesOutputOfUnreadInput: true,
  sizedTerminalApi: null,
  losesTerminalSizes: true,
  serviceArgs: (socket) => ['system', 'service', '--time', String(SERVICE_IDLE_SECONDS), `unix://${socket}`],
  probe: probePodman,
  assumed: PODMAN_CAPABILITIES,
}

export const podmanRuntime: RuntimeDefinition = {
  id: 'podman',
  displayName: 'Podman',
  create: (context) => createCliAdapter(context, podmanDialect),
}
