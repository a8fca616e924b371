/** Gets the files of a source into a temporary folder. */
import { join } from 'node:path'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { ARCHIVE_LIMITS, digestOf, unpack } from './archive.ts'
import { download } from './download.ts'
import type { Git, GitOptions, GitPlace } from './git.ts'

export interface Fetched {
  /** What becomes the repository: a folder in the temporary one, or a link to a folder in place. */
  readonly root: string
  readonly commit: string | null
  readonly tree?: string
}

export interface FetchOptions extends GitOptions {
  fs: FileSystem
  hash: Hashing
  git: Git
}

export async function fetchSource(place: GitPlace, temporary: string, options: FetchOptions): Promise<Fetched> {
  const { fs, git } = options
  const root = join(temporary, 'tree')
  switch (place.source.kind) {
    case 'git':
      return { root, commit: await git.clone(place, root, options) }
    case 'folder':
      await fs.symlink(place.source.location, root)
      return { root, commit: null }
    case 'archive':
      return await unpacked(await archiveFile(place, temporary, options), root, options)
  }
}

export interface ArchiveFile {
  readonly path: string
  readonly digest: string
}

/** The archive as a file of this machine, with its digest. */
export async function archiveFile(
  { source }: GitPlace,
  temporary: string,
  options: FetchOptions,
): Promise<ArchiveFile> {
  if (!source.local) {
    const path = join(temporary, 'archive')
    return { path, digest: await download(source, path, options) }
  }
  const sum = options.hash.createSha256()
  for await (const chunk of options.fs.readStream(source.location)) sum.update(chunk)
  return { path: source.location, digest: sum.hex() }
}

export async function unpacked(archive: ArchiveFile, dir: string, options: FetchOptions): Promise<Fetched> {
  options.progress?.('unpacking')
  const root = await unpack(archive.path, dir, { fs: options.fs, limits: ARCHIVE_LIMITS, signal: options.signal })
  return { root, commit: archive.digest, tree: await digestOf(options, root) }
}
