/** From the path of a URL to a file inside one folder: the only door, so every refusal is here. */
import { join, sep } from 'node:path'
import { PloinkyError } from '../core/error.ts'
import type { FileInfo, FileSystem } from '../platform/index.ts'

export type StaticFileSystem = Pick<FileSystem, 'stat' | 'realPath' | 'readStream'>

export interface Located {
  /** Free of links at the moment of the check. */
  readonly realPath: string
  readonly info: FileInfo
}

/** Longest name of common file systems, in bytes of UTF-8; and a bound for the whole path. */
const MAX_SEGMENT_BYTES = 255
const MAX_PATH_CHARS = 4096

/**
 * Splits and decodes a raw (still percent-encoded) path. `null`: well formed, but never served (hidden, empty or
 * unportable names). Throws REQUEST_INVALID for anything that tries to mean another path than it shows.
 */
export function parseStaticPath(raw: string): string[] | null {
  const path = raw.replace(/^\//, '')
  if (path.length > MAX_PATH_CHARS) return null
  if (/%(?:2f|5c|00)/i.test(path) || /[\\\0?#]/.test(path)) throw invalidPath('it holds an encoded separator')
  const segments = path.split('/').map(decodeSegment)
  if (segments.some((segment) => segment === '..' || segment === '.')) throw invalidPath('it holds a dot segment')
  // An empty last segment is the trailing slash of a folder.
  return segments.every((segment, index) => (segment === '' ? index === segments.length - 1 : isServedName(segment)))
    ? segments
    : null
}

function decodeSegment(segment: string): string {
  let text: string
  try {
    text = decodeURIComponent(segment)
  } catch (cause) {
    throw invalidPath('it is not valid percent-encoded UTF-8', cause)
  }
  if (/[/\\]/.test(text) || hasControls(text)) throw invalidPath('it holds a control character')
  return text
}

/** Dotfiles stay hidden; the rest are names that mean something else on another operating system (`a:b`, `x.`). */
function isServedName(name: string): boolean {
  if (name.startsWith('.') || name.includes(':') || /[. ]$/.test(name)) return false
  return new TextEncoder().encode(name).byteLength <= MAX_SEGMENT_BYTES
}

function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}

function invalidPath(problem: string, cause?: unknown): PloinkyError {
  return new PloinkyError('REQUEST_INVALID', `Invalid path: ${problem}`, {
    hint: 'Ask for a plain path inside the folder, each segment percent-encoded once',
    ...(cause === undefined ? {} : { cause }),
  })
}

/**
 * True when a file must not be served. An entry with a leading `/` is a path from the root, any other is a name that is
 * kept back at every depth. Case does not count: the disk may not tell `Manifest.json` from `manifest.json`.
 */
export function isReserved(segments: readonly string[], reserved: readonly string[]): boolean {
  const path = `/${segments.join('/')}`.toLowerCase()
  return reserved.some((entry) => {
    const name = entry.toLowerCase()
    return name.startsWith('/')
      ? path === name || path.startsWith(`${name}/`)
      : segments.some((segment) => segment.toLowerCase() === name)
  })
}

/** Finds a file or folder below `root`. `null` when it is missing, or when a link leads out of the root or to something hidden. */
export async function locate(
  fs: StaticFileSystem,
  root: string,
  target: { segments: readonly string[]; reserved: readonly string[] },
): Promise<Located | null> {
  if (isReserved(target.segments, target.reserved)) return null
  const realRoot = await orNull(fs.realPath(root))
  const realPath = realRoot === null ? null : await orNull(fs.realPath(join(root, ...target.segments)))
  if (realRoot === null || realPath === null) return null
  const base = realRoot.endsWith(sep) ? realRoot : realRoot + sep
  if (realPath !== realRoot && !realPath.startsWith(base)) return null
  const realSegments = realPath.slice(base.length).split(sep)
  // A link inside the root may still point at what is kept back.
  if (realSegments.some((name) => name.startsWith('.')) || isReserved(realSegments, target.reserved)) return null
  const info = await orNull(fs.stat(realPath))
  return info === null ? null : { realPath, info }
}

/** Codes that mean "there is no such file to serve" and not "the disk is broken". */
const MISSING: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EACCES', 'EPERM'])

async function orNull<T>(found: Promise<T | null>): Promise<T | null> {
  try {
    return await found
  } catch (error) {
    const { code, cause } = error as { code?: unknown; cause?: { code?: unknown } }
    if (MISSING.has(code) || MISSING.has(cause?.code)) return null
    throw error
  }
}
