/** The folder of a repository: the one link that may lead out of `.ploinky/repos` is the one that was made for a folder in place. */
import { join } from 'node:path'
import { repoSourcesDocument, type RepoSource } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'

export const BUILTIN_REPO = 'builtin'

export interface RootOptions {
  fs: FileSystem
  store: Store
  paths: WorkspacePaths
  assetsDir: string
}

export interface RepoRoots {
  /** Where it is, or would be. */
  pathOf(name: string): string
  /** Real path; null when it is not there, or is a link that nobody recorded. */
  rootOf(name: string): Promise<string | null>
  sourceOf(name: string): Promise<RepoSource | null>
}

export function createRepoRoots({ fs, store, paths, assetsDir }: RootOptions): RepoRoots {
  const pathOf = (name: string): string =>
    name === BUILTIN_REPO ? join(assetsDir, 'repositories', BUILTIN_REPO) : join(paths.repos, name)
  const sourceOf = async (name: string): Promise<RepoSource | null> =>
    own((await store.read(repoSourcesDocument)).sources, name) ?? null

  return {
    pathOf,
    sourceOf,
    async rootOf(name) {
      const path = pathOf(name)
      const target = name === BUILTIN_REPO ? null : await fs.readLink(path).catch(() => null)
      if (target === null) return await fs.realPath(path)
      const source = await sourceOf(name)
      if (source?.kind !== 'folder' || source.source !== target) return null
      const real = await fs.realPath(path)
      // The folder was a real path when it was added; what is a link now was put in its place later.
      return real === target ? real : null
    },
  }
}
