import type { ServerResponse } from '../platform/index.ts'

/** Without the app: it answers as soon as the port does. */
export function writeHealth(
  outgoing: ServerResponse,
  health: Readonly<Record<string, string | number>>,
  requestId: string,
): void {
  const body = JSON.stringify(health)
  outgoing.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    'x-request-id': requestId,
  })
  outgoing.end(outgoing.req.method === 'HEAD' ? undefined : body)
}
