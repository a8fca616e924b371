/** The repository service over real files, real git and a store in memory. */
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workspacePaths } from '../../src/config/paths.ts'
import { createEventBus } from '../../src/core/events.ts'
import { Secret } from '../../src/core/secret.ts'
import { createMemoryStore } from '../../src/core/store.ts'
import { createCatalog, createRepoService, type RepoChange, type RepoUpdate } from '../../src/features/repos/index.ts'
import { createPlatform } from '../../src/platform/create.ts'
import { writeTree } from './repositories.ts'

export async function createRepoBench() {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-repos-')))
  const platform = createPlatform()
  const paths = workspacePaths(join(dir, 'ws'))
  await writeTree(join(dir, 'assets/repositories/builtin'), { 'demo/manifest.json': '{}' })
  await mkdir(paths.repos, { recursive: true })
  const store = createMemoryStore()
  const kept = new Map<string, string>()
  const events = createEventBus()
  const { fs, hash, lock, processes } = platform
  const catalog = createCatalog({ fs, store, paths, assetsDir: join(dir, 'assets') })
  const secrets = {
    get: async (name: string) => (kept.has(name) ? new Secret(kept.get(name) ?? '') : null),
    set: async (name: string, value: string) => void kept.set(name, value),
  }
  const repos = createRepoService({
    ...{ fs, hash, lock, processes, cwd: () => dir, store, paths, secrets, events, catalog },
  })
  const said: string[] = []
  const progress = (text: string): void => void said.push(text)
  return {
    dir,
    paths,
    store,
    catalog,
    repos,
    said,
    kept,
    events,
    progress,
    at: (...parts: string[]) => join(dir, ...parts),
    /** Path within `.ploinky/repos`. */
    inRepos: (...parts: string[]) => join(paths.repos, ...parts),
    /** Everything in `.ploinky/repos`, what was left behind included. */
    onDisk: async () => (await readdir(paths.repos)).sort(),
    locks: async () => (await fs.list(paths.running)).filter((name) => name.includes('.lock')),
    add: (name: string | null, source: string | null, more: Partial<Parameters<typeof repos.add>[0]> = {}) =>
      repos.add({ name, source, branch: null, link: false, allowLocal: true, ...more }, { progress }),
    update: async (...names: string[]): Promise<RepoUpdate[]> => await repos.update(names, { progress }),
    enabled: async () => (await catalog.repos()).filter((repo) => repo.enabled).map((repo) => repo.name),
    dispose: () => rm(dir, { recursive: true, force: true }),
  }
}

export type RepoBench = Awaited<ReturnType<typeof createRepoBench>>
export type { RepoChange }
