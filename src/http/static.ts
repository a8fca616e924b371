/** Serves the files of one folder: pages of the product, and the static agent's own. */
import { PloinkyError } from '../core/error.ts'
import { describeSelection, fileBody, rangeRefused, select } from './ranges.ts'
import type { Selection } from './ranges.ts'
import { locate, parseStaticPath } from './static-path.ts'
import type { Located, StaticFileSystem } from './static-path.ts'
import { acceptedEncodings, contentTypeOf, isCompressible } from './static-types.ts'
import type { Encoding } from './static-types.ts'

type StaticHeaders = Readonly<Record<string, string>>

export interface StaticFilesOptions {
  readonly fs: StaticFileSystem
  readonly root: string
  /** Never served: a name (at any depth), or with a leading `/` a path from the root. Dotfiles never are. */
  readonly reserved?: readonly string[]
  /** `Cache-Control`; `no-cache` by default: kept by the browser, asked again (one 304) on each use. */
  readonly cacheControl?: string | ((path: string) => string)
  /** Serve `x.js.br` and `x.js.gz` in place of `x.js` to clients that take them. Default false. */
  readonly precompressed?: boolean
  /** Compress text on the way. Default true. */
  readonly compress?: boolean
  /** Added to each answer, e.g. a content security policy. */
  readonly headers?: StaticHeaders | ((path: string) => StaticHeaders)
  /** File shown for a folder. Default `index.html`. */
  readonly index?: string
}

/**
 * Answers a GET or HEAD request for `path` (raw, percent-encoded, relative to the root), or `null` when there is no such
 * file. Throws REQUEST_INVALID for a path that tries to escape, METHOD_NOT_ALLOWED for another method on a file.
 */
export type StaticFiles = (request: Request, path: string) => Promise<Response | null>

/** Text below this stays plain: the saved bytes would fit in the same packet. */
const COMPRESS_MIN_BYTES = 1024
/** Above this, compressing each request costs more CPU than the bytes are worth. */
const COMPRESS_MAX_BYTES = 16 * 1024 * 1024
/** A file changed this recently may change again within one tick of the file system's clock: its tag is not strong yet. */
const SETTLE_MS = 2000

const SUFFIX = { br: '.br', gzip: '.gz' } as const

export function createStaticFiles(options: StaticFilesOptions): StaticFiles {
  const reserved = options.reserved ?? []
  const find = (segments: readonly string[]): Promise<Located | null> =>
    locate(options.fs, options.root, { segments, reserved })

  return async (request, path) => {
    const segments = parseStaticPath(path)
    if (segments === null) return null
    const wantsFolder = segments.at(-1) === ''
    const names = wantsFolder ? segments.slice(0, -1) : segments
    const found = await find(names)
    if (found === null) return null
    if (found.info.kind !== 'directory') {
      if (wantsFolder || found.info.kind !== 'file') return null
      return respond({ request, found, names, path, find, options })
    }
    const indexNames = [...names, options.index ?? 'index.html']
    const index = await find(indexNames)
    if (index?.info.kind !== 'file') return null
    const hasSlash = path === '' ? new URL(request.url).pathname.endsWith('/') : wantsFolder
    if (!hasSlash) return toFolder(request)
    return respond({ request, found: index, names: indexNames, path, find, options })
  }
}

interface Answer {
  readonly request: Request
  readonly found: Located
  /** Decoded path below the root; the last one is the file's name. */
  readonly names: readonly string[]
  readonly path: string
  readonly find: (names: readonly string[]) => Promise<Located | null>
  readonly options: StaticFilesOptions
}

async function respond(answer: Answer): Promise<Response> {
  const { request, found, options } = answer
  if (request.method !== 'GET' && request.method !== 'HEAD') throw methodNotAllowed(request.method)
  const contentType = contentTypeOf(answer.names.at(-1) ?? '')
  const compressible = isCompressible(contentType) && found.info.size > COMPRESS_MIN_BYTES
  // A part of a compressed body is of no use to a client that asked for bytes of the file.
  const encodings =
    compressible && !request.headers.has('range')
      ? acceptedEncodings(request.headers.get('accept-encoding'), ['br', 'gzip'])
      : []
  const headers = baseHeaders(answer, contentType)
  if (compressible) headers.set('vary', 'Accept-Encoding')

  const ready = await readySibling(answer, encodings)
  if (ready !== null) {
    headers.set('content-encoding', ready.encoding)
    headers.set('etag', etagOf(ready.file, `-${ready.encoding}`))
    return send(answer, headers, ready.file)
  }
  const onTheWay = options.compress !== false && encodings.includes('gzip') && found.info.size <= COMPRESS_MAX_BYTES
  if (!onTheWay) {
    headers.set('accept-ranges', 'bytes')
    headers.set('etag', etagOf(found))
    return send(answer, headers, found)
  }
  headers.set('content-encoding', 'gzip')
  // Weak: another version of the library may pack the same bytes in another way.
  return sendCompressed(answer, headers, `W/${etagOf(found, '-z').replace(/^W\//, '')}`)
}

function baseHeaders({ options, path, found }: Answer, contentType: string): Headers {
  const headers = new Headers(typeof options.headers === 'function' ? options.headers(path) : options.headers)
  const cache = typeof options.cacheControl === 'function' ? options.cacheControl(path) : options.cacheControl
  headers.set('content-type', contentType)
  headers.set('x-content-type-options', 'nosniff')
  headers.set('cache-control', cache ?? 'no-cache')
  headers.set('last-modified', new Date(found.info.mtimeMs).toUTCString())
  return headers
}

/** Size and time of change in microseconds: two versions differ in at least one of them once the file has settled. */
function etagOf({ info }: Located, suffix = ''): string {
  const tag = `"${info.size.toString(36)}-${Math.round(info.mtimeMs * 1000).toString(36)}${suffix}"`
  return Math.abs(Date.now() - info.mtimeMs) < SETTLE_MS ? `W/${tag}` : tag
}

async function readySibling(
  { find, names, found, options }: Answer,
  encodings: readonly Encoding[],
): Promise<{ file: Located; encoding: Encoding } | null> {
  if (options.precompressed !== true) return null
  for (const encoding of encodings) {
    const file = await find([...names.slice(0, -1), `${names.at(-1) ?? ''}${SUFFIX[encoding]}`])
    // An older sibling was made from an older version of the file.
    if (file?.info.kind === 'file' && file.info.mtimeMs >= found.info.mtimeMs) return { file, encoding }
  }
  return null
}

async function send({ request, found, options }: Answer, headers: Headers, file: Located): Promise<Response> {
  const { size } = file.info
  const what = { size, etag: headers.get('etag') ?? '', mtimeMs: found.info.mtimeMs }
  const selection = select(request, what)
  const status = describeSelection(headers, selection, size)
  if (selection.kind === 'unsatisfiable') return rangeRefused(headers, size)
  if (selection.kind === 'not-modified') return bodiless(headers, status)
  if (request.method === 'HEAD') return new Response(null, { status, headers })
  const body = await fileBody(options.fs, file.realPath, rangeOf(selection, size))
  return new Response(body, { status, headers })
}

async function sendCompressed({ request, found, options }: Answer, headers: Headers, etag: string): Promise<Response> {
  headers.set('etag', etag)
  const { size, mtimeMs } = found.info
  if (select(request, { size, etag, mtimeMs }).kind === 'not-modified') return bodiless(headers, 304)
  if (request.method === 'HEAD') return new Response(null, { headers })
  const plain = new Response(await fileBody(options.fs, found.realPath, { start: 0, end: size - 1 })).body
  return new Response(plain?.pipeThrough(new CompressionStream('gzip')) ?? null, { headers })
}

const rangeOf = (selection: Selection, size: number): { start: number; end: number } =>
  selection.kind === 'part' ? selection.range : { start: 0, end: size - 1 }

function bodiless(headers: Headers, status: number): Response {
  for (const name of ['content-type', 'content-length', 'content-encoding', 'accept-ranges']) headers.delete(name)
  return new Response(null, { status, headers })
}

/** Relative, so that it holds behind any prefix that a proxy in front of us has taken away. */
function toFolder(request: Request): Response {
  const { pathname, search } = new URL(request.url)
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  return new Response(null, { status: 302, headers: { location: `./${name}/${search}`, 'cache-control': 'no-cache' } })
}

function methodNotAllowed(method: string): PloinkyError {
  return new PloinkyError('METHOD_NOT_ALLOWED', `Method not allowed here: ${JSON.stringify(method.slice(0, 20))}`, {
    hint: 'Use GET or HEAD for files',
    details: { allow: ['GET', 'HEAD'] },
  })
}
