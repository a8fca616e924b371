/** Repositories of agent definitions, and the catalog: the view over all enabled ones. */
import { join } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { reposDocument } from '../../config/documents.ts'
import { type Manifest, manifestInvalid, MAX_BYTES, parseManifest } from '../../config/manifest/index.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import { isName, nearest } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'

export const BUILTIN_REPO = 'builtin'

/** A definition: a folder with a manifest.json directly under a repository. */
export interface Definition {
  readonly repo: string
  readonly agent: string
  /** `<repo>/<agent>` */
  readonly ref: string
  readonly builtIn: boolean
  /** Real path of the agent's folder. */
  readonly dir: string
  /** `<dir>/code` where there is one, else the folder itself. */
  readonly codeDir: string
  readonly skillsDir: string | null
  readonly manifestFile: string
}

export interface RepoInfo {
  readonly name: string
  readonly enabled: boolean
  readonly builtIn: boolean
  readonly path: string
  readonly agents: number
}

export interface Catalog {
  repos(): Promise<RepoInfo[]>
  definitions(): Promise<Definition[]>
  /** `agent`, `repo/agent` or `repo:agent`. AGENT_NOT_FOUND lists what there is, AGENT_AMBIGUOUS the choices. */
  resolve(ref: string): Promise<Definition>
  manifest(definition: Definition, profile: string): Promise<Manifest>
}

export interface CatalogOptions {
  fs: FileSystem
  store: Store
  paths: WorkspacePaths
  assetsDir: string
}

export function createCatalog({ fs, store, paths, assetsDir }: CatalogOptions): Catalog {
  const builtinPath = join(assetsDir, 'repositories', BUILTIN_REPO)
  const repoPath = (name: string): string => (name === BUILTIN_REPO ? builtinPath : join(paths.repos, name))

  /** A folder of an agent; null when there is none, or when a link of that name leads out of the repository. */
  async function folderIn(root: string, dir: string, name: string): Promise<string | null> {
    const path = await fs.realPath(join(dir, name))
    if (path === null || !path.startsWith(`${root}/`)) return null
    return (await fs.stat(path))?.kind === 'directory' ? path : null
  }

  async function readOne(repo: string, root: string, agent: string): Promise<Definition | null> {
    const dir = await fs.realPath(join(root, agent))
    // A link out of the repository would mount foreign files into a container.
    if (dir === null || !dir.startsWith(`${root}/`)) return null
    const manifest = await fs.realPath(join(dir, 'manifest.json'))
    if (manifest === null || !manifest.startsWith(`${root}/`) || (await fs.stat(manifest))?.kind !== 'file') return null
    const [code, skills] = await Promise.all([folderIn(root, dir, 'code'), folderIn(root, dir, '.AchillesSkills')])
    return {
      repo,
      agent,
      ref: `${repo}/${agent}`,
      builtIn: repo === BUILTIN_REPO,
      dir,
      codeDir: code ?? dir,
      skillsDir: skills,
      manifestFile: manifest,
    }
  }

  async function read(repo: string): Promise<Definition[]> {
    const root = await fs.realPath(repoPath(repo))
    if (root === null) return []
    const names = (await fs.list(root)).filter(isName)
    return (await Promise.all(names.map((agent) => readOne(repo, root, agent)))).filter((item) => item !== null)
  }

  async function enabledRepos(): Promise<string[]> {
    const { repos } = await store.read(reposDocument)
    return [...new Set([BUILTIN_REPO, ...repos])]
  }

  async function exactly(repo: string, agent: string): Promise<Definition | null> {
    if (!isName(repo) || !isName(agent) || !(await enabledRepos()).includes(repo)) return null
    const root = await fs.realPath(repoPath(repo))
    return root === null ? null : await readOne(repo, root, agent)
  }

  async function definitions(): Promise<Definition[]> {
    return (await Promise.all((await enabledRepos()).map(read))).flat()
  }

  return {
    definitions,
    async repos() {
      const enabled = await enabledRepos()
      const present = (await fs.list(paths.repos)).filter(isName)
      const names = [...new Set([...enabled, ...present])]
      return Promise.all(
        names.map(async (name) => ({
          name,
          enabled: enabled.includes(name),
          builtIn: name === BUILTIN_REPO,
          path: repoPath(name),
          agents: (await read(name)).length,
        })),
      )
    },
    async resolve(ref) {
      // The whole of it, or nothing: "builtin/demo/../x" is not the demo agent.
      const parts = ref.split(/[/:]/)
      const [first = '', second] = parts
      if (parts.length === 2 && second !== undefined) {
        // Every command asks for every agent that it touches: one of a hundred must not cost a look at all of them.
        const exact = await exactly(first, second)
        if (exact !== null) return exact
      }
      const all = await definitions()
      const matches = all.filter((item) => {
        if (parts.length === 1) return item.agent === first
        return parts.length === 2 && item.repo === first && item.agent === second
      })
      if (matches.length === 1 && matches[0]) return matches[0]
      if (matches.length > 1) throw ambiguous(ref, matches)
      throw notFound(ref, all)
    },
    async manifest(definition, profile) {
      const file = definition.manifestFile
      const text = await fs.readText(file, { maxBytes: MAX_BYTES }).catch((error: unknown) => {
        // What is in its place is no manifest; a file that may not be read is another matter.
        if (!isPloinkyError(error) || error.details['reason'] === undefined) throw error
        throw manifestInvalid(
          file,
          error.details['reason'] === 'too-large' ? `larger than ${MAX_BYTES} bytes` : 'not a file',
        )
      })
      if (text === null) throw notFound(definition.ref, await definitions())
      return parseManifest(text, { file, profile })
    },
  }
}

function ambiguous(ref: string, matches: readonly Definition[]): PloinkyError {
  const choices = matches.map((item) => item.ref)
  return new PloinkyError('AGENT_AMBIGUOUS', `Agent "${ref}" is in several repositories: ${choices.join(', ')}`, {
    hint: `Name the repository: ploinky enable agent ${choices[0]}`,
    details: { choices },
  })
}

function notFound(ref: string, all: readonly Definition[]): PloinkyError {
  const available = all.map((item) => item.agent)
  const near = nearest(ref, [...available, ...all.map((item) => item.ref)])
  return new PloinkyError('AGENT_NOT_FOUND', `Agent "${ref.slice(0, 100)}" is in no enabled repository`, {
    hint: near === null ? 'Run: ploinky list agents' : `Did you mean "${near}"? Run: ploinky enable agent ${near}`,
    details: { available },
  })
}
