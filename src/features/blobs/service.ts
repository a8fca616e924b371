/**
 * Files handed to the router, kept under one folder: `<id>` holds the bytes and `<id>.json` describes them.
 * A blob exists from the moment its description does, so a crash at any point leaves a whole blob or a stray that
 * `sweep()` removes.
 */
import { join } from 'node:path'
import { PloinkyError } from '../../core/error.ts'
import type { FileSystem, Hashing } from '../../platform/index.ts'
import { BLOB_ID, blobMetaSchema } from './schema.ts'
import type { BlobList, BlobMeta, BlobUpload } from './schema.ts'

export interface BlobServiceOptions {
  readonly fs: Pick<
    FileSystem,
    'readText' | 'lstat' | 'list' | 'mkdir' | 'writeAtomic' | 'rename' | 'remove' | 'readStream' | 'writeStream'
  >
  readonly hash: Pick<Hashing, 'createSha256'>
  readonly dir: string
  /** Largest accepted upload, in bytes. */
  readonly maxBytes: number
}

export interface BlobService {
  readonly maxBytes: number
  /** Streams to disk and hashes on the way. Throws REQUEST_TOO_LARGE (before reading, when the length was declared). */
  upload(input: BlobUpload): Promise<BlobMeta>
  /** Throws NAME_INVALID for what is no id, BLOB_NOT_FOUND, STATE_INVALID for a broken description. */
  get(id: string): Promise<BlobMeta>
  /** Where the bytes of a checked blob are. */
  pathOf(meta: BlobMeta): string
  list(): Promise<BlobList>
  remove(id: string): Promise<void>
  /** Removes what an interrupted upload left behind; returns the file names. Only while nothing is being uploaded: at start. */
  sweep(): Promise<string[]>
}

const UPLOAD_SUFFIX = '.upload'
const MAX_META_BYTES = 16 * 1024
const DEFAULT_MIME = 'application/octet-stream'
const DEFAULT_NAME = 'blob'
/** type/subtype of RFC 6838 tokens, with parameters of plain tokens or quoted text. */
const MIME = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}(?:\s*;\s*[\w-]+=(?:[\w.+-]+|"[\w .+/-]*"))*$/

export function createBlobService(options: BlobServiceOptions): BlobService {
  const { fs, dir } = options
  const dataPath = (id: string): string => join(dir, id)
  const metaPath = (id: string): string => join(dir, `${id}.json`)

  async function upload(input: BlobUpload): Promise<BlobMeta> {
    if (input.declaredSize !== undefined && input.declaredSize > options.maxBytes) throw tooLarge(options.maxBytes)
    const filename = cleanName(input.filename)
    const mime = checkMime(input.mime)
    const id = newId()
    const temporary = dataPath(id) + UPLOAD_SUFFIX
    const sha256 = options.hash.createSha256()
    await fs.mkdir(dir, { mode: 0o700 })
    try {
      const size = await fs.writeStream(temporary, input.body, {
        mode: 0o600,
        maxBytes: options.maxBytes,
        onChunk: (chunk) => sha256.update(chunk),
      })
      if (input.declaredSize !== undefined && size !== input.declaredSize) throw incomplete(input.declaredSize, size)
      const meta: BlobMeta = { id, filename, mime, size, sha256: sha256.hex(), createdAt: new Date().toISOString() }
      await fs.rename(temporary, dataPath(id))
      await fs.writeAtomic(metaPath(id), `${JSON.stringify(meta)}\n`, { mode: 0o600 })
      return meta
    } catch (error) {
      await fs.remove(temporary)
      await fs.remove(dataPath(id))
      throw (error as { code?: unknown }).code === 'REQUEST_TOO_LARGE' ? tooLarge(options.maxBytes) : error
    }
  }

  async function get(id: string): Promise<BlobMeta> {
    if (!BLOB_ID.test(id)) {
      throw new PloinkyError('NAME_INVALID', `Invalid blob id: ${JSON.stringify(id.slice(0, 80))}`, {
        hint: 'Use the "id" of the upload\'s answer: 48 characters of 0-9 and a-f',
      })
    }
    const text = await fs.readText(metaPath(id), { maxBytes: MAX_META_BYTES })
    if (text === null) throw notFound(id)
    const meta = parseMeta(id, text)
    const data = await fs.lstat(dataPath(id))
    // A link or a folder in the place of the bytes was not put there by us.
    if (data?.kind !== 'file' || data.size !== meta.size) throw broken(id, 'the stored bytes do not match it')
    return meta
  }

  return {
    maxBytes: options.maxBytes,
    upload,
    get,
    pathOf: (meta) => dataPath(meta.id),
    async list() {
      const result: { blobs: BlobMeta[]; unreadable: string[] } = { blobs: [], unreadable: [] }
      for (const id of (await fs.list(dir)).filter(isMetaName).map((name) => name.slice(0, -'.json'.length))) {
        const found = await get(id).catch((error: unknown) => error)
        if (!(found instanceof Error)) result.blobs.push(found as BlobMeta)
        // Deleted between the two looks: simply not there.
        else if ((found as PloinkyError).code !== 'BLOB_NOT_FOUND') result.unreadable.push(id)
      }
      result.blobs.sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0))
      return result
    },
    async remove(id) {
      // A description that cannot be read must not make a blob undeletable.
      await get(id).catch((error: unknown) => {
        if ((error as PloinkyError).code !== 'STATE_INVALID') throw error
      })
      await fs.remove(metaPath(id))
      await fs.remove(dataPath(id))
    },
    async sweep() {
      const names = await fs.list(dir)
      const described = new Set(names.filter(isMetaName))
      const strays = names.filter(
        (name) => isUploadName(name) || (BLOB_ID.test(name) && !described.has(`${name}.json`)),
      )
      for (const name of strays) await fs.remove(join(dir, name))
      return strays
    },
  }
}

const isMetaName = (name: string): boolean => name.endsWith('.json') && BLOB_ID.test(name.slice(0, -'.json'.length))
const isUploadName = (name: string): boolean =>
  name.endsWith(UPLOAD_SUFFIX) && BLOB_ID.test(name.slice(0, -UPLOAD_SUFFIX.length))

function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Keeps the last path segment, without control characters and without the marks that reorder text on screen. */
function cleanName(name: string | undefined): string {
  const base = (name ?? '').split(/[/\\]/).at(-1) ?? ''
  const visible = base.replace(/[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '').trim()
  const cut = Array.from(visible).slice(0, 200).join('')
  return cut === '' || cut === '.' || cut === '..' ? DEFAULT_NAME : cut
}

function checkMime(mime: string | undefined): string {
  if (mime === undefined || mime.trim() === '') return DEFAULT_MIME
  if (mime.length <= 255 && MIME.test(mime.trim())) return mime.trim()
  throw new PloinkyError('REQUEST_INVALID', `Invalid media type: ${JSON.stringify(mime.slice(0, 80))}`, {
    hint: 'Send a type as "text/plain" in the X-Mime-Type header, or leave it out',
  })
}

function parseMeta(id: string, text: string): BlobMeta {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw broken(id, 'it is not JSON', cause)
  }
  const parsed = blobMetaSchema.safeParse(value)
  if (!parsed.success) throw broken(id, `"${parsed.error.issues[0]?.path.join('.') ?? ''}" is wrong`, parsed.error)
  if (parsed.data.id !== id) throw broken(id, 'it names another blob')
  return parsed.data
}

function broken(id: string, problem: string, cause?: unknown): PloinkyError {
  return new PloinkyError('STATE_INVALID', `Unreadable description of blob "${id}": ${problem}`, {
    hint: 'Upload the file again, then delete this blob with: DELETE /blobs/<id>',
    details: { id },
    ...(cause === undefined ? {} : { cause }),
  })
}

function notFound(id: string): PloinkyError {
  return new PloinkyError('BLOB_NOT_FOUND', `No such blob: "${id}"`, {
    hint: 'List what is there with: GET /blobs',
    details: { id },
  })
}

function tooLarge(maxBytes: number): PloinkyError {
  return new PloinkyError('REQUEST_TOO_LARGE', `Blob too large: at most ${maxBytes} bytes`, {
    hint: 'Send a smaller file, or split it',
    details: { maxBytes },
  })
}

function incomplete(declared: number, received: number): PloinkyError {
  return new PloinkyError('REQUEST_INVALID', `Incomplete upload: ${received} of ${declared} bytes arrived`, {
    hint: 'Send the file again',
    details: { declared, received },
  })
}
