/** Conditional and partial requests (RFC 9110, sections 13 and 14), shared by everything that serves bytes of a known size. */
import { PloinkyError, toErrorBody } from '../core/error.ts'
import type { FileSystem } from '../platform/index.ts'

export interface ByteRange {
  /** First byte, counted from 0. */
  readonly start: number
  /** Last byte, included. */
  readonly end: number
}

/** What a server knows about the bytes that it is about to send. */
export interface Representation {
  /** Bytes. */
  readonly size: number
  /** Quoted, with `W/` in front when weak. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly mtimeMs?: number
}

export type Selection =
  | { readonly kind: 'not-modified' }
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' }

const SINGLE_RANGE = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i

/**
 * The part that a `Range` header asks for. `null` means "send the whole": no header, another unit, a mistake, or several
 * ranges (answering those with one multipart body is optional, and an easy way to make a server repeat itself).
 */
export function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | null {
  if (header === null) return null
  const match = SINGLE_RANGE.exec(header)
  const [first, last] = [match?.[1] ?? '', match?.[2] ?? '']
  if (first === '' && last === '') return null
  if (first === '') {
    const length = Number(last)
    if (length === 0 || size === 0) return 'unsatisfiable'
    return { start: Math.max(0, size - length), end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

/** Decides what a GET or HEAD request gets, in the order that RFC 9110 section 13.2.2 prescribes. */
export function select(request: Request, what: Representation): Selection {
  if (isNotModified(request.headers, what)) return { kind: 'not-modified' }
  // Ranges are defined for GET alone: HEAD describes the whole.
  if (request.method !== 'GET' || !isRangeWanted(request.headers, what)) return { kind: 'whole' }
  const range = parseRange(request.headers.get('range'), what.size)
  if (range === null) return { kind: 'whole' }
  return range === 'unsatisfiable' ? { kind: 'unsatisfiable' } : { kind: 'part', range }
}

function isNotModified(headers: Headers, what: Representation): boolean {
  const tags = headers.get('if-none-match')
  if (tags !== null) return tags.trim() === '*' || entityTags(tags).some((tag) => opaque(tag) === opaque(what.etag))
  const since = headers.get('if-modified-since')
  return since !== null && isUnmodifiedSince(since, what.mtimeMs)
}

/** `If-Range` needs a strong match: a part of one version must never be glued to a part of another. */
function isRangeWanted(headers: Headers, what: Representation): boolean {
  const condition = headers.get('if-range')
  if (condition === null) return true
  const tag = condition.trim()
  if (tag.startsWith('"')) return tag === what.etag
  if (tag.startsWith('W/')) return false
  const date = Date.parse(tag)
  return what.mtimeMs !== undefined && date === Math.floor(what.mtimeMs / 1000) * 1000
}

function isUnmodifiedSince(header: string, mtimeMs: number | undefined): boolean {
  const date = Date.parse(header)
  // HTTP dates have whole seconds, so the file's time is compared in whole seconds too.
  return mtimeMs !== undefined && !Number.isNaN(date) && Math.floor(mtimeMs / 1000) * 1000 <= date
}

const entityTags = (list: string): string[] => list.match(/(?:W\/)?"[^"]*"/g) ?? []
const opaque = (tag: string): string => tag.replace(/^W\//, '')

/** Sets status-dependent headers of a selection: `Content-Length` and `Content-Range`. */
export function describeSelection(headers: Headers, selection: Selection, size: number): number {
  switch (selection.kind) {
    case 'not-modified':
      return 304
    case 'unsatisfiable':
      headers.set('content-range', `bytes */${size}`)
      return 416
    case 'part':
      headers.set('content-range', `bytes ${selection.range.start}-${selection.range.end}/${size}`)
      headers.set('content-length', String(selection.range.end - selection.range.start + 1))
      return 206
    case 'whole':
      headers.set('content-length', String(size))
      return 200
  }
}

/** 416 in the project's error shape, with the size that the client needs to ask again. */
export function rangeRefused(headers: Headers, size: number): Response {
  for (const name of ['etag', 'last-modified', 'content-encoding', 'content-disposition']) headers.delete(name)
  headers.set('content-type', 'application/json; charset=utf-8')
  headers.set('cache-control', 'no-store')
  const error = new PloinkyError('RANGE_INVALID', `Range not satisfiable: the file has ${size} bytes`, {
    hint: 'Ask for a range inside the file, or leave the Range header out',
    details: { size },
  })
  return new Response(JSON.stringify(toErrorBody(error)), { status: 416, headers })
}

/** Below this a file is read at once: cheaper than a stream, and a change in between is noticed before the head is sent. */
const SMALL_BYTES = 64 * 1024

type Reader = Pick<FileSystem, 'readStream'>

/**
 * The bytes of a range as a response body. A file that shrinks while it is sent breaks the stream (the client sees an
 * incomplete answer, never a complete-looking wrong one); one that grows is cut at the announced length.
 */
export async function fileBody(
  fs: Reader,
  path: string,
  range: ByteRange,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream> {
  const length = range.end - range.start + 1
  if (length <= 0) return new Uint8Array(0)
  const stream = exactly(() => fs.readStream(path, range), length)
  if (length > SMALL_BYTES) return toWebStream(stream)
  const body = new Uint8Array(length)
  let at = 0
  for await (const chunk of stream) {
    body.set(chunk, at)
    at += chunk.byteLength
  }
  return body
}

/** Opens the file at the first pull: a body that nobody reads must not hold one open. */
async function* exactly(open: () => AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let left = length
  for await (const chunk of open()) {
    yield chunk.byteLength <= left ? chunk : chunk.subarray(0, left)
    left -= Math.min(left, chunk.byteLength)
    if (left === 0) return
  }
  throw new Error(`File is shorter than announced: ${left} of ${length} bytes are missing`)
}

/** A pulled stream: nothing is read ahead of the client, and a client that leaves closes the file. */
function toWebStream(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await source.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await source.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
