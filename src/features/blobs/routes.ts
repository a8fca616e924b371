/** `/blobs`: upload, download, list and delete. */
import { Hono } from 'hono'
import type { Context } from 'hono'
import { PloinkyError } from '../../core/error.ts'
import { bytesOf } from '../../http/body.ts'
import { contentDisposition } from '../../http/disposition.ts'
import { describeSelection, fileBody, rangeRefused, select } from '../../http/ranges.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { BlobMeta } from './schema.ts'
import type { BlobService } from './service.ts'

export interface BlobRoutesOptions {
  readonly blobs: BlobService
  readonly fs: Pick<FileSystem, 'readStream'>
}

/** Characters of the encoded name, as the original format allows. */
const MAX_NAME_HEADER = 512

/** A chained app, so that its type carries the routes. Mount it at the root: `app.route('/', createBlobRoutes(...))`. */
export function createBlobRoutes({ blobs, fs }: BlobRoutesOptions) {
  return (
    new Hono()
      .post('/blobs', async (c) => {
        const meta = await blobs.upload({ body: bytesOf(c.req.raw), ...uploadHeaders(c.req.raw.headers) })
        const { id, size, sha256, mime, filename } = meta
        const downloadUrl = `/blobs/${id}`
        return c.json({ id, size, sha256, mime, filename, downloadUrl }, 201, { location: downloadUrl })
      })
      .get('/blobs', async (c) => {
        const { blobs: list, unreadable } = await blobs.list()
        return c.json({ blobs: list.map((meta) => ({ ...meta, downloadUrl: `/blobs/${meta.id}` })), unreadable })
      })
      // Hono answers HEAD through GET; `download` looks at the method of the request itself.
      .get('/blobs/:id', async (c) => download(c, await blobs.get(c.req.param('id')), { blobs, fs }))
      .delete('/blobs/:id', async (c) => {
        await blobs.remove(c.req.param('id'))
        return c.body(null, 204)
      })
  )
}

async function download(c: Context, meta: BlobMeta, { blobs, fs }: BlobRoutesOptions): Promise<Response> {
  const etag = `"${meta.sha256}"`
  const mtimeMs = Date.parse(meta.createdAt)
  const headers = new Headers({
    'content-type': meta.mime,
    'content-disposition': contentDisposition(meta.filename),
    'x-content-type-options': 'nosniff',
    // Uploaded content is hostile: should a browser show it after all, then without scripts, forms or an origin.
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    'last-modified': new Date(mtimeMs).toUTCString(),
    etag,
  })
  const selection = select(c.req.raw, { size: meta.size, etag, mtimeMs })
  const status = describeSelection(headers, selection, meta.size)
  if (selection.kind === 'unsatisfiable') return rangeRefused(headers, meta.size)
  if (selection.kind === 'not-modified' || c.req.raw.method === 'HEAD') return new Response(null, { status, headers })
  const range = selection.kind === 'part' ? selection.range : { start: 0, end: meta.size - 1 }
  return new Response(await fileBody(fs, blobs.pathOf(meta), range), { status, headers })
}

function uploadHeaders(headers: Headers): { declaredSize?: number; filename?: string; mime?: string } {
  const length = headers.get('content-length')
  const filename = fileNameOf(headers)
  const mime = headers.get('x-mime-type') ?? bodyType(headers.get('content-type'))
  return {
    ...(length === null ? {} : { declaredSize: declaredSize(length) }),
    ...(filename === null ? {} : { filename }),
    ...(mime === null ? {} : { mime }),
  }
}

/** What HTTP clients send when nobody chose a type says nothing about the file. */
function bodyType(header: string | null): string | null {
  return header?.startsWith('application/x-www-form-urlencoded') === true ? null : header
}

function declaredSize(header: string): number {
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw new PloinkyError('REQUEST_INVALID', `Invalid Content-Length: ${JSON.stringify(header.slice(0, 40))}`, {
    hint: 'Send the number of bytes, or a chunked body without a length',
  })
}

function fileNameOf(headers: Headers): string | null {
  const header = headers.get('x-file-name')
  if (header === null) return nameInDisposition(headers.get('content-disposition') ?? '')
  if (header.length > MAX_NAME_HEADER) throw invalidName(`it is longer than ${MAX_NAME_HEADER} characters`)
  return decodeName(header)
}

function nameInDisposition(header: string): string | null {
  const extended = /filename\*\s*=\s*UTF-8''([^;\s]+)/i.exec(header)?.[1]
  if (extended !== undefined) return decodeName(extended.slice(0, MAX_NAME_HEADER))
  const plain = /filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header)
  return plain === null ? null : (plain[1]?.replace(/\\(.)/g, '$1') ?? plain[2] ?? null)
}

function decodeName(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch (cause) {
    throw invalidName('it is not valid percent-encoded UTF-8', cause)
  }
}

function invalidName(problem: string, cause?: unknown): PloinkyError {
  return new PloinkyError('REQUEST_INVALID', `Invalid X-File-Name header: ${problem}`, {
    hint: 'Send encodeURIComponent(name), at most 512 characters',
    ...(cause === undefined ? {} : { cause }),
  })
}
