/** Ports of plain processes: each container port gets a port of the host, which the program is told to listen on. */
import { PloinkyError } from '../../src/core/error.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { PortSpec, WorkloadSpec } from '../adapter.ts'

const PROBE_MS = 500
const MAX_TRIES = 20

export const dialHost = (hostIp: string): string =>
  hostIp === '0.0.0.0' || hostIp === '' ? '127.0.0.1' : hostIp === '::' ? '::1' : hostIp

/** Ports that can be reached: in network mode 'host' each under its own number, without a network none at all. */
export function reachablePorts({ network, ports }: Pick<WorkloadSpec, 'network' | 'ports'>): readonly PortSpec[] {
  switch (network.mode) {
    case 'default':
      return ports
    case 'host':
      return ports.map((port) => ({ ...port, host: port.container, hostIp: '127.0.0.1' }))
    case 'none':
    case 'networks':
      return []
  }
}

/**
 * Chooses a host port for each port that is wanted. `before` are the ports of the last run, kept where they are still free;
 * `taken` belong to other instances. PORT_TAKEN when a port that the spec names has a listener.
 */
export async function allocatePorts(
  platform: Platform,
  wanted: readonly PortSpec[],
  known: { before: readonly PortSpec[]; taken: ReadonlySet<number> },
): Promise<PortSpec[]> {
  const chosen: PortSpec[] = []
  const used = new Set(known.taken)
  for (const port of wanted) {
    const host = port.host === 0 ? await freePort(platform, port, { ...known, used }) : await wantedPort(platform, port)
    used.add(host)
    chosen.push({ ...port, host })
  }
  return chosen
}

const isFree = async ({ net }: Platform, { hostIp }: PortSpec, port: number): Promise<boolean> =>
  !(await net.isListening(dialHost(hostIp), port, PROBE_MS))

async function freePort(
  platform: Platform,
  port: PortSpec,
  { before, used }: { before: readonly PortSpec[]; used: ReadonlySet<number> },
): Promise<number> {
  const last = before.find((item) => item.container === port.container && item.protocol === port.protocol)
  if (last !== undefined && !used.has(last.host) && (await isFree(platform, port, last.host))) return last.host
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const host = await platform.net.freePort(dialHost(port.hostIp))
    if (!used.has(host)) return host
  }
  throw new PloinkyError('PORT_TAKEN', `No free port found for port ${port.container}`, {
    hint: 'Name a free one in the manifest under "ports"',
  })
}

async function wantedPort(platform: Platform, port: PortSpec): Promise<number> {
  if (port.protocol === 'udp' || (await isFree(platform, port, port.host))) return port.host
  const owner = await platform.processes.listenerOf(port.host)
  const who = owner === null ? 'another program' : `process ${owner.pid} (${owner.command.slice(0, 120)})`
  throw new PloinkyError('PORT_TAKEN', `Port ${port.host} on ${port.hostIp} is taken by ${who}`, {
    hint: 'Stop that program, or choose another port in the manifest under "ports"',
    details: { port: port.host, ...(owner === null ? {} : { pid: owner.pid }) },
  })
}
