/** From a spec to what a plain process needs: command line, folder, environment. Nothing can be mounted here, so paths are mapped. */
import { isAbsolute } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import { revealed, type MaybeSecret } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { PortSpec, WorkloadSpec } from '../adapter.ts'
import type { Program } from '../process/kind.ts'
import { mapPath, portEnvironment } from '../process/spec.ts'

/** What a program gets of the operator's environment; everything else stays out, for it may hold secrets. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const

/** The complete environment: ours in small part, then the spec's with its paths mapped, then the ports. */
export function hostCommand(platform: Platform, spec: WorkloadSpec, ports: readonly PortSpec[]): Program {
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
  return { argv, cwd: mapPath(mounts, spec.workdir ?? platform.cwd()), env: { ...env, ...portEnvironment(ports) } }
}

export const isOwnUser = ({ os }: Platform, user: string): boolean => {
  const [name] = user.split(':')
  return name === os.user || name === String(os.uid)
}

/** Refuses a folder or a program that is not there, with the name that the user knows. */
export async function checkCommand(platform: Platform, spec: WorkloadSpec, command: Program): Promise<void> {
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
