/**
 * The Store port on files: one JSON document a file, `{"version": n, ...}`.
 * Written by temporary file and rename under a lock file; every good write leaves a copy in `backup/`.
 * A file that cannot be read is set aside (never overwritten, never reset) and recovered from that copy, with a report.
 */
import { join } from 'node:path'
import { isPloinkyError, PloinkyError } from '../core/error.ts'
import { parseJson } from '../core/json.ts'
import { type DocumentSpec, stateInvalid, type Store } from '../core/store.ts'
import type { FileSystem, Platform } from './index.ts'

/** A state file is small; anything larger is not ours. */
const MAX_BYTES = 8 * 1024 * 1024
const LOCK_WAIT_MS = 10_000
const POLL_MS = 1000

export interface Recovery {
  file: string
  problem: string
  /** Where the broken file was kept; null when it was gone. */
  keptAs: string | null
}

export interface FileStoreOptions {
  root: string
  fs: FileSystem
  lock: Platform['lock']
  /** Told about each file that was set aside and recovered. */
  onRecovered: (recovery: Recovery) => void
}

type Loaded<T> = { ok: true; value: T } | { ok: false; problem: string }

const MISSING = 'it is missing'

/** Parses text into a document; a version of the future is an error that is never "recovered". */
function decode<T>(spec: DocumentSpec<T>, text: string): Loaded<T> {
  const json = parseJson(text)
  if (!json.ok) return { ok: false, problem: json.problem }
  if (typeof json.value !== 'object' || json.value === null || Array.isArray(json.value)) {
    return { ok: false, problem: 'expected a JSON object' }
  }
  const { version, ...content } = json.value as Record<string, unknown>
  if (typeof version === 'number' && version > spec.version) {
    throw new PloinkyError(
      'STATE_VERSION',
      `State file "${spec.name}" has version ${version}, this ploinky reads ${spec.version}`,
      {
        hint: 'Use the ploinky version that wrote this workspace, or a newer one',
        details: { file: spec.name, found: version, supported: spec.version },
      },
    )
  }
  if (version !== spec.version)
    return { ok: false, problem: `version: found ${JSON.stringify(version) ?? 'none'}, expected ${spec.version}` }
  try {
    return { ok: true, value: spec.parse(content) }
  } catch (error) {
    if (!isPloinkyError(error) || error.code !== 'STATE_INVALID') throw error
    const { problem } = error.details
    return { ok: false, problem: typeof problem === 'string' ? problem : error.message }
  }
}

function unusable(name: string, problem: string): PloinkyError {
  const hint = problem === MISSING ? `Repair or delete ".ploinky/backup/${name}", then run: ploinky doctor` : undefined
  return stateInvalid(name, `${problem}; there is no usable backup`, hint)
}

export function createFileStore(options: FileStoreOptions): Store {
  const { root, fs } = options
  const pathOf = (name: string): string => join(root, name)
  const backupOf = (name: string): string => join(root, 'backup', name)
  const withLock = <T>(name: string, run: () => Promise<T>): Promise<T> =>
    options.lock(join(root, 'running', `${name}.lock`), { waitMs: LOCK_WAIT_MS, what: `writing ${name}` }, run)

  async function load<T>(spec: DocumentSpec<T>): Promise<Loaded<T>> {
    const path = pathOf(spec.name)
    try {
      const text = await fs.readText(path, { maxBytes: MAX_BYTES })
      if (text !== null) return decode(spec, text)
    } catch (error) {
      // A folder, a pipe or something huge in its place; a file that may not be read is not broken.
      if (isPloinkyError(error) && error.details['reason'] !== undefined) return { ok: false, problem: error.message }
      throw error
    }
    // Nothing there: new, unless it was there before (every written file has a backup) or a link leads nowhere.
    if ((await fs.lstat(path)) !== null) return { ok: false, problem: 'it is a link that leads nowhere' }
    if ((await fs.lstat(backupOf(spec.name))) !== null) return { ok: false, problem: MISSING }
    return { ok: true, value: spec.empty() }
  }

  /** Called with the lock held: another process may have repaired the file meanwhile. */
  async function recover<T>(spec: DocumentSpec<T>): Promise<T> {
    const again = await load(spec)
    if (again.ok) return again.value
    const backup = await fs.readText(backupOf(spec.name), { maxBytes: MAX_BYTES })
    const restored = backup === null ? null : decode(spec, backup)
    if (backup === null || restored === null || !restored.ok) {
      throw unusable(spec.name, again.problem)
    }
    const keptAs =
      again.problem === MISSING ? null : `${spec.name}.broken-${new Date().toISOString().replace(/[:.]/g, '-')}`
    if (keptAs !== null) await fs.rename(pathOf(spec.name), pathOf(keptAs))
    await fs.writeAtomic(pathOf(spec.name), backup, { mode: 0o600 })
    options.onRecovered({ file: spec.name, problem: again.problem, keptAs })
    return restored.value
  }

  /** What a writer that was killed left half-written. With the lock held nobody else writes this document. */
  async function sweep(name: string): Promise<void> {
    for (const folder of [root, join(root, 'backup')]) {
      const strays = (await fs.list(folder)).filter((file) => file.startsWith(`.${name}.`) && file.endsWith('.tmp'))
      for (const stray of strays) await fs.remove(join(folder, stray))
    }
  }

  async function read<T>(spec: DocumentSpec<T>): Promise<T> {
    const loaded = await load(spec)
    if (loaded.ok) return loaded.value
    return loaded.problem === MISSING ? readBackup(spec) : await withLock(spec.name, () => recover(spec))
  }

  const told = new Set<string>()
  /**
   * The file is gone. Its backup counts, and the next change writes both again; reading alone does not: the folder may be
   * in the middle of being removed, and would come back in part.
   */
  async function readBackup<T>(spec: DocumentSpec<T>): Promise<T> {
    const text = await fs.readText(backupOf(spec.name), { maxBytes: MAX_BYTES })
    if (text === null) return spec.empty()
    const backup = decode(spec, text)
    if (!backup.ok) throw unusable(spec.name, MISSING)
    if (!told.has(spec.name)) options.onRecovered({ file: spec.name, problem: MISSING, keptAs: null })
    told.add(spec.name)
    return backup.value
  }

  return {
    read,
    update: (spec, change) =>
      withLock(spec.name, async () => {
        const loaded = await load(spec)
        const current = loaded.ok ? loaded.value : await recover(spec)
        const next = spec.parse(JSON.parse(JSON.stringify(await change(current))))
        const text = `${JSON.stringify({ version: spec.version, ...(next as object) }, null, 2)}\n`
        if (text !== (await fs.readText(pathOf(spec.name)))) {
          await sweep(spec.name)
          await fs.writeAtomic(pathOf(spec.name), text, { mode: 0o600 })
          await fs.writeAtomic(backupOf(spec.name), text, { mode: 0o600 })
        }
        return next
      }),
    remove: (spec) =>
      withLock(spec.name, async () => {
        // The backup first: a file that vanished from beside its backup would be recovered.
        await fs.remove(backupOf(spec.name))
        await fs.remove(pathOf(spec.name))
      }),
    watch: (spec, onChange) => watchFile({ fs, root, name: spec.name }, onChange),
  }
}

/**
 * Notifications where the system has them, and a slow look at the file beside them: some file systems never notify.
 * What the file is at the call is what changes are told against, so whoever watches first and then reads misses none.
 */
function watchFile(
  { fs, root, name }: { fs: FileSystem; root: string; name: string },
  onChange: () => void,
): () => void {
  // A file that cannot be looked at is reported by whoever reads it.
  const stamp = (): string | null => {
    try {
      return fs.stampSync(join(root, name))
    } catch {
      return null
    }
  }
  let last = stamp()
  const look = (): void => {
    const seen = stamp()
    if (seen === last) return
    last = seen
    onChange()
  }
  const timer = setInterval(look, POLL_MS)
  timer.unref?.()
  let stop = (): void => {}
  try {
    stop = fs.watch(root, (changed) => {
      if (changed === null || changed === name) look()
    })
  } catch {
    // No notifications here (limits of the system): the slow look remains.
  }
  return () => {
    clearInterval(timer)
    stop()
  }
}
