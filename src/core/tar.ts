/**
 * Tar archives: ustar, read with the extensions of pax and GNU for long names, written with pax where it is needed. Format:
 * tar(5), pax(1). The reader is strict: what it does not know, or cannot be sure of, is an error.
 */
import { createByteReader, type ByteReader } from './byte-reader.ts'
import { PloinkyError } from './error.ts'

/** One entry of an archive. */
export interface TarEntry {
  /** As it is written in the archive: not to be trusted. */
  readonly path: string
  /** `other`: a device, a pipe, a hard link. */
  readonly kind: 'file' | 'directory' | 'link' | 'other'
  /** Bytes, as announced. */
  readonly size: number
  /** Permissions. */
  readonly mode: number
  /** Milliseconds since 1970. */
  readonly mtimeMs: number
  /** Where a link leads. */
  readonly target: string
  /** May be called once. */
  data(): AsyncIterable<Uint8Array>
}

const archiveInvalid = (problem: string): PloinkyError =>
  new PloinkyError('ARCHIVE_INVALID', `Cannot read the archive: ${problem}`)

const BLOCK = 512
/** A long name or its pax record; more is not a name. */
const MAX_META = 64 * 1024

const decoder = new TextDecoder('utf-8', { fatal: true })

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  try {
    return decoder.decode(end === -1 ? bytes : bytes.subarray(0, end))
  } catch {
    throw archiveInvalid('a name is not UTF-8')
  }
}

function number(bytes: Uint8Array): number {
  // GNU writes what does not fit into octal digits as binary, with the first bit set.
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    const value = bytes.subarray(1).reduce((sum, byte) => sum * 256 + byte, (bytes[0] ?? 0) & 0x7f)
    if (Number.isSafeInteger(value)) return value
    throw archiveInvalid('a size cannot be read')
  }
  const digits = text(bytes).trim()
  if (!/^[0-7]*$/.test(digits)) throw archiveInvalid('a number cannot be read')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function checkSum(header: Uint8Array): void {
  let sum = 0
  for (const [index, byte] of header.entries()) sum += index >= 148 && index < 156 ? 32 : byte
  if (number(header.subarray(148, 156)) !== sum) throw archiveInvalid('it is no tar archive, or damaged')
}

function parsePax(bytes: Uint8Array): Map<string, string> {
  const found = new Map<string, string>()
  for (let at = 0; at < bytes.byteLength;) {
    const space = bytes.indexOf(32, at)
    const length = space === -1 ? Number.NaN : Number(text(bytes.subarray(at, space)))
    if (!(length > 0) || at + length > bytes.byteLength) throw archiveInvalid('a pax record cannot be read')
    const record = text(bytes.subarray(space + 1, at + length - 1))
    const equals = record.indexOf('=')
    found.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return found
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK

async function skip(reader: ByteReader, count: number): Promise<void> {
  for await (const _ of reader.stream(count));
}

async function meta(reader: ByteReader, size: number): Promise<Uint8Array> {
  if (size > MAX_META) throw archiveInvalid('a name is too long')
  const bytes = size === 0 ? new Uint8Array() : await reader.take(size)
  if (bytes === null) throw endsEarly()
  await skip(reader, padding(size))
  return bytes
}

const endsEarly = () => archiveInvalid('it ends early')

function kindOf(type: string, name: string): TarEntry['kind'] {
  if (type === '5' || ((type === '0' || type === '\0') && name.endsWith('/'))) return 'directory'
  if (type === '0' || type === '\0' || type === '7') return 'file'
  if (type === '2') return 'link'
  if ('1346'.includes(type)) return 'other'
  const what = type === 'S' ? 'a sparse file' : 'an entry of an unknown type'
  throw archiveInvalid(`it holds ${what}: ${JSON.stringify(name.slice(0, 100))}`)
}

/** What the extension headers before an entry say about it. */
interface Extension {
  path?: string
  target?: string
  size?: number
}

async function readExtension(reader: ByteReader, type: string, size: number): Promise<Extension> {
  const bytes = await meta(reader, size)
  if (type === 'L') return { path: text(bytes) }
  if (type === 'K') return { target: text(bytes) }
  // Of all entries: nothing that matters here.
  if (type === 'g') return {}
  const pax = parsePax(bytes)
  if ([...pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw archiveInvalid('it holds a sparse file')
  const [path, target, given] = [pax.get('path'), pax.get('linkpath'), pax.get('size')]
  return {
    ...(path === undefined ? {} : { path }),
    ...(target === undefined ? {} : { target }),
    ...(given === undefined ? {} : { size: Number(given) }),
  }
}

function entryOf(header: Uint8Array, extension: Extension): Omit<TarEntry, 'data'> {
  const prefix = text(header.subarray(257, 262)) === 'ustar' ? text(header.subarray(345, 500)) : ''
  const name = text(header.subarray(0, 100))
  const path = extension.path ?? (prefix === '' ? name : `${prefix}/${name}`)
  const kind = kindOf(String.fromCharCode(header[156] ?? 0), path)
  const size = kind === 'file' ? (extension.size ?? number(header.subarray(124, 136))) : 0
  if (!Number.isSafeInteger(size) || size < 0) throw archiveInvalid('a size cannot be read')
  return {
    path,
    kind,
    size,
    mode: number(header.subarray(100, 108)) & 0o7777,
    mtimeMs: number(header.subarray(136, 148)) * 1000,
    target: extension.target ?? text(header.subarray(157, 257)),
  }
}

/** ARCHIVE_INVALID at the first thing that is not right. What an entry holds is to be read before the next one is asked for. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = createByteReader(source, endsEarly)
  let extension: Extension = {}
  for (;;) {
    const header = await reader.take(BLOCK)
    if (header === null) throw endsEarly()
    if (header.every((byte) => byte === 0)) break
    checkSum(header)
    const type = String.fromCharCode(header[156] ?? 0)
    if ('LKxg'.includes(type)) {
      extension = { ...extension, ...(await readExtension(reader, type, number(header.subarray(124, 136)))) }
      continue
    }
    const entry = entryOf(header, extension)
    extension = {}
    const data = reader.stream(entry.size)
    yield { ...entry, data: () => data }
    // What nobody read.
    for await (const _ of data);
    await skip(reader, padding(entry.size))
  }
  // To its end: a damaged archive often shows only in the check sum of its compression.
  while ((await reader.take(1)) !== null);
}

const encoder = new TextEncoder()

/** What is written about a file. */
export interface TarFile {
  /** Name in the archive, of one folder level. */
  readonly name: string
  readonly size: number
  readonly mode: number
  readonly mtimeMs: number
}

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`

function header(fields: { name: Uint8Array; size: number; mode: number; mtimeMs: number; type: string }): Uint8Array {
  const block = new Uint8Array(BLOCK)
  const put = (text: string, at: number): void => block.set(encoder.encode(text), at)
  block.set(fields.name.subarray(0, 100), 0)
  put(octal(fields.mode & 0o7777, 8), 100)
  put(octal(0, 8), 108)
  put(octal(0, 8), 116)
  put(octal(Math.min(fields.size, 0o77777777777), 12), 124)
  put(octal(Math.max(0, Math.floor(fields.mtimeMs / 1000)), 12), 136)
  put(' '.repeat(8), 148)
  put(fields.type, 156)
  put('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** "<length> <key>=<value>\n", where the length counts itself. */
function paxRecord(key: string, value: string): Uint8Array {
  const rest = encoder.encode(` ${key}=${value}\n`).byteLength
  let length = rest + String(rest).length
  if (String(length).length !== String(rest).length) length = rest + String(length).length
  return encoder.encode(`${length} ${key}=${value}\n`)
}

const padded = (bytes: Uint8Array): Uint8Array => {
  const block = new Uint8Array(bytes.byteLength + padding(bytes.byteLength))
  block.set(bytes)
  return block
}

/** An archive of one file. Throws ARCHIVE_INVALID when `bytes` are not exactly as many as announced: nothing is made up. */
export async function* writeTar(file: TarFile, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const name = encoder.encode(file.name)
  if (name.byteLength > 100 || file.size > 0o77777777777) {
    const records = [paxRecord('path', file.name), paxRecord('size', String(file.size))]
    const pax = new Uint8Array(records.reduce((sum, record) => sum + record.byteLength, 0))
    records.reduce((at, record) => (pax.set(record, at), at + record.byteLength), 0)
    const about = { name: encoder.encode('pax'), size: pax.byteLength, mode: 0o644, mtimeMs: 0, type: 'x' }
    yield header(about)
    yield padded(pax)
  }
  yield header({ ...file, name, type: '0' })
  let left = file.size
  for await (const chunk of bytes) {
    left -= chunk.byteLength
    if (left < 0) throw archiveInvalid('a file is longer than was said')
    yield chunk
  }
  if (left > 0) throw archiveInvalid('a file is shorter than was said')
  yield new Uint8Array(padding(file.size) + 2 * BLOCK)
}
