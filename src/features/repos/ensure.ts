/** Repositories that a manifest asks for: what it may ask, and whether what is here already is what it means. */
import { repoSourcesDocument } from '../../config/documents.ts'
import { asPloinkyError, PloinkyError } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import type { Store } from '../../core/store.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Definition } from './catalog.ts'
import type { GitPlace } from './git.ts'
import { inParallel } from './parallel.ts'
import { predefinedUrl } from './predefined.ts'
import { isSame, type Put, type RepoChange, type RepoOptions } from './put.ts'
import { BUILTIN_REPO } from './repo-root.ts'
import { canonical, checkBranch, parseSource } from './source.ts'

/** The `repos` field of a manifest in its normal form. */
export type WantedRepos = Readonly<Record<string, { readonly url: string; readonly branch: string | null }>>

export interface EnsureOptions extends RepoOptions {
  /** Whose manifest; only one of a repository that is on this machine may name folders. */
  readonly definition?: Definition
}

interface OneOptions extends EnsureOptions {
  /** Folder that relative paths start from; null: nothing of this machine. */
  readonly root: string | null
}

interface EnsureParts {
  fs: FileSystem
  store: Store
  put: Put
  parallel: number
}

/**
 * The folder of a repository that is on this machine anyway; null for one from elsewhere, whose manifests may not point at
 * files of this machine.
 */
async function localRootOf(definition: Definition | undefined, store: Store): Promise<string | null> {
  if (definition === undefined || definition.repo === BUILTIN_REPO) return null
  const source = own((await store.read(repoSourcesDocument)).sources, definition.repo)
  if (source === undefined || source.kind === 'archive') return null
  if (source.kind === 'folder') return source.source
  return source.source.startsWith('file:///') ? decodeURIComponent(source.source.slice('file://'.length)) : null
}

/** A predefined name stands for its own repository; only a person may give it another meaning. */
function checkPredefined(name: string, { source }: GitPlace): void {
  const url = predefinedUrl(name)
  if (url === null || canonical(url) === canonical(source.location)) return
  throw new PloinkyError(
    'CONFLICT',
    `A manifest asks for repository "${name}" at ${source.location}: that is not ${url}`,
    {
      hint: `If you trust it, run: ploinky add repo ${name} ${source.location}`,
      details: { repository: name, source: source.location },
    },
  )
}

export function createEnsure({ fs, store, put, parallel }: EnsureParts) {
  async function ensureOne(name: string, wanted: WantedRepos[string], options: OneOptions) {
    const { root } = options
    const source = await parseSource(wanted.url, { fs, cwd: root ?? '/', allowLocal: root !== null })
    const place = { source, branch: wanted.branch === null ? null : checkBranch(wanted.branch) }
    return await put(name, place, {
      ...options,
      askedBy: options.definition?.ref ?? 'a manifest',
      beforeFetch: () => checkPredefined(name, place),
      check(known) {
        // What a person added under a name is what the name means here: a mirror, a fork. Manifests may not fight over one.
        if (isSame(known, place) || (known.record?.askedBy ?? null) === null) return
        throw new PloinkyError(
          'CONFLICT',
          `Repository "${name}" comes from ${known.source.location}, and a manifest asks for ${source.location}`,
          {
            hint: `Choose one: ploinky disable repo ${name} --remove, then ploinky add repo ${name} SOURCE`,
            details: { repository: name, known: known.source.location, wanted: source.location },
          },
        )
      },
    })
  }

  return async function ensureRepos(wanted: WantedRepos, options: EnsureOptions = {}): Promise<RepoChange[]> {
    const root = await localRootOf(options.definition, store)
    const failures: { repository: string; error: PloinkyError }[] = []
    const changes = await inParallel(Object.entries(wanted), parallel, async ([repository, place]) => {
      try {
        return await ensureOne(repository, place, { ...options, root })
      } catch (error) {
        failures.push({ repository, error: asPloinkyError(error) })
        return null
      }
    })
    options.signal?.throwIfAborted()
    const [first] = failures
    if (first === undefined) return changes.filter((change) => change !== null)
    const { error } = first
    throw new PloinkyError(error.code, `Repository "${first.repository}": ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: {
        ...error.details,
        failed: failures.map((failure) => ({ repository: failure.repository, message: failure.error.message })),
      },
      cause: error,
    })
  }
}
