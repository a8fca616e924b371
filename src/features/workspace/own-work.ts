/** What in a workspace exists nowhere else. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { repoSourcesDocument } from '../../config/documents.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'

/** Repositories that are plain folders with something in them: no clone, no link, so nobody can fetch them again. */
export async function ownRepos(fs: FileSystem, paths: WorkspacePaths, store: Store): Promise<string[]> {
  const { sources } = await store.read(repoSourcesDocument)
  const found = await Promise.all(
    (await fs.list(paths.repos)).map(async (name) => {
      const path = join(paths.repos, name)
      if ((await fs.lstat(path))?.kind !== 'directory') return []
      const inside = await fs.list(path)
      // What was unpacked from an archive can be unpacked again.
      const isKnown = own(sources, name)?.kind === 'archive'
      return inside.length === 0 || inside.includes('.git') || isKnown ? [] : [path]
    }),
  )
  return found.flat()
}

/** Removes `.ploinky` but for these repositories, and what keeps them out of somebody else's repository. */
export async function removeAllBut(fs: FileSystem, paths: WorkspacePaths, kept: readonly string[]): Promise<void> {
  for (const name of await fs.list(paths.dir)) {
    const path = join(paths.dir, name)
    if (name !== '.gitignore' && path !== paths.repos) await fs.remove(path)
  }
  for (const name of await fs.list(paths.repos)) {
    const path = join(paths.repos, name)
    if (!kept.includes(path)) await fs.remove(path)
  }
}
