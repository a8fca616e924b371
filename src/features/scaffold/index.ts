/** New agents from templates, in a repository of the workspace. */
import { dirname, join } from 'node:path'
import { reposDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import { assertName } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import type { Registry } from '../agents/index.ts'
import { BUILTIN_REPO, type Catalog } from '../repos/index.ts'
import { LOCAL_REPO } from './local-repo.ts'
import { fillTemplate, type Part, readTemplate, type Template, type TemplateFile } from './template.ts'

export { enableServer, type EnabledServer } from './server/enable.ts'
export { type Part, PARTS, type Template, TEMPLATES } from './template.ts'

export interface NewAgent {
  readonly name: string
  readonly template: Template
  readonly parts: ReadonlySet<Part>
  readonly repo: string
}

export interface CreatedAgent {
  readonly agent: string
  readonly repository: string
  readonly template: Template
  readonly parts: readonly Part[]
  readonly path: string
  /** Relative to `path`, sorted. */
  readonly files: readonly string[]
}

export interface Scaffold {
  /** Makes the files and enables the agent. CONFLICT when the name is taken; nothing is ever overwritten. */
  create(wanted: NewAgent): Promise<CreatedAgent>
  /** The same from files that are ready; the folder. */
  write(agent: { name: string; repo: string; files: readonly TemplateFile[] }): Promise<string>
  /** CONFLICT when the name is taken. */
  assertFree(name: string, repo: string): Promise<void>
}

export interface ScaffoldOptions {
  fs: FileSystem
  hash: Pick<Hashing, 'randomToken'>
  store: Store
  paths: WorkspacePaths
  assetsDir: string
  catalog: Pick<Catalog, 'definitions' | 'repos'>
  registry: Pick<Registry, 'enable' | 'list'>
}

const conflict = (message: string, hint: string): PloinkyError => new PloinkyError('CONFLICT', message, { hint })

export function createScaffold(options: ScaffoldOptions): Scaffold {
  const { fs, hash, store, paths, assetsDir, catalog, registry } = options

  /** The folder of the repository, made when it is the local one. */
  async function openRepo(repo: string): Promise<string> {
    if (repo === BUILTIN_REPO) {
      throw conflict(`Repository "${BUILTIN_REPO}" ships with the package`, 'Leave out --repo, or name one of your own')
    }
    const known = (await catalog.repos()).find(({ name }) => name === repo)
    const path = join(paths.repos, repo)
    const there = await fs.lstat(path)
    if (there === null && repo === LOCAL_REPO) await fs.mkdir(path)
    else if (known === undefined || there === null) {
      throw new PloinkyError('REPO_NOT_FOUND', `Repository "${repo}" is not in this workspace`, {
        hint: 'Run: ploinky list repos',
      })
    } else if (there.kind !== 'directory') {
      // A link may lead anywhere, and would be written through.
      throw conflict(`Repository "${repo}" is not a folder of this workspace`, 'Leave out --repo, or name another one')
    } else if (!known.enabled && repo !== LOCAL_REPO) {
      throw conflict(`Repository "${repo}" is not enabled`, `Run: ploinky enable repo ${repo}`)
    }
    return path
  }

  /** A second agent of a name would make the first one ambiguous. */
  async function checkIsFree(name: string, path: string): Promise<void> {
    const other = `Choose another name, for example: my-${name.slice(0, 60)}`
    if ((await fs.lstat(path)) !== null) throw conflict(`"${path}" exists already`, other)
    const namesake = (await catalog.definitions()).find(({ agent }) => agent.toLowerCase() === name.toLowerCase())
    if (namesake !== undefined) throw conflict(`Agent "${namesake.agent}" is in repository "${namesake.repo}"`, other)
    if ((await registry.list()).some((agent) => agent.name === name)) {
      throw conflict(`An agent "${name}" is enabled already`, other)
    }
  }

  const write: Scaffold['write'] = async ({ name, repo, files }) => {
    assertName('agent', name)
    assertName('repository', repo)
    const folder = await openRepo(repo)
    const path = join(folder, name)
    await checkIsFree(name, path)
    // Whole or not at all: a router that watches the repository never meets half an agent.
    const staged = join(folder, `.new-${hash.randomToken(9)}`)
    try {
      for (const { path: file, text } of files) {
        await fs.mkdir(dirname(join(staged, file)))
        await fs.writeAtomic(join(staged, file), text, { mode: 0o644 })
      }
      await fs.rename(staged, path)
    } catch (error) {
      await fs.remove(staged)
      throw error
    }
    await store.update(reposDocument, (current) =>
      current.repos.includes(repo) ? current : { ...current, repos: [...current.repos, repo] },
    )
    await registry.enable(`${repo}/${name}`)
    return path
  }

  return {
    write,
    assertFree: (name, repo) => checkIsFree(name, join(paths.repos, repo, name)),
    async create({ name, template, parts, repo }) {
      // Names go into the programs as they are.
      assertName('agent', name)
      const files = fillTemplate(await readTemplate(fs, assetsDir, template), name, parts)
      const path = await write({ name, repo, files })
      return {
        agent: name,
        repository: repo,
        template,
        parts: [...parts].sort(),
        path,
        files: files.map((file) => file.path).sort(),
      }
    },
  }
}
