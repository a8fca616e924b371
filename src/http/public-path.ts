/** Scripts and styles of the page of terminals: whoever has a link that was shared needs them. */
const TERMINAL_FILES = /^\/webtty\/(?:[^/]+\/)*[^/]+\.(?:css|js|map|png|svg|wasm|woff2)$/
const PUBLIC_FILES = ['/favicon.ico', '/MCPBrowserClient.js']

/** Paths that strangers may ask for; everything else needs a principal. Pure. */
export function isPublicPath(method: string, path: string): boolean {
  if (path === '/health') return method === 'GET' || method === 'HEAD'
  if (path === '/auth/login') return true
  return (
    (method === 'GET' || method === 'HEAD') &&
    (/^\/(?:signin|shared)\//.test(path) || TERMINAL_FILES.test(path) || PUBLIC_FILES.includes(path))
  )
}

/** The page of a terminal, asked for with a link that was shared: the page holds nothing, its socket checks the link. Pure. */
export const isSharedPage = (path: string, query: string): boolean =>
  /^\/webtty\/[^/]+$/.test(path) && new URLSearchParams(query).has('share')
