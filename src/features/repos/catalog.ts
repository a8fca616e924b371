/** The catalog: the view over the agents of all enabled repositories. */
import { join } from 'node:path'
import { type RepoSource, repoSourcesDocument, reposDocument } from '../../config/documents.ts'
import { type Manifest, manifestInvalid, MAX_BYTES, parseManifest } from '../../config/manifest/index.ts'
import { isPloinkyError, PloinkyError } from '../../core/error.ts'
import { isName, nearest } from '../../core/id.ts'
import { type Head, headOf } from './clone-head.ts'
import { BUILTIN_REPO, createRepoRoots, type RootOptions } from './repo-root.ts'

/** Both spellings that repositories use. */
const SKILLS = ['.AchillesSkills', 'skills']

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
  /** Skills of its agents, and those that it has beside them. */
  readonly skills: number
  readonly kind: 'builtin' | 'git' | 'folder' | 'archive'
  /** Address or path that it came from, without credentials; null when nobody wrote it down. */
  readonly source: string | null
  readonly branch: string | null
  /** Commit, or digest of an archive. */
  readonly commit: string | null
  /** False: enabled or known, but its files are not here. */
  readonly present: boolean
}

export interface Catalog {
  repos(): Promise<RepoInfo[]>
  definitions(): Promise<Definition[]>
  /** `agent`, `repo/agent` or `repo:agent`. AGENT_NOT_FOUND lists what there is, AGENT_AMBIGUOUS the choices. */
  resolve(ref: string): Promise<Definition>
  manifest(definition: Definition, profile: string): Promise<Manifest>
}

export type CatalogOptions = RootOptions

export function createCatalog(options: CatalogOptions): Catalog {
  const { fs, store, paths } = options
  const { pathOf, rootOf, sourceOf } = createRepoRoots(options)

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
    const [code, ...skills] = await Promise.all(['code', ...SKILLS].map((name) => folderIn(root, dir, name)))
    return {
      repo,
      agent,
      ref: `${repo}/${agent}`,
      builtIn: repo === BUILTIN_REPO,
      dir,
      codeDir: code ?? dir,
      skillsDir: skills.find((path) => path !== null) ?? null,
      manifestFile: manifest,
    }
  }

  async function read(repo: string): Promise<Definition[]> {
    const root = await rootOf(repo)
    if (root === null) return []
    const names = (await fs.list(root)).filter(isName)
    return (await Promise.all(names.map((agent) => readOne(repo, root, agent)))).filter((item) => item !== null)
  }

  async function enabledRepos(): Promise<string[]> {
    const { repos } = await store.read(reposDocument)
    return [...new Set([BUILTIN_REPO, ...repos])]
  }

  /** The agents of a name; a look at one folder in each repository, however many agents there are. */
  async function named(agent: string, repo?: string): Promise<Definition[]> {
    if (!isName(agent)) return []
    const repos = (await enabledRepos()).filter((name) => repo === undefined || name === repo)
    const found = await Promise.all(
      repos.map(async (name) => {
        const root = await rootOf(name)
        return root === null ? null : await readOne(name, root, agent)
      }),
    )
    return found.filter((item) => item !== null)
  }

  async function skillsIn(dir: string | null): Promise<number> {
    if (dir === null) return 0
    const holdsSkill = async (name: string): Promise<boolean> =>
      (await fs.list(join(dir, name)).catch(() => [])).some((file) => /skill\.md$/i.test(file))
    return (await Promise.all((await fs.list(dir)).map(holdsSkill))).filter(Boolean).length
  }

  async function describe(name: string, enabled: boolean): Promise<RepoInfo> {
    const [root, source, agents] = await Promise.all([rootOf(name), sourceOf(name), read(name)])
    const own = root === null ? [] : SKILLS.map((folder) => folderIn(root, root, folder))
    const folders = new Set([...(await Promise.all(own)), ...agents.map(({ skillsDir }) => skillsDir)])
    const skills = await Promise.all([...folders].map(skillsIn))
    const head = root === null || source?.kind === 'folder' ? null : await headOf(fs, root)
    return {
      name,
      enabled,
      builtIn: name === BUILTIN_REPO,
      ...originOf(name, source, head),
      present: root !== null,
      path: pathOf(name),
      agents: agents.length,
      skills: skills.reduce((sum, count) => sum + count, 0),
    }
  }

  async function definitions(): Promise<Definition[]> {
    return (await Promise.all((await enabledRepos()).map(read))).flat()
  }

  return {
    definitions,
    async repos() {
      const enabled = await enabledRepos()
      const [present, known] = await Promise.all([fs.list(paths.repos), store.read(repoSourcesDocument)])
      const names = [...new Set([...enabled, ...present.filter(isName), ...Object.keys(known.sources)])]
      return await Promise.all(names.map((name) => describe(name, enabled.includes(name))))
    },
    async resolve(ref) {
      // The whole of it, or nothing: "builtin/demo/../x" is not the demo agent.
      const parts = ref.split(/[/:]/)
      const [first = '', second] = parts
      const matches =
        parts.length === 1 ? await named(first) : parts.length === 2 ? await named(second ?? '', first) : []
      if (matches.length === 1 && matches[0]) return matches[0]
      if (matches.length > 1) throw ambiguous(ref, matches)
      throw notFound(ref, await definitions())
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

/** What was written down, and for a clone what it says itself. */
function originOf(name: string, source: RepoSource | null, head: Head | null) {
  const inferred = head === null ? 'folder' : 'git'
  const kind: RepoInfo['kind'] = name === BUILTIN_REPO ? 'builtin' : (source?.kind ?? inferred)
  const clone = kind === 'git' ? head : null
  return {
    kind,
    source: source?.source ?? null,
    branch: source?.branch ?? clone?.branch ?? null,
    commit: clone?.commit ?? source?.commit ?? null,
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
