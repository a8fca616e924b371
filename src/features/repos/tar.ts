/** Entries of a tar archive: ustar, with the extensions of pax and GNU for long names. Format: tar(5), pax(1). */
import { createByteReader, type ByteReader } from './bytes.ts'
import { archiveInvalid, type Entry } from './entry.ts'

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

function kindOf(type: string, name: string): Entry['kind'] {
  if (type === '5' || ((type === '0' || type === '\0') && name.endsWith('/'))) return 'directory'
  if (type === '0' || type === '\0' || type === '7') return 'file'
  if (type === '2') return 'link'
  const what = { '1': 'a hard link', '3': 'a device', '4': 'a device', '6': 'a pipe', S: 'a sparse file' }[type]
  throw archiveInvalid(`it holds ${what ?? 'an entry of an unknown type'}: ${JSON.stringify(name.slice(0, 100))}`)
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

function entryOf(header: Uint8Array, extension: Extension): Omit<Entry, 'data'> {
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
    executable: (number(header.subarray(100, 108)) & 0o100) !== 0,
    target: extension.target ?? text(header.subarray(157, 257)),
  }
}

export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
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
