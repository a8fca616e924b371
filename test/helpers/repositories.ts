/** Repositories and archives for tests, the hostile ones too: made byte by byte where honest tools refuse. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32, gzipSync } from 'node:zlib'

/** git of the test itself: no configuration of the machine, a fixed author. */
export function git(dir: string, ...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
  }
  return execFileSync('git', ['-C', dir, '-c', 'protocol.file.allow=always', ...args], { env, encoding: 'utf8' }).trim()
}

export async function writeTree(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
}

/** Gives the commit. */
export async function commit(
  dir: string,
  files: Readonly<Record<string, string>>,
  message = 'change',
): Promise<string> {
  await writeTree(dir, files)
  git(dir, 'add', '--all')
  git(dir, 'commit', '--quiet', '--allow-empty', '-m', message)
  return git(dir, 'rev-parse', 'HEAD')
}

export const AGENT = { 'hello/manifest.json': '{"about": "Says hello"}' }

export async function gitRepository(dir: string, files: Readonly<Record<string, string>> = AGENT): Promise<string> {
  await mkdir(dir, { recursive: true })
  git(dir, 'init', '--quiet', '-b', 'main')
  await commit(dir, files, 'first')
  return dir
}

interface TarEntry {
  readonly name: string
  readonly data?: string
  /** "0" file, "1" hard link, "2" link, "3" device, "5" folder, "6" pipe. */
  readonly type?: string
  readonly target?: string
  readonly mode?: number
  /** Announced instead of the real one. */
  readonly size?: number
}

function tarHeader(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(512)
  const put = (text: string, at: number): void => void header.write(text, at, 'utf8')
  put(entry.name.slice(0, 100), 0)
  put((entry.mode ?? 0o644).toString(8).padStart(7, '0'), 100)
  put((entry.size ?? size).toString(8).padStart(11, '0'), 124)
  put(entry.type ?? '0', 156)
  put(entry.target ?? '', 157)
  put('ustar\u000000', 257)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

export function tar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const data = Buffer.from(entry.data ?? '')
    return [tarHeader(entry, data.length), data, Buffer.alloc((512 - (data.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

export const tgz = (entries: readonly TarEntry[]): Buffer => gzipSync(tar(entries))

interface ZipEntry {
  readonly name: string
  readonly data?: Buffer | string
  /** Compressed form of `data`, by method 8. */
  readonly packed?: Buffer
  /** Mode of stat(2), type included. */
  readonly mode?: number
  readonly flags?: number
  readonly size?: number
  readonly crc?: number
}

export function zip(entries: readonly ZipEntry[]): Buffer {
  const [local, central]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const entry of entries) {
    const name = Buffer.from(entry.name)
    const data = Buffer.from(entry.data ?? '')
    const packed = entry.packed ?? data
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(entry.flags ?? 0, 2)
    fields.writeUInt16LE(entry.packed === undefined ? 0 : 8, 4)
    fields.writeUInt32LE(entry.crc ?? crc32(data), 10)
    fields.writeUInt32LE(packed.length, 14)
    fields.writeUInt32LE(entry.size ?? data.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const signed = (signature: number, ...parts: Buffer[]): Buffer => {
      const head = Buffer.alloc(4)
      head.writeUInt32LE(signature)
      return Buffer.concat([head, ...parts])
    }
    const file = signed(0x04034b50, fields, name, packed)
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6)
    rest.writeUInt32LE(offset, 10)
    central.push(signed(0x02014b50, Buffer.from([20, 3]), fields, rest, name))
    local.push(file)
    offset += file.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50)
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, directory, end])
}
