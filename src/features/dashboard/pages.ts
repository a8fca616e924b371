/** Serves the bundled pages of `dist/public` with the one set of headers that all of them live under. */
import { Hono } from 'hono'
import { PloinkyError } from '../../core/error.ts'
import { createStaticFiles } from '../../http/static.ts'
import type { StaticFilesOptions } from '../../http/static.ts'

/** Everything a page uses is a file of this router: nothing inline, no other origin, no HTML made from text. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=()',
  'referrer-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

export interface PagesOptions {
  readonly fs: StaticFilesOptions['fs']
  /** Folder of the bundled pages, e.g. `dist/public`. */
  readonly dir: string
}

export interface Pages {
  /** `/dashboard/*` needs a signed-in visitor, see `isPublic`. */
  readonly routes: Hono
  /** True for the pages that a visitor without a sign-in must be able to load: they hold no data. */
  isPublic(pathname: string): boolean
  /** The page for a browser that asked for something that is not there (status 404), or null for any other client. */
  notFound(request: Request): Promise<Response | null>
}

const PAGES = ['dashboard', 'signin', 'not-found'] as const
const PUBLIC_PAGES = ['signin', 'not-found'] as const

export function createPages({ fs, dir }: PagesOptions): Pages {
  const files = createStaticFiles({ fs, root: dir, precompressed: true, headers: PAGE_HEADERS })
  const routes = new Hono()
  for (const page of PAGES) {
    const serve = async (request: Request, pathname: string): Promise<Response> => {
      const response = await files(request, pathname)
      if (response !== null) return response
      const isHome = pathname === `/${page}` || pathname === `/${page}/`
      throw isHome ? notBuilt(page) : new PloinkyError('ROUTE_NOT_FOUND', `No such page: ${JSON.stringify(pathname)}`)
    }
    routes.on(['GET', 'HEAD'], [`/${page}`, `/${page}/*`], (c) => serve(c.req.raw, c.req.path))
  }
  return {
    routes,
    isPublic: (pathname) => PUBLIC_PAGES.some((page) => pathname === `/${page}` || pathname.startsWith(`/${page}/`)),
    async notFound(request) {
      if (request.method !== 'GET' || !wantsHtml(request.headers.get('accept'))) return null
      const url = new URL('/not-found/', request.url)
      // Without the visitor's conditions and ranges: this is never the file that was asked for.
      const page = await files(new Request(url), '/not-found/')
      if (page === null) return null
      const headers = new Headers(page.headers)
      headers.set('cache-control', 'no-store')
      for (const name of ['etag', 'last-modified', 'accept-ranges']) headers.delete(name)
      return new Response(page.body, { status: 404, headers })
    },
  }
}

/** Browsers name `text/html` when a person navigates; scripts and API clients do not. */
const wantsHtml = (accept: string | null): boolean => accept !== null && /(?:^|,)\s*text\/html\b/i.test(accept)

function notBuilt(page: string): PloinkyError {
  return new PloinkyError('ROUTE_NOT_FOUND', `The page "${page}" is not built`, { hint: 'npm run build' })
}
