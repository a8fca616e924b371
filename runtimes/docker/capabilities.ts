/** What docker can do when nothing else is known; `detect` corrects it for this machine. */
import type { RuntimeCapabilities } from '../adapter.ts'

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
  hostGateway: 'host.docker.internal',
  networks: { none: true, host: true, named: true },
  privileged: true,
  gpus: true,
}
