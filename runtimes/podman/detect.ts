/** What podman is here, whether it can be used, and what it does not do. */
import * as z from 'zod/mini'
import { isPloinkyError, messageOf } from '../../src/core/error.ts'
import type { Detection, RuntimeCapabilities } from '../adapter.ts'
import type { Engine, Probe } from '../cli/dialect.ts'
import { engineMessage } from '../cli/failure.ts'
import { readJson } from '../cli/parse.ts'
import { reachableSocket } from '../cli/socket.ts'
import { PODMAN_CAPABILITIES } from './capabilities.ts'

/** `podman info` alone takes a quarter of a second; the first call of a user sets up the namespace and takes longer. */
const DETECT_TIMEOUT_MS = 30_000

const infoSchema = z.object({
  host: z.object({
    cgroupVersion: z.nullish(z.string()),
    cgroupControllers: z.nullish(z.array(z.string())),
    security: z.object({ rootless: z.boolean() }),
    remoteSocket: z.nullish(z.object({ path: z.nullish(z.string()), exists: z.nullish(z.boolean()) })),
    serviceIsRemote: z.nullish(z.boolean()),
    networkBackend: z.nullish(z.string()),
    /** Since 4.5. */
    networkBackendInfo: z.nullish(z.object({ dns: z.nullish(z.object({ path: z.nullish(z.string()) })) })),
  }),
  version: z.object({ Version: z.string() }),
})
export type PodmanInfo = z.infer<typeof infoSchema>

/** The answer of `podman info --format json`. */
export const parsePodmanInfo = (output: string): PodmanInfo =>
  readJson(infoSchema, output, { runtime: 'podman', command: 'podman info' })

/** Where podman looks for its init by default, and where distributions put it. */
const INIT_PATHS = [
  '/usr/libexec/podman/catatonit',
  '/usr/local/libexec/podman/catatonit',
  '/usr/lib/podman/catatonit',
  '/usr/local/lib/podman/catatonit',
  '/usr/bin/catatonit',
] as const

/** Likewise for the name server of networks; podman finds it by itself and, before 4.5, does not say where. */
const DNS_PATHS = [
  '/usr/libexec/podman/aardvark-dns',
  '/usr/local/libexec/podman/aardvark-dns',
  '/usr/lib/podman/aardvark-dns',
  '/usr/local/lib/podman/aardvark-dns',
] as const

/** Programs that podman needs beside itself. */
export interface PodmanFacts {
  readonly hasInit: boolean
  readonly hasDns: boolean
}

type Unavailable = Extract<Detection, { available: false }>

const unavailable = (code: Unavailable['code'], message: string, hint: string): Unavailable => ({
  available: false,
  code,
  message,
  hint,
})

/** What a failed `podman info` means. */
export function explainPodmanFailure(stderr: string, user: string): Detection {
  const message = engineMessage(stderr) || 'The podman command gave no answer'
  if (/cannot connect to podman|unable to connect to podman|podman machine/i.test(stderr)) {
    return unavailable('NOT_RUNNING', message, 'Start it: podman machine init; podman machine start')
  }
  if (/newuidmap|newgidmap|subuid|subgid|no subid|insufficient uids/i.test(stderr)) {
    return unavailable(
      'UNUSABLE',
      message,
      `Give the user a range of ids: sudo apt-get install uidmap; sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}; podman system migrate`,
    )
  }
  if (/user namespaces? .*(?:not|disabled)|cannot clone|clone_newuser|unshare/i.test(stderr)) {
    return unavailable(
      'UNUSABLE',
      message,
      'Allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000',
    )
  }
  if (/permission denied|operation not permitted/i.test(stderr)) {
    return unavailable('NOT_PERMITTED', message, 'Run: podman info')
  }
  return unavailable('UNUSABLE', message, 'Run: podman info')
}

/** Without cgroup v2 a user's own podman takes limits and ignores them; with it, only delegated controllers count. */
export function podmanLimits(info: PodmanInfo): { memory: boolean; cpu: boolean; pids: boolean } {
  const { cgroupVersion, cgroupControllers, security } = info.host
  if (security.rootless && cgroupVersion !== 'v2') return { memory: false, cpu: false, pids: false }
  if (!cgroupControllers) return { memory: true, cpu: true, pids: true }
  const has = (name: string): boolean => cgroupControllers.includes(name)
  return { memory: has('memory'), cpu: has('cpu'), pids: has('pids') }
}

/**
 * Names in a network are answered by aardvark-dns, which comes with netavark; with the older CNI nothing tells whether its
 * plugin for names is there. The network of podman's virtual machine is not this host's.
 */
export function podmanNetworks(info: PodmanInfo, facts: PodmanFacts): RuntimeCapabilities['networks'] {
  const { networkBackend, networkBackendInfo, serviceIsRemote } = info.host
  const told = networkBackendInfo ? Boolean(networkBackendInfo.dns?.path) : facts.hasDns || (serviceIsRemote ?? false)
  return { none: true, host: !serviceIsRemote, named: networkBackend === 'netavark' && told }
}

const namedNote = ({ host }: PodmanInfo): string =>
  host.networkBackend === 'netavark'
    ? 'Agents cannot share networks: no name server was found; install it: sudo apt-get install aardvark-dns'
    : 'Agents cannot share networks: podman uses CNI here, and names need netavark (podman 4 or later)'

/** Turns what podman says into capabilities and notes. Pure. */
export function describePodman(info: PodmanInfo, facts: PodmanFacts): Omit<Probe, 'socket'> {
  const { rootless } = info.host.security
  const remote = info.host.serviceIsRemote ?? false
  const limits = podmanLimits(info)
  const oldCgroups = rootless && info.host.cgroupVersion !== 'v2'
  const missing = [
    ...(limits.memory ? [] : ['memory']),
    ...(limits.cpu ? [] : ['cpu']),
    ...(limits.pids ? [] : ['process']),
  ]
  const why = oldCgroups ? 'rootless podman needs cgroup v2' : 'the cgroup controllers are not delegated to this user'
  const notes = [
    ...(missing.length === 0 ? [] : [`Limits that are not enforced here: ${missing.join(', ')} (${why})`]),
    ...(oldCgroups ? ['CPU and memory use cannot be measured (rootless podman needs cgroup v2)'] : []),
    ...(facts.hasInit || remote
      ? []
      : ['No init program for containers was found; install it: sudo apt-get install catatonit']),
  ]
  const networks = podmanNetworks(info, facts)
  if (!networks.named) notes.push(namedNote(info))
  const where = info.host.remoteSocket?.path
  return {
    capabilities: { ...PODMAN_CAPABILITIES, rootless, limits, networks, stats: !oldCgroups },
    detection: {
      available: true,
      version: info.version.Version,
      endpoint: remote && where ? where : `local podman (${rootless ? 'rootless' : 'rootful'})`,
      rootless,
      notes,
    },
  }
}

async function hasProgram({ platform }: Engine, name: string, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if ((await platform.fs.stat(path)) !== null) return true
  return (await platform.processes.which(name)) !== null
}

/** Never throws. */
export async function probePodman(engine: Engine, signal: AbortSignal | undefined): Promise<Probe> {
  const none = { capabilities: PODMAN_CAPABILITIES, socket: null }
  try {
    const [result, hasInit, hasDns] = await Promise.all([
      engine.call(['info', '--format', 'json'], { timeoutMs: DETECT_TIMEOUT_MS, signal }),
      hasProgram(engine, 'catatonit', INIT_PATHS),
      hasProgram(engine, 'aardvark-dns', DNS_PATHS),
    ])
    if (result.exitCode !== 0) {
      return { ...none, detection: explainPodmanFailure(result.stderr, engine.platform.os.user) }
    }
    const info = parsePodmanInfo(result.stdout)
    const described = describePodman(info, { hasInit, hasDns })
    const path = info.host.remoteSocket?.path?.replace(/^unix:\/\//, '') ?? null
    const socket = await reachableSocket(engine, path)
    return { ...described, capabilities: { ...described.capabilities, api: socket !== null }, socket }
  } catch (error) {
    return { ...none, detection: explainThrown(error) }
  }
}

function explainThrown(error: unknown): Detection {
  const code = isPloinkyError(error) ? error.code : null
  if (code === 'RUNTIME_UNAVAILABLE') {
    return unavailable(
      'NOT_INSTALLED',
      messageOf(error),
      'Install podman: sudo apt-get install podman catatonit uidmap',
    )
  }
  if (code === 'TIMEOUT') return unavailable('NOT_RUNNING', 'Podman does not answer', 'Run: podman info')
  return unavailable('UNUSABLE', messageOf(error), 'Run: podman info')
}
