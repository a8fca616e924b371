import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { extname, join, sep } from 'node:path'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webm': 'video/webm',
  '.webmanifest': 'application/manifest+json',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
}

/** Serves the files of a folder; answers `false`, having written nothing, when there is no such file. */
export type StaticFiles = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<boolean>

/** Files below `root`; neither dots nor symbolic links lead out of it, and hidden files are not served. */
export function createStaticFiles(root: string): StaticFiles {
  return async (incoming, outgoing) => {
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') return false
    const found = await findFile(root, incoming.url ?? '/')
    if (found === undefined) return false
    if (found.redirect !== undefined) {
      outgoing.writeHead(308, { location: found.redirect }).end()
      return true
    }
    const { path, size, mtime } = found
    const etag = `W/"${size.toString(36)}-${Math.trunc(mtime).toString(36)}"`
    const headers = {
      'content-type': TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      etag,
    }
    if (incoming.headers['if-none-match'] === etag) {
      outgoing.writeHead(304, headers).end()
      return true
    }
    outgoing.writeHead(200, { ...headers, 'content-length': size })
    if (incoming.method === 'HEAD' || size === 0) outgoing.end()
    // A client that leaves half way, or a file that shrinks, ends the connection and nothing else.
    else await pipeline(createReadStream(path, { end: size - 1 }), outgoing).catch(() => outgoing.destroy())
    return true
  }
}

interface Found {
  path: string
  size: number
  mtime: number
  /** Set for a folder that was asked for without its final slash: relative links of its page would break. */
  redirect?: string
}

async function findFile(root: string, url: string): Promise<Found | undefined> {
  const [rawPath = '/', query] = url.split('?', 2)
  const segments = decodePath(rawPath)
  if (segments === undefined) return undefined
  try {
    const realRoot = await realpath(root)
    let path = await realpath(join(realRoot, ...segments))
    let info = await stat(path)
    if (info.isDirectory()) {
      if (!rawPath.endsWith('/')) {
        const index = await realpath(join(path, 'index.html'))
        if (!inside(realRoot, index)) return undefined
        const name = segments.at(-1) ?? ''
        return {
          path,
          size: 0,
          mtime: 0,
          redirect: `${encodeURIComponent(name)}/${query === undefined ? '' : `?${query}`}`,
        }
      }
      path = await realpath(join(path, 'index.html'))
      info = await stat(path)
    } else if (rawPath.endsWith('/')) return undefined
    return info.isFile() && inside(realRoot, path) ? { path, size: info.size, mtime: info.mtimeMs } : undefined
  } catch {
    // Missing, unreadable, a loop of links: to a visitor all the same.
    return undefined
  }
}

/** The decoded segments of a path, or nothing when one of them could mean more than a name. */
function decodePath(rawPath: string): string[] | undefined {
  try {
    const segments = rawPath
      .split('/')
      .map(decodeURIComponent)
      .filter((segment) => segment !== '')
    return segments.some((segment) => segment.startsWith('.') || /[/\\\0]/.test(segment)) ? undefined : segments
  } catch {
    // A stray percent sign.
    return undefined
  }
}

function inside(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}
