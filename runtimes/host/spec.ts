/** From a spec to what a plain process needs: command line, folder, environment. Nothing can be mounted here, so paths are mapped. */
import { isAbsolute } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import { canonicalJson } from '../../src/core/id.ts'
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { MountSpec, PortSpec, WorkloadSpec } from '../adapter.ts'

/** Part of the hash: to be raised when the same spec is to give another process. */
const SPEC_FORMAT = 'ploinky-host-1'

/** What a program gets of the operator's environment; everything else stays out, for it may hold secrets. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const

export function specHash(platform: Platform, spec: WorkloadSpec): string {
  const env = Object.fromEntries(Object.entries(spec.env).map(([name, value]) => [name, revealed(value)]))
  return platform.hash.sha256Hex(`${SPEC_FORMAT}\n${canonicalJson({ ...spec, env })}`)
}

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

const trimSlash = (path: string): string => (path.length > 1 ? path.replace(/\/+$/, '') : path)

export interface HostCommand {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, MaybeSecret>>
}

/** The complete environment: ours in small part, then the spec's with its paths mapped, then the ports. */
export function hostCommand(platform: Platform, spec: WorkloadSpec, ports: readonly PortSpec[]): HostCommand {
  const { mounts } = spec
  const argv = [...(spec.entrypoint ?? []), ...(spec.command ?? [])].map((word) => mapPath(mounts, word))
  const env: Record<string, MaybeSecret> = {}
  for (const name of INHERITED) {
    const value = platform.env[name]
    if (value !== undefined) env[name] = value
  }
  for (const [name, value] of Object.entries(spec.env)) {
    env[name] = typeof value === 'string' ? mapPath(mounts, value) : value
  }
  for (const { container, host } of ports) env[`PLOINKY_PORT_${container}`] = String(host)
  const first = ports.find(({ protocol }) => protocol === 'tcp')
  if (first !== undefined) env['PORT'] = String(first.host)
  return { argv, cwd: mapPath(mounts, spec.workdir ?? platform.cwd()), env }
}

/** Refuses what a plain process cannot be given, before anything is touched. */
export async function checkSpec(platform: Platform, spec: WorkloadSpec): Promise<void> {
  const retry = `ploinky start ${spec.agent}`
  const refuse = (message: string, hint: string): never => {
    throw new PloinkyError('CONFIG_INVALID', message, {
      hint: `${hint}, then run: ${retry}`,
      details: { agent: spec.agent },
    })
  }
  if ((spec.entrypoint ?? spec.command ?? []).length === 0) {
    refuse(`"${spec.agent}" has no command, and without an image there is no default`, 'Give the manifest a command')
  }
  for (const [name, value] of Object.entries(spec.env)) {
    if (revealed(value).includes('\0')) refuse(`Environment variable "${name}" has a NUL byte`, `Change "${name}"`)
    if (!/^[^=\0]+$/.test(name)) refuse(`Not a name of an environment variable: ${JSON.stringify(name)}`, 'Rename it')
  }
  for (const { source } of spec.mounts) {
    if ((await platform.fs.stat(source)) === null) refuse(`The mounted path does not exist: "${source}"`, 'Create it')
  }
  if (spec.user !== null && !isOwnUser(platform, spec.user)) {
    throw new PloinkyError(
      'CAPABILITY_UNSUPPORTED',
      `Plain processes run as "${platform.os.user}", not as "${spec.user}"`,
      {
        hint: `Remove "user" from the manifest, or choose a container runtime: ${retry} --runtime docker`,
      },
    )
  }
}

export const isOwnUser = ({ os }: Platform, user: string): boolean => {
  const [name] = user.split(':')
  return name === os.user || name === String(os.uid)
}

/** Refuses a folder or a program that is not there, with the name that the user knows. */
export async function checkCommand(platform: Platform, spec: WorkloadSpec, command: HostCommand): Promise<void> {
  const folder = await platform.fs.stat(command.cwd)
  if (folder?.kind !== 'directory') {
    throw new PloinkyError('CONFIG_INVALID', `The working folder of "${spec.agent}" does not exist: "${command.cwd}"`, {
      hint: `Create it, then run: ploinky start ${spec.agent}`,
    })
  }
  const program = command.argv[0] ?? ''
  // A relative path is looked up from the working folder, a bare name on the PATH that the program gets.
  if (program.includes('/') && !isAbsolute(program)) return
  const path = command.env['PATH']
  const ownPath = path === undefined || revealed(path) === platform.env['PATH']
  if (!program.includes('/') && !ownPath) return
  if ((await platform.processes.which(program)) !== null) return
  throw new PloinkyError('RUNTIME_FAILED', `Program "${program}" of "${spec.agent}" is not installed on this host`, {
    hint: `Install "${program}", or choose a container runtime: ploinky start ${spec.agent} --runtime docker`,
    details: { program },
  })
}
