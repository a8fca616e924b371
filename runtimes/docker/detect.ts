/** What the docker engine is, whether it can be used, and what it does not do. */
import * as z from 'zod/mini'
import { isPloinkyError, messageOf } from '../../src/core/error.ts'
import type { Detection } from '../adapter.ts'
import type { Engine, Probe } from '../cli/dialect.ts'
import { engineMessage } from '../cli/failure.ts'
import { readJson } from '../cli/parse.ts'
import { reachableSocket } from '../cli/socket.ts'
import { infoBySocket } from './by-socket.ts'
import { DOCKER_CAPABILITIES } from './capabilities.ts'

const DETECT_TIMEOUT_MS = 15_000

const flag = z.nullish(z.boolean())
const infoSchema = z.object({
  ServerVersion: z.nullish(z.string()),
  ServerErrors: z.nullish(z.array(z.string())),
  SecurityOptions: z.nullish(z.array(z.string())),
  MemoryLimit: flag,
  CpuCfsQuota: flag,
  PidsLimit: flag,
  CgroupDriver: z.nullish(z.string()),
  InitBinary: z.nullish(z.string()),
  InitCommit: z.nullish(z.object({ ID: z.nullish(z.string()) })),
  OSType: z.nullish(z.string()),
})
export type DockerInfo = z.infer<typeof infoSchema>

/** The answer of `docker info --format '{{json .}}'`. */
export const parseDockerInfo = (output: string): DockerInfo =>
  readJson(infoSchema, output, { runtime: 'docker', command: 'docker info' })

const unavailable = (
  code: Extract<Detection, { available: false }>['code'],
  message: string,
  hint: string,
): Detection => ({ available: false, code, message, hint })

const START_HINT = 'Start it: sudo systemctl start docker (or open Docker Desktop), then run: ploinky doctor'

/** What `docker info` means when it gives no engine. `stdout` may be an empty description beside the error. */
export function explainDockerFailure(stdout: string, stderr: string): Detection {
  const message = engineMessage(stderr) || 'The docker command gave no answer'
  if (/permission denied/i.test(stderr)) {
    return unavailable(
      'NOT_PERMITTED',
      message,
      'Join the group, then sign in again: sudo usermod -aG docker "$USER"; or use rootless podman',
    )
  }
  if (/emulate docker cli using podman/i.test(stderr) || /"buildahVersion"/.test(stdout)) {
    return unavailable('UNUSABLE', 'The docker command is podman in disguise', 'Use it as podman: --runtime podman')
  }
  if (/cannot connect|error during connect|connection refused|no such host|dial /i.test(stderr)) {
    return unavailable('NOT_RUNNING', message, START_HINT)
  }
  return unavailable('UNUSABLE', message, 'Run: docker info')
}

export function limitNotes(limits: { memory: boolean; cpu: boolean; pids: boolean }, why: string): string[] {
  const names = { memory: 'memory', cpu: 'cpu', pids: 'process' } as const
  const missing = (['memory', 'cpu', 'pids'] as const).filter((key) => !limits[key]).map((key) => names[key])
  if (missing.length === 0) return []
  return [`Limits that are not enforced here: ${missing.join(', ')} (${why})`]
}

/** Turns what the engine says into capabilities and notes. Pure. */
export function describeDocker(info: DockerInfo, host: string): Omit<Probe, 'socket'> {
  const version = info.ServerVersion ?? ''
  const rootless = (info.SecurityOptions ?? []).some((option) => option.split(',').includes('name=rootless'))
  const controlled = info.CgroupDriver !== 'none'
  const limits = {
    memory: controlled && (info.MemoryLimit ?? false),
    cpu: controlled && (info.CpuCfsQuota ?? false),
    pids: controlled && (info.PidsLimit ?? false),
  }
  // Rootless, the engine's host is a network namespace of its own: neither reaches the other under any name.
  const reach = rootless ? { hostGateway: null, networks: { ...DOCKER_CAPABILITIES.networks, host: false } } : {}
  const capabilities = { ...DOCKER_CAPABILITIES, ...reach, rootless, limits }
  if (info.OSType === 'windows') {
    const detection = unavailable('UNUSABLE', 'Docker runs Windows containers', 'Switch Docker to Linux containers')
    return { capabilities, detection }
  }
  // dockerd asks its init for a version; "N/A" means that it could not run it, and `--init` would fail for every container.
  if (info.InitCommit?.ID === 'N/A') {
    const detection = unavailable(
      'UNUSABLE',
      `Docker cannot run its init program "${info.InitBinary ?? 'docker-init'}"`,
      'Install it: sudo apt-get install tini; sudo ln -s /usr/bin/tini-static /usr/local/bin/docker-init',
    )
    return { capabilities, detection }
  }
  const notes = limitNotes(limits, 'the kernel or the cgroup set-up does not support them')
  if (/^(?:tcp|ssh|https?):/.test(host)) {
    notes.push(`The engine is reached over ${host.split(':')[0]}: folders and ports of agents are on its machine`)
  }
  if (rootless) notes.push('Containers cannot reach this host, nor have its network (rootless docker)')
  return { capabilities, detection: { available: true, version, endpoint: host, rootless, notes } }
}

/** Never throws. */
export async function probeDocker(engine: Engine, signal: AbortSignal | undefined): Promise<Probe> {
  const none = { capabilities: DOCKER_CAPABILITIES, socket: null }
  try {
    const direct = await infoBySocket(engine, signal)
    if (direct !== null) {
      const described = describeDocker(parseDockerInfo(direct.info), `unix://${direct.socket}`)
      return { ...described, capabilities: { ...described.capabilities, api: true }, socket: direct.socket }
    }
    const parts = { timeoutMs: DETECT_TIMEOUT_MS, signal }
    const [info, context] = await Promise.all([
      engine.call(['info', '--format', '{{json .}}'], parts),
      engine.call(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'], parts),
    ])
    if (info.exitCode !== 0 || /"buildahVersion"/.test(info.stdout)) {
      return { ...none, detection: explainDockerFailure(info.stdout, info.stderr) }
    }
    const parsed = parseDockerInfo(info.stdout)
    if (!parsed.ServerVersion) {
      const said = [info.stderr, ...(parsed.ServerErrors ?? [])].join('\n')
      return { ...none, detection: explainDockerFailure(info.stdout, said) }
    }
    const host = context.exitCode === 0 ? context.stdout.trim() : (engine.platform.env['DOCKER_HOST'] ?? 'default')
    const described = describeDocker(parsed, host)
    const path = host.startsWith('unix://') ? host.slice('unix://'.length) : null
    const socket = described.detection.available ? await reachableSocket(engine, path) : null
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
      'Install Docker Engine: sudo apt-get install docker.io (or see https://docs.docker.com/engine/install/)',
    )
  }
  if (code === 'TIMEOUT') return unavailable('NOT_RUNNING', 'The docker engine does not answer', START_HINT)
  return unavailable('UNUSABLE', messageOf(error), 'Run: docker info')
}
