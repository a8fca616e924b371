/** The engine's answer over its own socket, where nothing says that the `docker` command would use another engine. */
import { join } from 'node:path'
import { parseJson } from '../../src/core/json.ts'
import type { Engine } from '../cli/dialect.ts'

/** Where the daemon listens, and the command looks, unless they are told otherwise. */
const SOCKET = '/var/run/docker.sock'
const TIMEOUT_MS = 10_000

/** The socket that the command would use, or null when that takes the command itself to find out. */
async function socketOf({ platform, program, dialect }: Engine): Promise<string | null> {
  const { env, fs, os } = platform
  // Another program in its place may speak to another engine, or none.
  if (program !== dialect.program || env['DOCKER_CONTEXT'] || env['DOCKER_API_VERSION']) return null
  const host = env['DOCKER_HOST']
  if (host) return host.startsWith('unix:///') ? host.slice('unix://'.length) : null
  const file = join(env['DOCKER_CONFIG'] || join(os.homeDir, '.docker'), 'config.json')
  const text = await fs.readText(file, { maxBytes: 1024 * 1024 })
  if (text === null) return SOCKET
  const config = parseJson(text)
  if (!config.ok || typeof config.value !== 'object' || config.value === null) return null
  const context = (config.value as { currentContext?: unknown }).currentContext
  return context === undefined || context === '' || context === 'default' ? SOCKET : null
}

export interface SocketAnswer {
  readonly socket: string
  /** JSON, as `docker info` gives it. */
  readonly info: string
}

/** Two processes less than asking the command. Null: ask the command, which also explains better what is wrong. */
export async function infoBySocket(engine: Engine, signal: AbortSignal | undefined): Promise<SocketAnswer | null> {
  const { net, processes } = engine.platform
  const socket = await socketOf(engine).catch(() => null)
  if (socket === null || (await processes.which(engine.program)) === null) return null
  const answer = await net
    .request({
      socketPath: socket,
      method: 'GET',
      path: '/info',
      headers: { host: 'localhost' },
      timeoutMs: TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    })
    .catch(() => null)
  const info = (await answer?.text().catch(() => '')) ?? ''
  // podman answers on this socket too, where it stands in for docker.
  return answer?.status === 200 && !/"buildahVersion"/i.test(info) ? { socket, info } : null
}
