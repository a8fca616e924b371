/** The one way by which repositories come: fetched when they are missing, then enabled. */
import { repoSourcesDocument, reposDocument } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { assertName, isName, nearest } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Catalog, RepoInfo } from './catalog.ts'
import type { GitOptions, GitPlace } from './git.ts'
import { PREDEFINED } from './predefined.ts'
import { BUILTIN_REPO } from './repo-root.ts'
import type { Known, Shelf } from './shelf.ts'
import { canonical } from './source.ts'

export interface RepoOptions {
  /** Lines of progress; the key names the repository. */
  readonly progress?: (text: string, key: string) => void
  readonly signal?: AbortSignal
}

/** What is there now, and what was done. */
export interface RepoChange extends RepoInfo {
  readonly outcome: 'added' | 'enabled' | 'disabled' | 'removed' | 'unchanged'
}

export interface PutRequest extends RepoOptions {
  readonly askedBy: string | null
  /** Throws when what is there under this name is something else. */
  check(known: Known): void
  /** Throws when it may not be fetched. */
  beforeFetch?(): void
}

export type Put = (name: string, place: GitPlace | null, request: PutRequest) => Promise<RepoChange>

export interface PutParts {
  fs: FileSystem
  store: Store
  paths: WorkspacePaths
  events: EventBus
  catalog: Pick<Catalog, 'repos'>
  shelf: Shelf
}

/** The same place, and the same branch or none in particular. */
export function isSame(known: Known, { source, branch }: GitPlace): boolean {
  const isPlace = known.source.kind === source.kind && canonical(known.source.location) === canonical(source.location)
  return isPlace && (branch === null || branch === known.branch)
}

export const fetchingOf = (name: string, { progress, signal }: RepoOptions): GitOptions => ({
  signal,
  progress: (text) => progress?.(`${name}: ${text}`, `repo:${name}`),
})

/** REPO_NOT_FOUND, with the nearest name. */
export function unknownRepo(name: string, names: readonly string[]): PloinkyError {
  const available = [...new Set([...names, ...Object.keys(PREDEFINED)])]
  const near = nearest(name, available)
  return new PloinkyError('REPO_NOT_FOUND', `No repository "${name.slice(0, 100)}"`, {
    hint:
      near === null
        ? `Say where it is: ploinky add repo ${isName(name) ? name : 'NAME'} SOURCE`
        : `Did you mean "${near}"? Run: ploinky list repos --all`,
    details: { available },
  })
}

export interface Changes {
  put: Put
  /** Every name in use, but the built-in one. */
  names(): Promise<string[]>
  report(name: string, outcome: RepoChange['outcome']): Promise<RepoChange>
}

export function createChanges({ fs, store, paths, events, catalog, shelf }: PutParts): Changes {
  async function names(): Promise<string[]> {
    const [{ sources }, { repos }, present] = await Promise.all([
      store.read(repoSourcesDocument),
      store.read(reposDocument),
      fs.list(paths.repos),
    ])
    const all = new Set([...Object.keys(sources), ...repos, ...present.filter(isName)])
    return [...all].filter((name) => name !== BUILTIN_REPO)
  }

  async function checkName(name: string): Promise<void> {
    assertName('repository', name)
    // On some systems both would be one folder.
    const twin = [BUILTIN_REPO, ...(await names())].find((other) => other.toLowerCase() === name.toLowerCase())
    if (twin === undefined || (twin === name && name !== BUILTIN_REPO)) return
    throw new PloinkyError('CONFLICT', `There is a repository "${twin}" already`, {
      hint: 'Choose another name; taken ones: ploinky list repos',
      details: { repository: twin },
    })
  }

  async function report(name: string, outcome: RepoChange['outcome']): Promise<RepoChange> {
    if (outcome !== 'unchanged') events.emit({ type: `repo.${outcome}`, subject: name })
    const info = (await catalog.repos()).find((repo) => repo.name === name)
    return { ...(info ?? nothing(name, paths)), outcome }
  }

  async function putLocked(name: string, place: GitPlace | null, request: PutRequest): Promise<RepoChange> {
    let known = await shelf.known(name)
    if (known !== null) {
      request.check(known)
      if (place !== null && place.source.auth !== null && isSame(known, place)) {
        await shelf.keepAuth(name, place.source)
        known = await shelf.known(name)
      }
    }
    const wanted = known ?? place
    if (wanted === null) throw unknownRepo(name, await names())
    const isMissing = known?.present !== true
    if (isMissing) {
      request.beforeFetch?.()
      request.progress?.(`${name}: fetching ${wanted.source.location}`, `repo:${name}`)
      await shelf.install(name, wanted, { ...fetchingOf(name, request), askedBy: request.askedBy })
    }
    const isNew = await shelf.setEnabled(name, true)
    return await report(name, isMissing ? 'added' : isNew ? 'enabled' : 'unchanged')
  }

  return {
    names,
    report,
    async put(name, place, request) {
      await checkName(name)
      return await shelf.exclusive(name, () => putLocked(name, place, request))
    },
  }
}

function nothing(name: string, paths: WorkspacePaths): RepoInfo {
  const none = { agents: 0, skills: 0, source: null, branch: null, commit: null }
  return {
    name,
    ...none,
    enabled: false,
    builtIn: false,
    kind: 'folder',
    present: false,
    path: `${paths.repos}/${name}`,
  }
}
