/**
 * Unpacks an archive that somebody else made. Read by our own small readers instead of `tar` and `unzip`: what is checked
 * is what is written, on every system alike, and only files, folders and links within can come into being.
 */
import { dirname, join, normalize } from 'node:path'
import { isPloinkyError } from '../../core/error.ts'
import { readTar } from '../../core/tar.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { decompress } from './decompress.ts'
import { archiveInvalid, type Entry } from './entry.ts'
import { readZip } from './zip.ts'

export interface ArchiveLimits {
  readonly files: number
  /** Bytes, unpacked. */
  readonly bytes: number
}

/** A repository of agents is a few hundred small files. */
export const ARCHIVE_LIMITS: ArchiveLimits = { files: 20_000, bytes: 512 * 1024 * 1024 }

const MAX_PATH = 1024
const MAX_DEPTH = 32
/** Folders that say by themselves what they are: never the wrapper that most archives have. */
const OWN_MEANING = new Set(['skills', '.AchillesSkills'])

interface Unpacking {
  readonly fs: FileSystem
  readonly limits: ArchiveLimits
  readonly signal?: AbortSignal | undefined
}

/**
 * Unpacks into `dir` and gives the folder that is the repository: `dir` itself, or the one folder that everything is in.
 * ARCHIVE_INVALID at the first entry that is not welcome; the caller removes what is there by then.
 */
export async function unpack(file: string, dir: string, options: Unpacking): Promise<string> {
  const { fs } = options
  const links: { path: string; target: string }[] = []
  const made = new Set<string>([dir])
  await fs.mkdir(dir)
  let [files, bytes] = [0, 0]
  try {
    for await (const entry of entriesOf(fs, file)) {
      options.signal?.throwIfAborted()
      files += 1
      bytes += entry.size
      if (files > options.limits.files) throw archiveInvalid(`it holds more than ${options.limits.files} entries`)
      if (bytes > options.limits.bytes) throw archiveInvalid(`it unpacks to more than ${options.limits.bytes} bytes`)
      const parts = partsOf(entry.path)
      // Of the maker's clone: git would take hooks and programs from it.
      if (parts.length === 0 || parts.some((part) => part.toLowerCase() === '.git')) continue
      if (entry.kind === 'link') links.push({ path: parts.join('/'), target: entry.target })
      else await write(entry, join(dir, ...parts), { fs, made })
    }
    const root = await rootOf(fs, dir)
    // Last: nothing is written through a link.
    await makeLinks(fs, { dir, root, links })
    return root
  } catch (error) {
    if (isPloinkyError(error) && error.code === 'CONFIG_INVALID' && error.details['system'] === 'EEXIST')
      throw archiveInvalid('it holds the same name twice', error)
    throw error
  }
}

async function* entriesOf(fs: FileSystem, file: string): AsyncGenerator<Entry> {
  const head = new Uint8Array(2)
  for await (const chunk of fs.readStream(file, { start: 0, end: 1 })) head.set(chunk.subarray(0, 2))
  // By what it is, not by its name.
  const [first, second] = head
  if (first === 0x50 && second === 0x4b) yield* readZip(fs, file)
  else if (first === 0x1f && second === 0x8b) yield* tarEntries(decompress(fs.readStream(file), 'gzip'))
  else yield* tarEntries(fs.readStream(file))
}

async function* tarEntries(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  try {
    for await (const { kind, mode, ...entry } of readTar(source)) {
      const name = JSON.stringify(entry.path.slice(0, 100))
      if (kind === 'other') throw archiveInvalid(`it holds a device, a pipe or a hard link: ${name}`)
      yield { ...entry, kind, executable: (mode & 0o100) !== 0 }
    }
  } catch (error) {
    // The reader knows nothing of repositories, and has no hint.
    if (isPloinkyError(error) && error.code === 'ARCHIVE_INVALID' && error.hint === undefined)
      throw archiveInvalid(error.message.replace(/^[^:]*: /, ''), error)
    throw error
  }
}

/** The parts of a path within the archive; ARCHIVE_INVALID for one that could lead elsewhere. */
function partsOf(path: string): string[] {
  const refuse = (why: string) => archiveInvalid(`${JSON.stringify(path.slice(0, 200))} ${why}`)
  if (path.length > MAX_PATH) throw refuse('is too long')
  if (/[\u0000-\u001f\u007f\\]/.test(path)) throw refuse('holds a control character or a backslash')
  if (path.startsWith('/')) throw refuse('is an absolute path')
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) throw refuse('leads out of the archive')
  if (parts.length > MAX_DEPTH) throw refuse('is too deep')
  return parts
}

async function write(entry: Entry, path: string, { fs, made }: { fs: FileSystem; made: Set<string> }): Promise<void> {
  const folder = entry.kind === 'directory' ? path : dirname(path)
  if (!made.has(folder)) await fs.mkdir(folder)
  made.add(folder)
  if (entry.kind === 'directory') return
  const size = await fs.writeStream(path, entry.data(), {
    mode: entry.executable ? 0o755 : 0o644,
    maxBytes: entry.size,
    sync: false,
  })
  if (size !== entry.size) throw archiveInvalid('it ends early')
}

/** Most archives hold one folder with everything in it; that folder has no manifest of its own. */
async function rootOf(fs: FileSystem, dir: string): Promise<string> {
  const [only, second] = await fs.list(dir)
  if (only === undefined || second !== undefined || OWN_MEANING.has(only)) return dir
  const path = join(dir, only)
  if ((await fs.lstat(path))?.kind !== 'directory') return dir
  return (await fs.lstat(join(path, 'manifest.json'))) === null ? path : dir
}

interface Links {
  readonly dir: string
  readonly root: string
  readonly links: readonly { path: string; target: string }[]
}

/** Links may lead to other files of the repository and nowhere else. */
async function makeLinks(fs: FileSystem, { dir, root, links }: Links): Promise<void> {
  const refuse = (path: string) => archiveInvalid(`the link ${JSON.stringify(path.slice(0, 200))} leads out of it`)
  const inside = (path: string): boolean => path === root || path.startsWith(`${root}/`)
  const names = new Set(links.map(({ path }) => path.toLowerCase()))
  for (const { path, target } of links) {
    const place = join(dir, path)
    // A link below a link would be made wherever that one leads.
    const parents = path.toLowerCase().split('/').slice(0, -1)
    if (parents.some((_, index) => names.has(parents.slice(0, index + 1).join('/')))) throw refuse(path)
    if (!inside(place)) throw refuse(path)
    if (target === '' || target.startsWith('/') || /[\u0000-\u001f]/.test(target)) throw refuse(path)
    if (!inside(normalize(join(dirname(place), target)))) throw refuse(path)
    await fs.mkdir(dirname(place))
    await fs.symlink(target, place)
  }
  const realRoot = (await fs.realPath(root)) ?? root
  // Again, as the system sees it: one link may change where the next one leads.
  for (const { path } of links) {
    const real = await fs.realPath(join(dir, path))
    if (real === null || !(real === realRoot || real.startsWith(`${realRoot}/`))) throw refuse(path)
  }
}

/** Digest of all files of a tree: names, what they hold, and where links lead. Installed packages do not count. */
export async function digestOf({ fs, hash }: { fs: FileSystem; hash: Hashing }, dir: string): Promise<string> {
  const sum = hash.createSha256()
  const encoder = new TextEncoder()
  async function visit(path: string, name: string): Promise<void> {
    const info = await fs.lstat(path)
    if (info === null) return
    sum.update(encoder.encode(`\0${info.kind}\0${name}\0`))
    if (info.kind === 'symlink') sum.update(encoder.encode((await fs.readLink(path)) ?? ''))
    if (info.kind === 'file') for await (const chunk of fs.readStream(path)) sum.update(chunk)
    if (info.kind !== 'directory') return
    for (const child of await fs.list(path))
      if (child !== 'node_modules') await visit(join(path, child), `${name}/${child}`)
  }
  await visit(dir, '')
  return sum.hex()
}
