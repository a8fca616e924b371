/** What a client would rather have: how long it wants to be waited for, and whether it wants a page. */
import type { IncomingMessage } from '../platform/index.ts'

/** Shorter than the 60 s after which the official MCP clients give a request up. */
const DEFAULT_MS = 50_000
const MAX_SECONDS = 600

/** `Prefer: wait=SECONDS` (RFC 7240, 4.3), in milliseconds. */
export function waitOf(headers: IncomingMessage['headers']): number {
  const { prefer } = headers
  const text = Array.isArray(prefer) ? prefer.join(',') : (prefer ?? '')
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])/i.exec(text)?.[1]
  return seconds === undefined ? DEFAULT_MS : Math.min(Number(seconds), MAX_SECONDS) * 1000
}

/** A person's browser asks for a page: it is sent to the sign-in page instead of being shown JSON. */
export const wantsPage = (incoming: IncomingMessage): boolean =>
  (incoming.method === 'GET' || incoming.method === 'HEAD') && (incoming.headers.accept ?? '').includes('text/html')
