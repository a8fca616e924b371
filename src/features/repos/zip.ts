/** Entries of a zip archive, by its central directory. Format: APPNOTE.TXT of PKWARE; no encryption, no ZIP64, one volume. */
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem } from '../../platform/index.ts'
import { archiveInvalid, type Entry } from './entry.ts'
import { decompress } from './decompress.ts'

const END_SIGNATURE = 0x06054b50
const CENTRAL_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
/** The end record, with the longest comment. */
const MAX_END = 22 + 65_535
const MAX_DIRECTORY = 32 * 1024 * 1024
/** High half of the "external attributes" when a Unix made the archive: mode of stat(2). */
const TYPE_MASK = 0o170000

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function crc32(crc: number, bytes: Uint8Array): number {
  let value = ~crc
  for (const byte of bytes) value = (CRC_TABLE[(value ^ byte) & 0xff] ?? 0) ^ (value >>> 8)
  return ~value >>> 0
}

interface Item extends Omit<Entry, 'data' | 'target'> {
  readonly method: number
  readonly crc: number
  readonly packed: number
  readonly offset: number
}

interface File {
  readonly fs: FileSystem
  readonly path: string
  readonly size: number
}

async function bytesAt({ fs, path, size }: File, start: number, count: number): Promise<DataView> {
  if (start < 0 || count < 0 || start + count > size) throw archiveInvalid('it ends early')
  const whole = new Uint8Array(count)
  let at = 0
  if (count > 0)
    for await (const chunk of fs.readStream(path, { start, end: start + count - 1 })) {
      whole.set(chunk, at)
      at += chunk.byteLength
    }
  if (at !== count) throw archiveInvalid('it ends early')
  return new DataView(whole.buffer)
}

async function readDirectory(file: File): Promise<{ directory: DataView; count: number }> {
  const length = Math.min(MAX_END, file.size)
  const tail = await bytesAt(file, file.size - length, length)
  let at = length - 22
  while (at >= 0 && tail.getUint32(at, true) !== END_SIGNATURE) at -= 1
  if (at < 0) throw archiveInvalid('it is no zip archive, or damaged')
  const [count, size, offset] = [
    tail.getUint16(at + 10, true),
    tail.getUint32(at + 12, true),
    tail.getUint32(at + 16, true),
  ]
  if (count === 0xffff || offset === 0xffffffff) throw archiveInvalid('ZIP64 is not read')
  if (tail.getUint16(at + 4, true) !== 0 || tail.getUint16(at + 8, true) !== count)
    throw archiveInvalid('it is one of several volumes')
  if (size > MAX_DIRECTORY) throw archiveInvalid('its directory is too large')
  return { directory: await bytesAt(file, offset, size), count }
}

function itemAt(directory: DataView, at: number): Item & { next: number } {
  if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== CENTRAL_SIGNATURE)
    throw archiveInvalid('its directory is damaged')
  const nameLength = directory.getUint16(at + 28, true)
  const next = at + 46 + nameLength + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true)
  if (next > directory.byteLength) throw archiveInvalid('its directory is damaged')
  const flags = directory.getUint16(at + 8, true)
  if ((flags & 1) !== 0) throw archiveInvalid('it is encrypted')
  const path = nameOf(new Uint8Array(directory.buffer, directory.byteOffset + at + 46, nameLength))
  const isUnix = directory.getUint8(at + 5) === 3
  const mode = isUnix ? directory.getUint32(at + 38, true) >>> 16 : 0
  return {
    path,
    kind: kindOf(path, mode),
    method: directory.getUint16(at + 10, true),
    crc: directory.getUint32(at + 16, true),
    packed: directory.getUint32(at + 20, true),
    size: directory.getUint32(at + 24, true),
    executable: (mode & 0o100) !== 0,
    offset: directory.getUint32(at + 42, true),
    next,
  }
}

function kindOf(path: string, mode: number): Entry['kind'] {
  const type = mode & TYPE_MASK
  if (type === 0o120000) return 'link'
  if (type === 0o040000 || path.endsWith('/')) return 'directory'
  if (type === 0 || type === 0o100000) return 'file'
  throw archiveInvalid(`it holds a device or a pipe: ${JSON.stringify(path.slice(0, 100))}`)
}

function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw archiveInvalid('a name is not UTF-8')
  }
}

async function* contents(file: File, item: Item): AsyncGenerator<Uint8Array> {
  const header = await bytesAt(file, item.offset, 30)
  if (header.getUint32(0, true) !== LOCAL_SIGNATURE) throw archiveInvalid('it is damaged')
  const start = item.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true)
  if (start + item.packed > file.size) throw archiveInvalid('it ends early')
  if (item.method !== 0 && item.method !== 8) throw archiveInvalid(`compression method ${item.method} is not read`)
  let [size, crc] = [0, 0]
  if (item.packed > 0) {
    const packed = file.fs.readStream(file.path, { start, end: start + item.packed - 1 })
    for await (const chunk of item.method === 0 ? packed : decompress(packed, 'deflate-raw')) {
      size += chunk.byteLength
      // Before it is written: the announced size was counted against the limit.
      if (size > item.size) break
      crc = crc32(crc, chunk)
      yield chunk
    }
  }
  if (size !== item.size || crc !== item.crc)
    throw archiveInvalid(`damaged: ${JSON.stringify(item.path.slice(0, 100))}`)
}

async function targetOf(file: File, item: Item): Promise<string> {
  if (item.kind !== 'link') return ''
  if (item.size > 4096) throw archiveInvalid('a link is too long')
  let target = ''
  const decoder = new TextDecoder()
  for await (const chunk of contents(file, item)) target += decoder.decode(chunk, { stream: true })
  return target
}

export async function* readZip(fs: FileSystem, path: string): AsyncGenerator<Entry> {
  const info = await fs.stat(path)
  if (info === null) throw new PloinkyError('REPO_NOT_FOUND', `No such archive: "${path}"`)
  const file: File = { fs, path, size: info.size }
  const { directory, count } = await readDirectory(file)
  let at = 0
  for (let index = 0; index < count; index++) {
    const item = itemAt(directory, at)
    at = item.next
    yield { ...item, target: await targetOf(file, item), data: () => contents(file, item) }
  }
}
