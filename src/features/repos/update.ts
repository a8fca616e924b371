/** Brings one repository up to date; what somebody changed in it is reported and stays. */
import { join } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { digestOf } from './archive.ts'
import { archiveFile, unpacked } from './fetch-source.ts'
import type { Git, GitOptions } from './git.ts'
import type { Known, Shelf } from './shelf.ts'

const files = (count: number): string => `${count} changed file${count === 1 ? '' : 's'}`

export interface Moved {
  readonly from: string | null
  readonly to: string | null
  /** Why nothing moved, where that is not plain. */
  readonly note: string | null
}

export interface UpdateOptions extends GitOptions {
  fs: FileSystem
  hash: Hashing
  git: Git
  shelf: Shelf
  temporary: () => Promise<string>
}

export async function updateKnown(known: Known, options: UpdateOptions): Promise<Moved> {
  const { record, shelf, name } = { ...known, ...options }
  if (known.source.kind === 'folder') return await checkFolder(known, options.fs)
  if (!known.present) {
    const { commit } = await shelf.install(name, known, { ...options, askedBy: record?.askedBy ?? null })
    return { from: null, to: commit, note: null }
  }
  return known.source.kind === 'git' ? await updateClone(known, options) : await updateArchive(known, options)
}

async function checkFolder({ name, source, dir }: Known, fs: FileSystem): Promise<Moved> {
  if ((await fs.stat(dir))?.kind === 'directory') return { from: null, to: null, note: 'used in place' }
  throw new PloinkyError('REPO_NOT_FOUND', `The folder of repository "${name}" is gone: ${source.location}`, {
    hint: `Put it back, or run: ploinky disable repo ${name} --remove`,
  })
}

function conflict(name: string, dir: string, problem: string): PloinkyError {
  return new PloinkyError('CONFLICT', `Repository "${name}" ${problem}; it stays as it is`, {
    hint: `Look at it: git -C ${JSON.stringify(dir)} status`,
    details: { repository: name },
  })
}

async function updateClone(known: Known, options: UpdateOptions): Promise<Moved> {
  const { name, dir, record } = known
  const { git, shelf } = options
  const [from, changed] = await Promise.all([git.head(dir), git.changed(dir)])
  // Nobody worked in it: nothing can be lost, not even when the branch was rewritten at its source.
  const isOurs = changed === 0 && from !== null && from === record?.commit
  const to = await git.fetch(known, dir, { ...options, shallow: isOurs })
  const stays = (note: string | null): Moved => ({ from, to: from, note })
  if (to === from) return stays(changed > 0 ? `${files(changed)} here` : null)
  if (changed > 0) throw conflict(name, dir, `has ${files(changed)}`)
  if (!isOurs && from !== null) {
    if (await git.isAncestor(dir, to, from)) return stays('it has commits of its own')
    if (!(await git.isAncestor(dir, from, to)))
      throw conflict(name, dir, 'has commits of its own and its source has others')
  }
  await git.moveTo(dir, to)
  await shelf.note(name, { commit: to })
  return { from, to, note: null }
}

async function updateArchive(known: Known, options: UpdateOptions): Promise<Moved> {
  const { name, dir, record } = known
  const from = record?.commit ?? null
  const temporary = await options.temporary()
  const archive = await archiveFile(known, temporary, options)
  if (archive.digest === from) return { from, to: from, note: null }
  if ((await digestOf(options, dir)) !== record?.tree) {
    throw new PloinkyError('CONFLICT', `Files of repository "${name}" were changed; it stays as it is`, {
      hint: `Keep what you need of ${dir}, then run: ploinky disable repo ${name} --remove`,
      details: { repository: name },
    })
  }
  const fetched = await unpacked(archive, join(temporary, 'tree'), options)
  await options.shelf.replace(name, fetched)
  return { from, to: archive.digest, note: null }
}

/** What would be lost with the files, in words; empty: nothing. */
export async function lossesOf(known: Known, options: Pick<UpdateOptions, 'fs' | 'hash' | 'git'>): Promise<string[]> {
  const { dir, record, source } = known
  if (!known.present || (source.kind === 'folder' && record !== null)) return []
  if (source.kind === 'git') {
    const [head, changed] = await Promise.all([options.git.head(dir), options.git.changed(dir)])
    return [
      ...(changed > 0 ? [files(changed)] : []),
      ...(head !== record?.commit ? ['commits that may be nowhere else'] : []),
    ]
  }
  return record !== null && (await digestOf(options, dir)) === record.tree ? [] : ['files that may be nowhere else']
}
