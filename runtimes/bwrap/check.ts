/** What a sandbox cannot be given, refused before anything is touched. */
import { isAbsolute, join, normalize } from 'node:path'
import { PloinkyError } from '../../src/core/error.ts'
import { revealed } from '../../src/core/secret.ts'
import type { Platform } from '../../src/platform/index.ts'
import type { MountSpec, WorkloadSpec } from '../adapter.ts'
import type { Program } from '../process/kind.ts'
import { mapPath, refuse, trimSlash } from '../process/spec.ts'
import { byDepth, HOME } from './arguments.ts'
import { NODE_FOLDER, SYSTEM } from './system.ts'

const RESERVED = [...SYSTEM, '/etc', '/proc', '/dev', '/sys', NODE_FOLDER]
const OWN_FOLDERS = ['/', '/tmp', '/var/tmp', '/run', HOME]

const isIn = (folder: string, path: string): boolean => path === folder || path.startsWith(`${folder}/`)

export async function checkSandbox(platform: Platform, spec: WorkloadSpec): Promise<void> {
  if (spec.security.addCapabilities.length > 0) {
    throw new PloinkyError(
      'CAPABILITY_UNSUPPORTED',
      `A sandbox has no capabilities, and "${spec.agent}" asks for some`,
      {
        hint: `Choose a container runtime: ploinky start ${spec.agent} --runtime docker`,
      },
    )
  }
  for (const { target } of spec.mounts) {
    const path = trimSlash(target)
    if (!isAbsolute(path) || path === '/' || normalize(path) !== path || path.includes('\0')) {
      refuse(spec, `Not a folder that something can be mounted on: ${JSON.stringify(target)}`, 'Change the volume')
    }
    const reserved = RESERVED.find((folder) => isIn(folder, path) || isIn(path, folder))
    if (reserved !== undefined) {
      const hint = 'Change the target of the volume, or choose a container runtime'
      refuse(spec, `A sandbox has the system's own "${reserved}": nothing can be mounted on "${target}"`, hint)
    }
  }
  await checkNested(platform, spec)
}

/**
 * A mount inside another one's folder, which an agent may be able to write: a link put there would lead bubblewrap, which
 * creates what is missing, to a place of the agent's choice.
 */
async function checkNested({ fs }: Platform, spec: WorkloadSpec): Promise<void> {
  const mounts = byDepth(spec.mounts)
  for (const { target } of mounts) {
    const outer = mounts.filter((other) => other.target !== target && isIn(other.target, target))
    for (const { source, target: folder } of outer) {
      let path = source
      for (const part of target.slice(folder.length + 1).split('/')) {
        path = join(path, part)
        if ((await fs.lstat(path))?.kind === 'symlink') {
          refuse(spec, `A link is where "${target}" is to be mounted: "${path}"`, 'Remove the link')
        }
      }
    }
  }
}

/** Where a path of the sandbox is on this host; null for what exists only inside, or not at all. */
export function hostPath(mounts: readonly MountSpec[], path: string): string | null {
  const mapped = mapPath(mounts, path)
  if (mapped !== path || mounts.some(({ target }) => isIn(trimSlash(target), path))) return mapped
  return SYSTEM.some((folder) => isIn(folder, path)) ? path : null
}

export async function checkSandboxCommand(platform: Platform, spec: WorkloadSpec, command: Program): Promise<void> {
  await checkFolder(platform, spec, command.cwd)
  await checkProgram(platform, spec, command)
}

async function checkFolder(platform: Platform, spec: WorkloadSpec, cwd: string): Promise<void> {
  const folder = hostPath(spec.mounts, cwd)
  const isFolder = folder !== null && (await platform.fs.stat(folder))?.kind === 'directory'
  const isParent = folder === null && spec.mounts.some(({ target }) => isIn(cwd, target))
  if (!isFolder && !isParent && !OWN_FOLDERS.includes(cwd)) {
    const message = `The working folder of "${spec.agent}" does not exist in the sandbox: "${cwd}"`
    refuse(spec, message, 'Mount it as a volume')
  }
}

async function checkProgram(platform: Platform, spec: WorkloadSpec, command: Program): Promise<void> {
  const program = command.argv[0] ?? ''
  if (program.includes('/') && !isAbsolute(program)) return
  const path = revealed(command.env['PATH'] ?? '').split(':')
  const candidates = program.includes('/') ? [program] : path.map((part) => join(part, program))
  for (const candidate of candidates) {
    // What exists only inside, such as a program in /tmp, shows when it runs.
    if (OWN_FOLDERS.some((own) => own !== '/' && isIn(own, candidate)) || isIn(NODE_FOLDER, candidate)) return
    const found = hostPath(spec.mounts, candidate)
    if (found !== null && (await platform.fs.stat(found)) !== null) return
  }
  throw new PloinkyError('RUNTIME_FAILED', `Program "${program}" of "${spec.agent}" is not in the sandbox`, {
    hint: `Install "${program}" in /usr, or choose a container runtime: ploinky start ${spec.agent} --runtime docker`,
    details: { program },
  })
}
