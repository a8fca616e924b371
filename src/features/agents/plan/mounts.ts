/** What an agent sees of this machine, and where it comes from. Pure: nothing is looked up, nothing is made. */
import { isAbsolute, join, normalize } from 'node:path'
import { stateNames, type WorkspacePaths } from '../../../config/paths.ts'
import type { EnableMode, Manifest, Volume } from '../../../config/manifest/index.ts'
import { PloinkyError } from '../../../core/error.ts'
import type { MountSpec } from '../../../../runtimes/adapter.ts'
import { AGENT_FOLDER, folderOf } from '../../callers/index.ts'
import type { Definition } from '../../repos/index.ts'
import { AGENT_DIR, CODE_DIR } from './command.ts'

/** Under /code it would need a folder there, which is somebody's clone. */
export const MODULES_DIR = '/node_modules'

export interface PlannedMount extends MountSpec {
  /** In words: key path of the manifest, or why it is there. */
  readonly from: string
  /** What has to be made before it can be mounted; null: it is there. */
  readonly volume: Volume | null
}

export interface MountInput {
  readonly agent: string
  readonly definition: Definition
  readonly manifest: Manifest
  readonly mode: EnableMode
  readonly paths: WorkspacePaths
  readonly assetsDir: string
  /** Folder of installed packages, mounted where Node finds it from any folder; null: none. */
  readonly nodeModules: string | null
}

/** The folder that the agent works on. */
export function projectFolder({ agent, mode, paths }: Pick<MountInput, 'agent' | 'mode' | 'paths'>): string {
  switch (mode.kind) {
    case 'isolated':
      return paths.agentWork(agent)
    case 'global':
      return paths.root
    case 'devel':
      return join(paths.repos, mode.repo)
  }
}

/** State, secrets and clones are hidden where the whole workspace is seen. */
function hidden(paths: WorkspacePaths, at: string): PlannedMount {
  return {
    source: paths.hidden,
    target: join(at, '.ploinky'),
    readOnly: true,
    from: 'state stays hidden',
    volume: null,
  }
}

function refuse(input: MountInput, volume: Volume, message: string): never {
  throw new PloinkyError('MANIFEST_INVALID', `Agent "${input.agent}": ${volume.path}: ${message}`, {
    hint: 'Volumes are folders or files of the workspace, such as ".ploinky/data/db" or "data/db"',
    details: { agent: input.agent, path: volume.path, file: input.definition.manifestFile },
  })
}

/** Where a volume is on this machine: inside the workspace, and no state of ours. */
function volumeSource(input: MountInput, volume: Volume): string {
  const { paths } = input
  if (volume.key !== null) return join(paths.data, volume.key)
  const written = volume.host ?? ''
  const source = normalize(isAbsolute(written) ? written : join(paths.root, written)).replace(/\/$/, '')
  if (source !== paths.root && !source.startsWith(`${paths.root}/`))
    refuse(input, volume, `"${written}" is outside of the workspace`)
  if (source === paths.dir) refuse(input, volume, `"${written}" holds the state of the workspace`)
  if (source.startsWith(`${paths.dir}/`)) {
    const [first = ''] = source.slice(paths.dir.length + 1).split('/')
    if (stateNames.some((name) => first === name || first.startsWith(`${name}.`)))
      refuse(input, volume, `"${written}" is state of the workspace`)
  }
  return source
}

function volumeMounts(input: MountInput): PlannedMount[] {
  return input.manifest.volumes.flatMap((volume) => {
    const { target, readOnly, path: from } = volume
    const isOurs =
      target === CODE_DIR || [AGENT_DIR, AGENT_FOLDER].some((place) => `${target}/`.startsWith(`${place}/`))
    if (isOurs) refuse(input, volume, `"${target}" is taken`)
    const source = volumeSource(input, volume)
    const mount: PlannedMount = { source, target, readOnly, from, volume }
    return source === input.paths.root ? [mount, hidden(input.paths, target)] : [mount]
  })
}

export function planMounts(input: MountInput): PlannedMount[] {
  const { definition, manifest, mode, paths } = input
  const work = paths.agentWork(input.agent)
  const project = projectFolder(input)
  // The package's own files are never writable, whatever the profile says.
  const readOnly = (kind: 'code' | 'skills'): boolean => definition.builtIn || manifest.mounts[kind] === 'ro'
  const modeOf = (kind: 'code' | 'skills'): string => manifest.origins['mounts'] ?? `${kind} of ${definition.ref}`
  const mounts: PlannedMount[] = [
    { source: join(input.assetsDir, 'Agent'), target: AGENT_DIR, readOnly: true, from: 'ploinky', volume: null },
    { source: definition.codeDir, target: CODE_DIR, readOnly: readOnly('code'), from: modeOf('code'), volume: null },
  ]
  // Read-only: the socket in it can be connected to, but neither removed nor replaced.
  const router = folderOf(paths, input.agent)
  mounts.push({ source: router, target: AGENT_FOLDER, readOnly: true, from: 'calls of agents', volume: null })
  if (definition.skillsDir !== null) {
    const target = `${CODE_DIR}/skills`
    mounts.push({
      source: definition.skillsDir,
      target,
      readOnly: readOnly('skills'),
      from: modeOf('skills'),
      volume: null,
    })
  }
  if (input.nodeModules !== null) {
    mounts.push({ source: input.nodeModules, target: MODULES_DIR, readOnly: true, from: 'package.json', volume: null })
  }
  if (mode.kind === 'global') {
    mounts.push({ source: project, target: project, readOnly: false, from: 'mode global', volume: null })
    mounts.push(hidden(paths, project))
  } else {
    mounts.push({ source: work, target: work, readOnly: false, from: 'working folder', volume: null })
    if (mode.kind === 'devel')
      mounts.push({ source: project, target: project, readOnly: false, from: `mode devel ${mode.repo}`, volume: null })
  }
  const own = new Set(mounts.map(({ target }) => target))
  const shared: PlannedMount = {
    source: paths.shared,
    target: '/shared',
    readOnly: false,
    from: 'shared',
    volume: null,
  }
  const volumes = volumeMounts(input)
  const takesShared = volumes.some(({ target }) => target === '/shared')
  for (const { target, volume } of volumes)
    if (volume !== null && own.has(target)) refuse(input, volume, `"${target}" is taken`)
  return [...mounts, ...(takesShared ? [] : [shared]), ...volumes]
}
