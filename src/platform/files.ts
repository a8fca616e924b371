/** The file system port over node's own; runs unchanged on Deno. */
import { appendFileSync, createReadStream, statSync, watch as watchFolder } from 'node:fs'
import * as fs from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { PloinkyError } from '../core/error.ts'
import { delay } from '../core/time.ts'
import { hashing } from './hashing.ts'
import type { FileInfo, FileSystem, OpenFile } from './index.ts'
import { onPath, systemError } from './system-error.ts'

const DEFAULT_TEXT_LIMIT = 16 * 1024 * 1024
/** Editors and our own rename cause bursts of notifications; one call a burst is enough. */
const WATCH_DEBOUNCE_MS = 20

const REMOVAL_TRIES = 20
const REMOVAL_PAUSE_MS = 50

const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')

/** Null for what does not exist. */
async function orNull<T>(action: 'read' | 'list', path: string, call: Promise<T>): Promise<T | null> {
  try {
    return await call
  } catch (error) {
    if (isMissing(error)) return null
    throw systemError(action, path, error)
  }
}

type Stats = Awaited<ReturnType<typeof fs.stat>>

function toInfo(stats: Stats): FileInfo {
  const kind = stats.isFile()
    ? 'file'
    : stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : 'other'
  return {
    kind,
    size: Number(stats.size),
    mtimeMs: Number(stats.mtimeMs),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
  }
}

function unreadable(path: string, reason: 'not-a-file' | 'too-large', problem: string): PloinkyError {
  return new PloinkyError('CONFIG_INVALID', `Cannot read "${path}": ${problem}`, {
    hint: `Look at it: ls -ld ${path}`,
    details: { file: path, reason },
  })
}

async function readText(path: string, options: { maxBytes?: number } = {}): Promise<string | null> {
  const limit = options.maxBytes ?? DEFAULT_TEXT_LIMIT
  const stats = await orNull('read', path, fs.stat(path))
  if (stats === null) return null
  // Not even opened: a pipe or a device would never end.
  if (!stats.isFile()) throw unreadable(path, 'not-a-file', 'it is not a file')
  if (stats.size > limit) throw unreadable(path, 'too-large', `it has ${stats.size} bytes, at most ${limit} are read`)
  return await orNull('read', path, fs.readFile(path, 'utf8'))
}

async function writeAtomic(path: string, data: string | Uint8Array, options: { mode?: number } = {}): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${hashing.randomToken(6)}.tmp`)
  try {
    await fs.mkdir(dirname(path), { recursive: true })
    const handle = await fs.open(temporary, 'wx', options.mode ?? 0o644)
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(temporary, path)
  } catch (error) {
    // What could not be made cannot be removed either; the first error tells the story.
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw systemError('write', path, error)
  }
}

async function writeStream(
  path: string,
  data: AsyncIterable<Uint8Array>,
  options: { mode?: number; maxBytes?: number; sync?: boolean; onChunk?: (chunk: Uint8Array) => void } = {},
): Promise<number> {
  const limit = options.maxBytes ?? Number.POSITIVE_INFINITY
  const handle = await onPath('write', path, fs.open(path, 'wx', options.mode ?? 0o600))
  let written = 0
  try {
    for await (const chunk of data) {
      written += chunk.byteLength
      if (written > limit) throw new PloinkyError('REQUEST_TOO_LARGE', `More than ${limit} bytes`)
      options.onChunk?.(chunk)
      for (let offset = 0; offset < chunk.byteLength;) {
        const { bytesWritten } = await handle.write(chunk, offset, chunk.byteLength - offset)
        offset += bytesWritten
      }
    }
    if (options.sync !== false) await handle.sync()
    await handle.close()
    return written
  } catch (error) {
    await handle.close().catch(() => {})
    await fs.rm(path, { force: true })
    throw systemError('write', path, error)
  }
}

const READ_BYTES = 256 * 1024

async function openRead(path: string): Promise<OpenFile | null> {
  const handle = await orNull('read', path, fs.open(path, 'r'))
  if (handle === null) return null
  const { dev, ino } = await onPath('read', path, handle.stat())
  return {
    id: `${dev}:${ino}`,
    size: async () => (await onPath('read', path, handle.stat())).size,
    async *bytes(start) {
      for (let position = start; ;) {
        const buffer = new Uint8Array(READ_BYTES)
        const { bytesRead } = await onPath('read', path, handle.read(buffer, 0, READ_BYTES, position))
        if (bytesRead === 0) return
        position += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    close: () => onPath('read', path, handle.close()),
  }
}

function appendSync(path: string, data: string, options?: { mode?: number }): void {
  try {
    appendFileSync(path, data, { mode: options?.mode ?? 0o644 })
  } catch (error) {
    throw systemError('write', path, error)
  }
}

/** Whoever still writes there is ending; Deno has no retries of its own. */
async function removeAll(path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await fs.rm(path, { recursive: true, force: true })
    } catch (error) {
      if (tries === REMOVAL_TRIES || (error as { code?: string }).code !== 'ENOTEMPTY') throw error
      await delay(REMOVAL_PAUSE_MS)
    }
  }
}

function stampSync(path: string): string | null {
  try {
    const { ino, mtimeMs, size } = statSync(path)
    return `${ino}:${mtimeMs}:${size}`
  } catch (error) {
    if (isMissing(error)) return null
    throw systemError('read', path, error)
  }
}

function watch(path: string, onChange: (name: string | null) => void): () => void {
  const pending = new Map<string | null, ReturnType<typeof setTimeout>>()
  const watcher = watchFolder(path, (_event, name) => {
    clearTimeout(pending.get(name))
    pending.set(
      name,
      setTimeout(() => {
        pending.delete(name)
        onChange(name)
      }, WATCH_DEBOUNCE_MS),
    )
  })
  // The watched folder may be deleted under us; there is nothing left to report then.
  watcher.on('error', () => watcher.close())
  watcher.unref?.()
  return () => {
    watcher.close()
    for (const timer of pending.values()) clearTimeout(timer)
  }
}

export function createFileSystem(): FileSystem {
  return {
    readText,
    writeAtomic,
    writeStream,
    stampSync,
    watch,
    stat: async (path) => {
      const stats = await orNull('read', path, fs.stat(path))
      return stats && toInfo(stats)
    },
    lstat: async (path) => {
      const stats = await orNull('read', path, fs.lstat(path))
      return stats && toInfo(stats)
    },
    realPath: (path) => orNull('read', path, fs.realpath(path)),
    list: async (path) => ((await orNull('list', path, fs.readdir(path))) ?? []).sort(),
    mkdir: async (path, options) => {
      const mode = options?.mode === undefined ? {} : { mode: options.mode }
      await onPath('write', path, fs.mkdir(path, { recursive: true, ...mode }))
    },
    openRead,
    appendSync,
    append: (path, data, options) => onPath('write', path, fs.appendFile(path, data, { mode: options?.mode ?? 0o644 })),
    rename: (from, to) => onPath('write', to, fs.rename(from, to)),
    remove: (path) => onPath('remove', path, removeAll(path)),
    symlink: (target, path) => onPath('write', path, fs.symlink(target, path)),
    readLink: (path) => orNull('read', path, fs.readlink(path)),
    chmod: (path, mode) => onPath('write', path, fs.chmod(path, mode)),
    readStream: (path, range) => createReadStream(path, range) as AsyncIterable<Uint8Array>,
  }
}
