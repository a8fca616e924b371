/**
 * Files of containers. The engine's archives are quick and need no program in the container, but do not see everything that
 * the container sees (docker: no memory file systems); its shell sees all. So archives carry the bytes where both see the
 * same, and images without a shell have archives alone.
 */
import { posix } from 'node:path'
import { isPloinkyError, messageOf, PloinkyError } from '../../src/core/error.ts'
import { writeTar, type TarEntry } from '../../src/core/tar.ts'
import type { CallOptions, FileContent, FileEntry, Folder, InstanceFiles, NewFile, RuntimeAdapter } from '../adapter.ts'
import * as paths from '../file-path.ts'
import type { FilePath } from '../file-path.ts'
import type { EngineApi } from './api.ts'
import { createArchives, type Archives, type OpenArchive } from './archive.ts'
import type { Containers } from './containers.ts'
import type { Engine } from './dialect.ts'
import { createFileShell, guard, sorted, temporaryName, type FileShell, type ShellCall } from './file-shell.ts'
import type { Container } from './parse.ts'

/** An archive of a folder holds all below it: read so far for a listing, and no further. */
const MAX_SCAN_BYTES = 256 * 1024 * 1024
const MAX_SCAN_MS = 20_000
const MAX_LINKS = 20

interface Parts {
  readonly containers: Containers
  readonly exec: RuntimeAdapter['exec']
  readonly api: () => Promise<EngineApi | null>
}

export function createFiles(engine: Engine, { containers, exec, api }: Parts): InstanceFiles {
  const shell = createFileShell({ exec })
  const archives = createArchives(engine, api)

  async function locate(
    name: string,
    path: string,
    options: CallOptions,
  ): Promise<{ container: Container; call: ShellCall }> {
    const container = await containers.running(name, options)
    return { container, call: { name, at: paths.parseFilePath(path, container.workdir), signal: options.signal } }
  }

  return {
    async list(name, path, { limit = paths.LIST_LIMIT, ...options } = {}) {
      const most = Math.min(limit, paths.LIST_LIMIT)
      const { container, call } = await locate(name, path, options)
      return (await shell.list(call, most)) ?? (await listArchive(archives, container.id, { ...call, most }))
    },
    async read(name, path, options = {}) {
      const { container, call } = await locate(name, path, options)
      const isMemory = container.tmpfs.some((folder) => `${call.at.path}/`.startsWith(`${folder}/`))
      const quick = isMemory ? null : await readArchive(archives, container.id, call)
      const found = quick ?? (await shell.read(call)) ?? (await readLinked(archives, container.id, call))
      if (found === null || 'link' in found) throw paths.notFound(call.at.path)
      return found
    },
    async write(name, file, options = {}) {
      const { container, call } = await locate(name, file.path, options)
      if (call.at.name === '') throw paths.notFile(call.at.path)
      return await write({ shell, archives }, container.id, { call, file })
    },
  }
}

interface Ways {
  readonly shell: FileShell
  readonly archives: Archives
}

async function write(
  { shell, archives }: Ways,
  id: string,
  { call, file }: { call: ShellCall; file: NewFile },
): Promise<{ path: string; replaced: boolean }> {
  const temporary = temporaryName()
  const { overwrite, size } = file
  const prepared = await shell.prepare(call, { temporary, overwrite })
  if (prepared === null) return await writeDirectly(archives, id, { call, file })
  // The very folder that was found, whatever becomes of links that led there.
  const found = { ...call, at: { ...call.at, folder: prepared.folder } }
  const seen = await archives.open(id, posix.join(prepared.folder, temporary), call.signal)
  seen?.close()
  if (seen === null) {
    await shell.drop(found, temporary)
    const written = await shell.write(found, file)
    if (written === null) throw paths.unwritten(call.at.path, 'the shell is gone')
    return written
  }
  try {
    await put(archives, id, { ...found.at, name: temporary, file, signal: call.signal })
  } catch (error) {
    await shell.drop({ ...found, signal: undefined }, temporary).catch(() => {})
    throw error
  }
  const { replaced } = await shell.commit(found, { temporary, overwrite, size })
  return { path: posix.join(prepared.folder, call.at.name), replaced }
}

async function put(
  archives: Archives,
  id: string,
  { path, folder, name, file, signal }: FilePath & { file: NewFile; signal: AbortSignal | undefined },
): Promise<void> {
  const tar = guard(writeTar({ name, size: file.size, mode: 0o644, mtimeMs: Date.now() }, file.bytes))
  try {
    await archives.put(id, folder, { tar: tar.bytes, signal })
  } catch (error) {
    if (tar.failure() === null) throw explained(path, error)
  }
  const failure = tar.failure()
  if (isPloinkyError(failure) && failure.code === 'ARCHIVE_INVALID') throw paths.wrongSize(path)
  if (failure !== null) throw failure
}

function explained(path: string, error: unknown): unknown {
  const said = messageOf(error)
  if (/read-?only/i.test(said)) return paths.denied(path, 'it is read-only')
  if (/no space left|quota exceeded/i.test(said)) return paths.unwritten(path, 'there is no space left')
  if (/no such file or directory|could not find the file|not found in container/i.test(said))
    return paths.notFound(path)
  if (/not a directory/i.test(said)) return paths.notFolder(posix.dirname(path))
  return error
}

/** Images without a shell: the engine unpacks under the name itself. */
async function writeDirectly(
  archives: Archives,
  id: string,
  { call, file }: { call: ShellCall; file: NewFile },
): Promise<{ path: string; replaced: boolean }> {
  const { at, signal } = call
  const there = await archives.open(id, at.path, signal)
  const first = there === null ? null : await firstOf(there)
  there?.close()
  if (first?.kind === 'directory') throw paths.notFile(at.path)
  if (first !== null && !file.overwrite) throw paths.exists(at.path)
  // podman would make it.
  const parent = first === null ? await archives.open(id, at.folder, signal) : there
  parent?.close()
  if (parent === null) throw paths.notFound(at.folder)
  await put(archives, id, { ...at, file, signal })
  return { path: at.path, replaced: first !== null }
}

async function firstOf({ entries }: OpenArchive): Promise<TarEntry | null> {
  const next = await entries.next()
  return next.done === true ? null : next.value
}

/** Null: nothing there, or a link; what the container itself sees may be more. */
async function readArchive(archives: Archives, id: string, { at, signal }: ShellCall): Promise<FileContent | null> {
  const archive = await archives.open(id, at.path, signal)
  if (archive === null) return null
  try {
    const entry = await firstOf(archive)
    if (entry === null || entry.kind === 'link') {
      archive.close()
      return null
    }
    if (entry.kind !== 'file') throw paths.notFile(at.path)
    return { path: at.path, size: entry.size, mtimeMs: entry.mtimeMs, bytes: contentOf(archive, entry, at.path) }
  } catch (error) {
    archive.close()
    throw error
  }
}

async function* contentOf(archive: OpenArchive, entry: TarEntry, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* entry.data()
  } catch (error) {
    throw isPloinkyError(error) && error.code === 'ARCHIVE_INVALID' ? paths.cutShort(path) : error
  } finally {
    archive.close()
  }
}

/** Follows links by itself, for images without a shell. */
async function readLinked(archives: Archives, id: string, call: ShellCall): Promise<FileContent | null> {
  let { at } = call
  for (let hops = 0; hops < MAX_LINKS; hops++) {
    const archive = await archives.open(id, at.path, call.signal)
    const entry = archive === null ? null : await firstOf(archive)
    archive?.close()
    if (entry === null) return null
    if (entry.kind !== 'link') return await readArchive(archives, id, { ...call, at })
    at = paths.parseFilePath(entry.target, at.folder)
  }
  return null
}

/** The names of one level, out of an archive of all levels. */
async function listArchive(
  archives: Archives,
  id: string,
  { at, signal, most }: ShellCall & { most: number },
): Promise<Folder> {
  const archive = await archives.open(id, at.path, signal)
  if (archive === null) throw paths.notFound(at.path)
  const deadline = Date.now() + MAX_SCAN_MS
  const entries = new Map<string, FileEntry>()
  let scanned = 0
  let truncated = false
  try {
    const root = await firstOf(archive)
    if (root?.kind === 'link')
      return await listArchive(archives, id, {
        name: '',
        at: paths.parseFilePath(root.target, at.folder),
        signal,
        most,
      })
    if (root?.kind !== 'directory') throw paths.notFolder(at.path)
    for await (const entry of archive.entries) {
      scanned += entry.size
      truncated = entries.size >= most || scanned > MAX_SCAN_BYTES || Date.now() > deadline
      if (truncated) break
      const [name = '', ...below] = entry.path
        .slice(root.path.length)
        .replace(/^\/+|\/+$/g, '')
        .split('/')
      if (below.length === 0 && paths.isEntryName(name)) entries.set(name, describe(name, entry))
    }
  } catch (error) {
    if (isPloinkyError(error) && error.code === 'ARCHIVE_INVALID')
      throw new PloinkyError(
        'RUNTIME_OUTPUT_UNREADABLE',
        `The engine's archive of "${at.path}" cannot be read: ${error.message}`,
      )
    throw error
  } finally {
    archive.close()
  }
  return { path: at.path, entries: sorted([...entries.values()]), truncated }
}

function describe(name: string, { kind, size, mtimeMs, mode }: TarEntry): FileEntry {
  const isFile = kind === 'file'
  return { name, kind: kind === 'link' ? 'symlink' : kind, size: isFile ? size : null, mtimeMs, mode }
}
