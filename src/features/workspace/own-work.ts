/** What in a workspace exists nowhere else. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import type { FileSystem } from '../../platform/index.ts'

/** Repositories that are plain folders with something in them: no clone, no link, so nobody can fetch them again. */
export async function ownRepos(fs: FileSystem, paths: WorkspacePaths): Promise<string[]> {
  const found = await Promise.all(
    (await fs.list(paths.repos)).map(async (name) => {
      const path = join(paths.repos, name)
      if ((await fs.lstat(path))?.kind !== 'directory') return []
      const inside = await fs.list(path)
      return inside.length === 0 || inside.includes('.git') ? [] : [path]
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
