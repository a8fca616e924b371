/**
 * Rotation of a log that several processes write: `router.log` is renamed to `router.log.000007`, and whoever writes next
 * makes a new one. Writers open the file for each write, so none of them has to be told.
 */
import { basename, dirname, join } from 'node:path'
import { isPloinkyError } from '../../core/error.ts'
import type { FileSystem, Platform } from '../../platform/index.ts'

const DAY_MS = 86_400_000
const DIGITS = 6
/** Another process is rotating: that is as good. */
const LOCK_WAIT_MS = 1000
/** Of the first line, enough to find its time. */
const HEAD_BYTES = 400

export interface LogLimits {
  /** A file that is larger is rotated. */
  readonly maxBytes: number
  /** A file whose first line is older is rotated, a rotated one whose last line is older is removed. */
  readonly maxAgeDays: number
  /** Rotated files that are kept. */
  readonly keep: number
}

export interface Rotation {
  /** Rotates when the file is due; true when it did. */
  rotate(path: string): Promise<boolean>
}

/** Rotated files of a log, oldest first. */
export async function rotatedFiles(fs: FileSystem, path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`
  const isRotated = (name: string): boolean => name.startsWith(prefix) && /^\d{6,15}$/.test(name.slice(prefix.length))
  const number = (name: string): number => Number(name.slice(prefix.length))
  const names = (await fs.list(dirname(path))).filter(isRotated)
  return names.sort((a, b) => number(a) - number(b)).map((name) => join(dirname(path), name))
}

export function createRotation(
  { fs, lock }: Pick<Platform, 'fs' | 'lock'>,
  options: { lockFile: string; limits: LogLimits; now?: () => number },
): Rotation {
  const { lockFile, limits, now = Date.now } = options

  /** Time of the first line; null when it tells none, or when another process has rotated the file just now. */
  async function begin(path: string): Promise<number | null> {
    let head = ''
    const decoder = new TextDecoder()
    try {
      for await (const chunk of fs.readStream(path, { start: 0, end: HEAD_BYTES - 1 }))
        head += decoder.decode(chunk, { stream: true })
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return null
      throw error
    }
    const time = Date.parse(/"(?:ts|at)":"([^"]{10,40})"/.exec(head)?.[1] ?? '')
    return Number.isNaN(time) ? null : time
  }

  async function isDue(path: string): Promise<boolean> {
    const info = await fs.stat(path)
    if (info === null || info.kind !== 'file' || info.size === 0) return false
    if (info.size > limits.maxBytes) return true
    const since = await begin(path)
    return since !== null && since < now() - limits.maxAgeDays * DAY_MS
  }

  async function prune(path: string): Promise<void> {
    const files = await rotatedFiles(fs, path)
    const kept = new Set(files.slice(Math.max(0, files.length - limits.keep)))
    for (const file of files) {
      const isOld = ((await fs.stat(file))?.mtimeMs ?? 0) < now() - limits.maxAgeDays * DAY_MS
      if (isOld || !kept.has(file)) await fs.remove(file)
    }
  }

  async function rotateNow(path: string): Promise<boolean> {
    // Another process may have done it meanwhile.
    if (!(await isDue(path))) return false
    const last = (await rotatedFiles(fs, path)).at(-1)
    const number = last === undefined ? 1 : Number(last.slice(path.length + 1)) + 1
    await fs.rename(path, `${path}.${String(number).padStart(DIGITS, '0')}`)
    await prune(path)
    return true
  }

  return {
    async rotate(path) {
      if (!(await isDue(path))) return false
      try {
        return await lock(lockFile, { waitMs: LOCK_WAIT_MS, what: 'rotating logs' }, () => rotateNow(path))
      } catch (error) {
        if (isPloinkyError(error) && error.code === 'LOCKED') return false
        throw error
      }
    },
  }
}
