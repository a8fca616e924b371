/** What podman is here, whether it can be used, and what it does not do. */
import * as z from 'zod/mini'
import { isPloinkyError, messageOf } from '../../src/core/error.ts'
import type { Detection } from '../adapter.ts'
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

/** Turns what podman says into capabilities and notes. Pure. */
export function describePodman(info: PodmanInfo, facts: { hasInit: boolean }): Omit<Probe, 'socket'> {
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
  const where = info.host.remoteSocket?.path
  return {
    capabilities: { ...PODMAN_CAPABILITIES, rootless, limits, stats: !oldCgroups },
    detection: {
      available: true,
      version: info.version.Version,
      endpoint: remote && where ? where : `local podman (${rootless ? 'rootless' : 'rootful'})`,
      rootless,
      notes,
    },
  }
}

async function hasInit(engine: Engine): Promise<boolean> {
  for (const path of INIT_PATHS) if ((await engine.platform.fs.stat(path)) !== null) return true
  return (await engine.platform.processes.which('catatonit')) !== null
}

/** Never throws. */
export async function probePodman(engine: Engine, signal: AbortSignal | undefined): Promise<Probe> {
  const none = { capabilities: PODMAN_CAPABILITIES, socket: null }
  try {
    const [result, init] = await Promise.all([
      engine.call(['info', '--format', 'json'], { timeoutMs: DETECT_TIMEOUT_MS, signal }),
      hasInit(engine),
    ])
    if (result.exitCode !== 0) {
      return { ...none, detection: explainPodmanFailure(result.stderr, engine.platform.os.user) }
    }
    const info = parsePodmanInfo(result.stdout)
    const described = describePodman(info, { hasInit: init })
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
