const PUBLIC_FILES = ['/favicon.ico', '/MCPBrowserClient.js']

/** Paths that strangers may ask for; everything else needs a principal. Pure. */
export function isPublicPath(method: string, path: string): boolean {
  if (path === '/health') return method === 'GET' || method === 'HEAD'
  if (path === '/auth/login') return true
  return (method === 'GET' || method === 'HEAD') && (/^\/(?:signin|shared)\//.test(path) || PUBLIC_FILES.includes(path))
}
