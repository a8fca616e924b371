/** What docker can do when nothing else is known; `detect` corrects it for this machine. */
import type { RuntimeCapabilities } from '../adapter.ts'

/** Name by which containers reach the host; docker knows it only when it is added (20.10 and later). */
export const HOST_GATEWAY = 'host.docker.internal'

export const DOCKER_CAPABILITIES: RuntimeCapabilities = {
  images: true,
  isolation: true,
  bindMounts: true,
  tty: true,
  nativeEvents: true,
  stats: true,
  rootless: false,
  limits: { memory: true, cpu: true, pids: true },
  api: false,
  hostGateway: HOST_GATEWAY,
}
