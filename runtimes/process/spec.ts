/** What every kind of plain process reads in a spec. */
import { PloinkyError } from '../../src/core/error.ts'
import { revealed } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { MountSpec, PortSpec, WorkloadSpec } from '../adapter.ts'
import type { ProcessKind } from './kind.ts'

/**
 * The host path of a path in the container: `/code/x` becomes `<source of /code>/x`. The longest target wins. Only text
 * that begins with a target, followed by nothing or a slash, is a path; text in the middle of a word is left alone.
 */
export function mapPath(mounts: readonly MountSpec[], text: string): string {
  let best: MountSpec | null = null
  for (const mount of mounts) {
    const target = trimSlash(mount.target)
    const inside = text === target || text.startsWith(`${target}/`)
    if (inside && (best === null || target.length > trimSlash(best.target).length)) best = mount
  }
  return best === null ? text : `${trimSlash(best.source)}${text.slice(trimSlash(best.target).length)}`
}

export const trimSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path)

/** Tells a program where to listen: by container port, and as `PORT` the first that speaks TCP. */
export function portEnvironment(ports: readonly PortSpec[]): Record<string, string> {
  const env = Object.fromEntries(ports.map(({ container, host }) => [`PLOINKY_PORT_${container}`, String(host)]))
  const first = ports.find(({ protocol }) => protocol === 'tcp')
  return first === undefined ? env : { ...env, PORT: String(first.host) }
}

export function refuse(spec: WorkloadSpec, message: string, hint: string): never {
  throw new PloinkyError('CONFIG_INVALID', message, {
    hint: `${hint}, then run: ploinky start ${spec.agent}`,
    details: { agent: spec.agent },
  })
}

/** Refuses what no plain process can be given. */
export async function checkSpec(platform: Platform, spec: WorkloadSpec, user: ProcessKind['user']): Promise<void> {
  if ((spec.entrypoint ?? spec.command ?? []).length === 0) {
    const message = `"${spec.agent}" has no command, and without an image there is no default`
    refuse(spec, message, 'Give the manifest a command')
  }
  for (const [name, value] of Object.entries(spec.env)) {
    if (revealed(value).includes('\0'))
      refuse(spec, `Environment variable "${name}" has a NUL byte`, `Change "${name}"`)
    if (!/^[^=\0]+$/.test(name)) {
      refuse(spec, `Not a name of an environment variable: ${JSON.stringify(name)}`, 'Rename it')
    }
  }
  for (const { source } of spec.mounts) {
    if ((await platform.fs.stat(source)) === null) {
      refuse(spec, `The mounted path does not exist: "${source}"`, 'Create it')
    }
  }
  if (spec.user !== null && !user.is(spec.user)) {
    throw new PloinkyError('CAPABILITY_UNSUPPORTED', `Programs run as "${user.name}" here, not as "${spec.user}"`, {
      hint: `Remove "user" from the manifest, or choose a container runtime: ploinky start ${spec.agent} --runtime docker`,
    })
  }
}
