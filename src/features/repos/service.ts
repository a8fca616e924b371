/** What can be done with repositories: add, enable, disable, update, and what a manifest asks for. */
import { resolve } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { asPloinkyError, PloinkyError } from '../../core/error.ts'
import type { ProcessRunner } from '../../core/process.ts'
import { createEnsure, type EnsureOptions, type WantedRepos } from './ensure.ts'
import { createGit, type GitPlace } from './git.ts'
import { inParallel } from './parallel.ts'
import { predefinedUrl } from './predefined.ts'
import {
  createChanges,
  fetchingOf,
  isSame,
  type PutParts,
  type RepoChange,
  type RepoOptions,
  unknownRepo,
} from './put.ts'
import { BUILTIN_REPO } from './repo-root.ts'
import { createShelf, type Known, type ShelfOptions } from './shelf.ts'
import { checkBranch, looksLikeSource, nameFromSource, parseSource, type Source } from './source.ts'
import { lossesOf, updateKnown } from './update.ts'

export interface AddRequest {
  /** Null: taken from the source. A source may stand here, too. */
  readonly name: string | null
  /** Null: a predefined name, or one that is known. */
  readonly source: string | null
  readonly branch: string | null
  /** Uses a git folder in place, too. */
  readonly link: boolean
  /** Sources on this machine are allowed. */
  readonly allowLocal: boolean
}

export interface RepoUpdate {
  readonly name: string
  readonly outcome: 'updated' | 'unchanged' | 'failed'
  readonly from: string | null
  readonly to: string | null
  readonly note: string | null
  readonly error: PloinkyError | null
}

export interface RepoService {
  /** Fetches it and enables it; CONFLICT when the name is another repository's. */
  add(request: AddRequest, options?: RepoOptions): Promise<RepoChange>
  /** A known or predefined one is fetched when it is missing. */
  enable(name: string, branch: string | null, options?: RepoOptions): Promise<RepoChange>
  /** Keeps the files unless told otherwise. */
  disable(name: string, remove: boolean): Promise<RepoChange>
  /** What removing its files would lose, in words. */
  losses(name: string): Promise<string[]>
  /** Each by itself: a failure is one of the results. Without names, all that there are. */
  update(names: readonly string[], options?: RepoOptions): Promise<RepoUpdate[]>
  /**
   * Adds and enables what a manifest asks for, in parallel. Throws the first failure, with all of them in its details; the
   * other repositories are in place then.
   */
  ensureRepos(wanted: WantedRepos, options?: EnsureOptions): Promise<RepoChange[]>
}

export type RepoServiceOptions = Omit<ShelfOptions, 'git'> &
  Omit<PutParts, 'shelf'> & {
    processes: Pick<ProcessRunner, 'run' | 'stream'>
    cwd: () => string
  }

/** At the same time: enough to hide the waiting, not so many that one server refuses. */
const PARALLEL = 4

export function createRepoService(options: RepoServiceOptions): RepoService {
  const { fs, hash, events, paths } = options
  const git = createGit(options.processes)
  const shelf = createShelf({ ...options, git })
  const { put, names, report } = createChanges({ ...options, shelf })

  async function enable(name: string, branch: string | null, given: RepoOptions = {}): Promise<RepoChange> {
    if (name === BUILTIN_REPO) return await report(name, 'unchanged')
    const url = predefinedUrl(name)
    const place: GitPlace | null =
      url === null
        ? null
        : {
            source: { kind: 'git', location: url, local: false, auth: null },
            branch: branch === null ? null : checkBranch(branch),
          }
    const check = (known: Known): void => {
      if (branch !== null && branch !== known.branch) throw differs(name, known, `branch "${branch}"`)
    }
    return await put(name, place, { ...given, askedBy: null, check })
  }

  async function addFrom(text: string, request: AddRequest, given: RepoOptions): Promise<RepoChange> {
    const source = await parseSource(text, { fs, cwd: options.cwd(), ...request })
    if (source.kind === 'folder') await checkFolder(fs, paths, source)
    const name = request.name ?? nameFromSource(source.location)
    if (name === null) {
      throw new PloinkyError('USAGE_INVALID', `Which name? None can be taken from ${source.location}`, {
        hint: `Give one: ploinky add repo NAME ${source.location}`,
      })
    }
    if (request.branch !== null && source.kind !== 'git') {
      throw new PloinkyError('USAGE_INVALID', `A ${source.kind} has no branches`, { hint: 'Leave out: --branch' })
    }
    const place: GitPlace = { source, branch: request.branch === null ? null : checkBranch(request.branch) }
    const check = (known: Known): void => {
      if (!isSame(known, place)) throw differs(name, known, `${source.location}${ofBranch(place.branch)}`)
    }
    return await put(name, place, { ...given, askedBy: null, check })
  }

  async function updateOne(name: string, request: RepoOptions): Promise<RepoUpdate> {
    const unchanged = { name, outcome: 'unchanged', from: null, to: null, error: null } as const
    try {
      if (name === BUILTIN_REPO) return { ...unchanged, note: 'comes with ploinky' }
      return await shelf.exclusive(name, async (temporary) => {
        const known = await shelf.known(name)
        if (known === null) throw unknownRepo(name, await names())
        request.progress?.(`${name}: looking for changes`, `repo:${name}`)
        const moved = await updateKnown(known, { ...fetchingOf(name, request), fs, hash, git, shelf, temporary })
        if (moved.from === moved.to) return { ...unchanged, ...moved }
        events.emit({ type: 'repo.updated', subject: name, data: { from: moved.from, to: moved.to } })
        return { ...unchanged, ...moved, outcome: 'updated' }
      })
    } catch (error) {
      request.signal?.throwIfAborted()
      return { ...unchanged, outcome: 'failed', note: null, error: asPloinkyError(error) }
    }
  }

  return {
    enable,
    async add(request, given = {}) {
      const { name, source, branch } = request
      if (source !== null) return await addFrom(source, request, given)
      if (name !== null && looksLikeSource(name)) return await addFrom(name, { ...request, name: null }, given)
      if (name === null)
        throw new PloinkyError('USAGE_INVALID', 'Which repository?', { hint: 'Run: ploinky list repos --all' })
      const isFolder = request.allowLocal && (await fs.stat(resolve(options.cwd(), name))) !== null
      return await enable(name, branch, given).catch((error: unknown) => {
        const { code } = asPloinkyError(error)
        if (code !== 'REPO_NOT_FOUND' || !isFolder) throw error
        throw new PloinkyError(code, `No repository "${name}"; there is a folder of that name here`, {
          hint: `Run: ploinky add repo ${name} ./${name}`,
        })
      })
    },
    async disable(name, remove) {
      if (name === BUILTIN_REPO) {
        throw new PloinkyError('CONFLICT', 'The built-in repository is always enabled', {
          hint: 'Disable its agents: ploinky disable agent demo',
        })
      }
      if (!(await names()).includes(name)) throw unknownRepo(name, await names())
      return await shelf.exclusive(name, async () => {
        const changed = await shelf.setEnabled(name, false)
        if (!remove) return await report(name, changed ? 'disabled' : 'unchanged')
        await shelf.remove(name)
        return await report(name, 'removed')
      })
    },
    async losses(name) {
      const known = await shelf.known(name)
      return known === null ? [] : await lossesOf(known, { fs, hash, git })
    },
    async update(wanted, given = {}) {
      const all = wanted.length === 0 || wanted.includes('all')
      return await inParallel(all ? await names() : [...new Set(wanted)], PARALLEL, (name) => updateOne(name, given))
    },
    ensureRepos: createEnsure({ ...options, put, parallel: PARALLEL }),
  }
}

const ofBranch = (branch: string | null): string => (branch === null ? '' : `, branch "${branch}"`)

function differs(name: string, known: Known, wanted: string): PloinkyError {
  const here = `${known.source.location}${ofBranch(known.branch)}`
  return new PloinkyError('CONFLICT', `Repository "${name}" is ${here}, not ${wanted}`, {
    hint: `Choose another name, or remove it first: ploinky disable repo ${name} --remove`,
    details: { repository: name, source: known.source.location, branch: known.branch },
  })
}

/** Agents are given their folder, so a repository in place must not hold the workspace, nor what agents themselves write. */
async function checkFolder(fs: RepoServiceOptions['fs'], paths: WorkspacePaths, { location }: Source): Promise<void> {
  const root = (await fs.realPath(paths.root)) ?? paths.root
  const isIn = (inner: string, outer: string): boolean =>
    inner === outer || inner.startsWith(outer.replace(/\/?$/, '/'))
  const own = [paths.dir, paths.agentWork('.'), paths.agentCode('.'), paths.agentSkills('.')]
  const isOwn = own.some((path) => isIn(location, path.replace(paths.root, root).replace(/\/\.?$/, '')))
  if (!isOwn && (location === root || !isIn(root, location))) return
  throw new PloinkyError('CONFLICT', `The folder ${location} ${isOwn ? 'belongs to' : 'holds'} this workspace`, {
    hint: 'Give a folder of its own for the agents, beside or in the workspace',
  })
}
