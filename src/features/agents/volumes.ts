/** Makes what volumes need before they are mounted: folders and files of the workspace, with their modes. */
import { dirname, extname, join } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { MountSpec } from '../../../runtimes/adapter.ts'
import type { PlannedMount } from './plan/mounts.ts'

export interface VolumeContext {
  readonly fs: FileSystem
  /** Real path of the workspace: nothing outside of it is made or mounted. */
  readonly root: string
  readonly agent: string
}

function problem({ agent }: VolumeContext, { volume }: PlannedMount, message: string): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `Agent "${agent}": ${volume?.path ?? ''}: ${message}`, {
    hint: `See what is mounted: ploinky plan ${agent}`,
    details: { agent, path: volume?.path ?? null },
  })
}

/** A link of the workspace could lead anywhere; what is mounted is where it really is. */
async function assertInside(context: VolumeContext, mount: PlannedMount): Promise<void> {
  const root = (await context.fs.realPath(context.root)) ?? context.root
  let known: string | null = null
  for (let at = mount.source; known === null && at !== dirname(at); at = dirname(at))
    known = await context.fs.realPath(at)
  if (known === root || known?.startsWith(`${root}/`)) return
  throw problem(context, mount, `"${mount.source}" leads out of the workspace`)
}

async function makeSource(context: VolumeContext, mount: PlannedMount): Promise<void> {
  const { fs } = context
  const { source, volume } = mount
  if (volume === null || (await fs.stat(source)) !== null) return
  if (volume.required || volume.generated) {
    const why = volume.generated ? 'is not there: nothing has written it yet' : 'is required and not there'
    throw problem(context, mount, `"${source}" ${why}`)
  }
  // A name with an extension is a file, as in the first generation.
  if (extname(source) === '') return await fs.mkdir(source)
  await fs.mkdir(dirname(source))
  await fs.writeAtomic(source, '')
}

/** Idempotent. `generated` ones are looked for only when `late`: what writes them may be a hook that ran before. */
export async function prepareVolumes(context: VolumeContext, mounts: readonly PlannedMount[]): Promise<void> {
  for (const mount of mounts) {
    const { volume, source } = mount
    if (volume === null) continue
    await assertInside(context, mount)
    await makeSource(context, mount)
    await assertInside(context, mount)
    if (volume.chmod !== null) await context.fs.chmod(source, volume.chmod)
    for (const folder of volume.worldWritable) {
      const path = join(source, folder)
      await assertInside(context, { ...mount, source: path })
      await context.fs.mkdir(path)
      await context.fs.chmod(path, 0o777)
    }
  }
}

/**
 * What is mounted below another mount needs a folder or file there. Engines would make it, as root and in somebody's clone,
 * and cannot make it where that mount is read-only. Nothing is made beyond a link that leads out of it.
 */
export async function prepareMountPoints(fs: FileSystem, mounts: readonly MountSpec[]): Promise<void> {
  for (const { source, target } of mounts) {
    const around = mounts
      .filter((other) => target.startsWith(`${other.target}/`))
      .toSorted((a, b) => b.target.length - a.target.length)[0]
    if (around === undefined) continue
    const point = join(around.source, target.slice(around.target.length))
    if ((await fs.lstat(point)) !== null || !(await leadsInto(fs, around.source, dirname(point)))) continue
    const isFile = (await fs.stat(source))?.kind === 'file'
    await fs.mkdir(isFile ? dirname(point) : point)
    if (isFile) await fs.writeAtomic(point, '')
  }
}

/** Whether a path below a folder, as far as it is there, really is below it. */
async function leadsInto(fs: FileSystem, folder: string, path: string): Promise<boolean> {
  const root = await fs.realPath(folder)
  let known: string | null = null
  for (let at = path; known === null && at.startsWith(folder); at = dirname(at)) {
    // A link to nowhere is there, too.
    if ((await fs.lstat(at)) !== null) known = (await fs.realPath(at)) ?? ''
  }
  return root !== null && known !== null && (known === root || known.startsWith(`${root}/`))
}
