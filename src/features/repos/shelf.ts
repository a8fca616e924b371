/**
 * The repositories on disk: what is known of each, and how one is put there, replaced and taken away. Whoever changes one
 * holds its lock; files come into being in a temporary folder beside it and appear by one rename.
 */
import { join } from 'node:path'
import { repoSourcesDocument, reposDocument, type RepoSource } from '../../config/documents.ts'
import type { WorkspacePaths } from '../../config/paths.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem, Hashing, Platform } from '../../platform/index.ts'
import type { SecretStore } from '../secrets/index.ts'
import { type Fetched, fetchSource } from './fetch-source.ts'
import type { Git, GitOptions, GitPlace } from './git.ts'
import { headOf } from './clone-head.ts'
import type { Source } from './source.ts'

export interface ShelfOptions {
  fs: FileSystem
  store: Store
  paths: WorkspacePaths
  hash: Hashing
  lock: Platform['lock']
  secrets: Pick<SecretStore, 'get' | 'set'>
  git: Git
}

/** What is known of a repository, from the state file or from the clone itself. */
export interface Known extends GitPlace {
  readonly name: string
  readonly dir: string
  /** Null: somebody put it there by hand. */
  readonly record: RepoSource | null
  readonly present: boolean
}

export interface Shelf {
  known(name: string): Promise<Known | null>
  /** Fetches it and puts it in its place, which must be free. */
  install(name: string, place: GitPlace, options: GitOptions & { askedBy: string | null }): Promise<RepoSource>
  /** Puts other files in its place. */
  replace(name: string, fetched: Fetched): Promise<void>
  /** Removes files, record and credentials. */
  remove(name: string): Promise<void>
  note(name: string, change: Partial<RepoSource>): Promise<void>
  keepAuth(name: string, source: Source): Promise<void>
  isEnabled(name: string): Promise<boolean>
  setEnabled(name: string, enabled: boolean): Promise<boolean>
  /** Runs with the lock of a repository and a temporary folder beside it, which goes away in any case. */
  exclusive<T>(name: string, run: (temporary: () => Promise<string>) => Promise<T>): Promise<T>
}

/** A clone of a large repository takes minutes; another command for the same one waits. */
const LOCK_WAIT_MS = 15 * 60_000
const TEMPORARY = /^\.(.+)\.[A-Za-z0-9_-]+\.tmp$/

export function createShelf(options: ShelfOptions): Shelf {
  const { fs, store, paths, hash, secrets, git } = options
  const dirOf = (name: string): string => join(paths.repos, name)
  const authKey = (name: string): string => `PLOINKY_REPO_AUTH_${hash.sha256Hex(name).slice(0, 12).toUpperCase()}`

  async function temporaryFor(name: string): Promise<string> {
    const path = join(paths.repos, `.${name}.${hash.randomToken(6)}.tmp`)
    await fs.mkdir(path, { mode: 0o700 })
    return path
  }

  /** What killed processes left; the lock says that none of them is alive. */
  async function sweep(name: string): Promise<void> {
    const left = (await fs.list(paths.repos)).filter((file) => TEMPORARY.exec(file)?.[1] === name)
    await Promise.all(left.map((file) => fs.remove(join(paths.repos, file))))
  }

  async function recorded(name: string, record: RepoSource): Promise<Known> {
    const { kind, source: location, branch } = record
    const local = kind === 'folder' || location.startsWith('/') || location.startsWith('file:')
    const auth = local ? null : await secrets.get(authKey(name))
    const present = (await fs.lstat(dirOf(name))) !== null
    const source = { kind, location, local, auth: auth?.reveal() === '' ? null : auth }
    return { name, dir: dirOf(name), source, branch, record, present }
  }

  /** Put there by hand: a clone knows its origin; anything else is a folder that is used as it is. */
  async function found(name: string): Promise<Known | null> {
    const dir = dirOf(name)
    if ((await fs.lstat(dir))?.kind !== 'directory') return null
    const head = await headOf(fs, dir)
    const base = { name, dir, record: null, present: true }
    const location = head === null ? null : await git.origin(dir)
    if (head === null || location === null) {
      return { ...base, branch: null, source: { kind: 'folder', location: dir, local: true, auth: null } }
    }
    const local = location.startsWith('/') || location.startsWith('file:')
    return { ...base, branch: head.branch, source: { kind: 'git', location, local, auth: null } }
  }

  async function note(name: string, change: Partial<RepoSource>): Promise<void> {
    await store.update(repoSourcesDocument, ({ sources }) => {
      const record = own(sources, name)
      return { sources: record === undefined ? sources : { ...sources, [name]: { ...record, ...change } } }
    })
  }

  async function keepAuth(name: string, { auth }: Source): Promise<void> {
    if (auth !== null) await secrets.set(authKey(name), auth.reveal())
  }

  const shelf: Shelf = {
    note,
    keepAuth,
    async known(name) {
      const record = own((await store.read(repoSourcesDocument)).sources, name)
      return record === undefined ? await found(name) : await recorded(name, record)
    },
    async install(name, place, { askedBy, ...fetching }) {
      const temporary = await temporaryFor(name)
      try {
        const { root, ...fetched } = await fetchSource(place, temporary, { ...options, ...fetching })
        fetching.signal?.throwIfAborted()
        await keepAuth(name, place.source)
        const { kind, location } = place.source
        const addedAt = new Date().toISOString()
        const record: RepoSource = { kind, source: location, branch: place.branch, ...fetched, addedAt, askedBy }
        // First: known and not there can be fetched again; there and not known could not be told from a stranger's.
        await store.update(repoSourcesDocument, ({ sources }) => ({ sources: { ...sources, [name]: record } }))
        await fs.rename(root, dirOf(name))
        return record
      } finally {
        await fs.remove(temporary)
      }
    },
    async replace(name, { root, commit, tree }) {
      const old = join(await temporaryFor(name), 'old')
      await fs.rename(dirOf(name), old)
      await fs.rename(root, dirOf(name))
      await note(name, { commit, ...(tree === undefined ? {} : { tree }) })
      await sweep(name)
    },
    async remove(name) {
      if ((await fs.lstat(dirOf(name))) !== null) await fs.rename(dirOf(name), join(await temporaryFor(name), 'old'))
      await store.update(repoSourcesDocument, ({ sources }) => {
        const { [name]: _gone, ...others } = sources
        return { sources: others }
      })
      if ((await secrets.get(authKey(name))) !== null) await secrets.set(authKey(name), '')
      await sweep(name)
    },
    isEnabled: async (name) => (await store.read(reposDocument)).repos.includes(name),
    async setEnabled(name, enabled) {
      if ((await shelf.isEnabled(name)) === enabled) return false
      await store.update(reposDocument, ({ repos }) => {
        const others = repos.filter((repo) => repo !== name)
        return { repos: enabled ? [...others, name] : others }
      })
      return true
    },
    async exclusive(name, run) {
      // Where names differ in case only, some systems have one folder for both.
      const file = join(paths.running, `repo-${name.toLowerCase()}.lock`)
      return await options.lock(file, { waitMs: LOCK_WAIT_MS, what: `repository ${name}` }, async () => {
        await fs.mkdir(paths.repos)
        await sweep(name)
        try {
          return await run(() => temporaryFor(name))
        } finally {
          await sweep(name)
        }
      })
    },
  }
  return shelf
}
