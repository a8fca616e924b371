/** What a runtime cannot do is refused before anything is touched: an instance that silently lacks it would be worse. */
import { PloinkyError } from '../src/core/error.ts'
import { networkName } from '../src/core/id.ts'
import type { JobSpec, NetworkAttachment, RuntimeCapabilities, WorkloadSpec } from './adapter.ts'

/** Others look the name up in DNS: a label of it. Underscores are no host names but are in use. */
const ALIAS = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
/** Below, no program can use it; above, it would be all of the memory of most machines. */
const SHM_BYTES = { least: 65_536, most: 2 ** 40 }

interface Runtime {
  readonly displayName: string
  readonly capabilities: Pick<RuntimeCapabilities, 'networks' | 'privileged' | 'gpus'>
}

/** Throws CAPABILITY_UNSUPPORTED, or CONFIG_INVALID for what is no network or no size anywhere. */
export function assertSupported(spec: JobSpec | WorkloadSpec, runtime: Runtime): void {
  const { networks, privileged, gpus } = runtime.capabilities
  const { mode } = spec.network
  if (mode !== 'default' && !networks[mode === 'networks' ? 'named' : mode]) {
    const what = { none: 'take the network away', host: "give the host's network", networks: 'join named networks' }[
      mode
    ]
    throw unsupported(spec, runtime, { what, setting: 'network' })
  }
  if (spec.security.privileged && !privileged) {
    throw unsupported(spec, runtime, { what: 'give more rights than the user has', setting: 'privileged' })
  }
  if (spec.security.gpus !== null && !gpus) throw unsupported(spec, runtime, { what: 'give GPUs', setting: 'gpus' })
  checkNetworks(spec)
  const { shmBytes } = spec.security
  if (shmBytes !== null && !(Number.isInteger(shmBytes) && shmBytes >= SHM_BYTES.least && shmBytes <= SHM_BYTES.most)) {
    throw invalid(spec, `Invalid size of shared memory: ${shmBytes} bytes`, 'Use a size such as 256m')
  }
}

function checkNetworks(spec: JobSpec | WorkloadSpec): void {
  if (spec.network.mode === 'host') return checkHostPorts(spec)
  if (spec.network.mode !== 'networks') return
  const { attachments } = spec.network
  if (attachments.length === 0) throw invalid(spec, 'No network is named', 'Name one, or use the mode "default"')
  const names = attachments.map(({ name }) => networkName(spec.workspace, name))
  if (new Set(names).size < names.length)
    throw invalid(spec, 'A network is named twice', 'Give all aliases at one place')
  for (const alias of attachments.flatMap(({ aliases }) => aliases)) {
    if (ALIAS.test(alias)) continue
    throw invalid(spec, `Invalid network alias: ${JSON.stringify(alias.slice(0, 80))}`, 'Use a host name such as "db"')
  }
}

/** In the host's network the program itself listens: no engine can move its port. */
function checkHostPorts(spec: JobSpec | WorkloadSpec): void {
  for (const { container, host } of 'ports' in spec ? spec.ports : []) {
    if (host === 0 || host === container) continue
    throw invalid(
      spec,
      `Port ${container} cannot be at ${host}: in the host's network a port is where the program listens`,
      'Remove the host port, or the network mode "host"',
    )
  }
}

export interface JoinedNetwork extends NetworkAttachment {
  /** What the engine knows it by. */
  readonly engineName: string
}

/** The networks that a spec joins, the primary one first. */
export function joinedNetworks(spec: JobSpec | WorkloadSpec): readonly JoinedNetwork[] {
  if (spec.network.mode !== 'networks') return []
  return spec.network.attachments.map((item) => ({ ...item, engineName: networkName(spec.workspace, item.name) }))
}

const invalid = (spec: JobSpec | WorkloadSpec, message: string, hint: string): PloinkyError =>
  new PloinkyError('CONFIG_INVALID', `Agent "${spec.agent}": ${message}`, { hint, details: { agent: spec.agent } })

function unsupported(
  spec: JobSpec | WorkloadSpec,
  { displayName }: Runtime,
  { what, setting }: { what: string; setting: string },
): PloinkyError {
  return new PloinkyError(
    'CAPABILITY_UNSUPPORTED',
    `${displayName} cannot ${what}, as agent "${spec.agent}" asks for`,
    {
      hint: `Remove "${setting}" from its manifest, or choose another runtime: ploinky start --runtime docker ${spec.agent}`,
      details: { agent: spec.agent, setting },
    },
  )
}
