/** `/api/v1/agents/{agent}/files/content`: the bytes of one file. The listing is a command. */
import { Hono } from 'hono'
import { PloinkyError } from '../../core/error.ts'
import { isAllowed } from '../../core/principal.ts'
import { bytesOf } from '../../http/body.ts'
import { contentDisposition } from '../../http/disposition.ts'
import type { FrontEnv, HonoEnv } from '../../http/front.ts'
import type { FileService } from './service.ts'

const ROUTE = '/agents/:agent/files/content'

/** A chained app, so that its type carries the routes. Mounted below `/api/v1`. */
export function createFileRoutes(files: FileService) {
  return new Hono<HonoEnv>()
    .get(ROUTE, async (c) => {
      const call = {
        ...callOf(c.env, { agent: c.req.param('agent'), path: c.req.query('path') }),
        signal: c.req.raw.signal,
      }
      const content = await files.read(call)
      const headers = {
        'content-type': 'application/octet-stream',
        'content-length': String(content.size),
        'content-disposition': contentDisposition(content.path.split('/').at(-1) ?? 'file'),
        // An agent's file is hostile: should a browser show it after all, then without scripts, forms or an origin.
        'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        ...(content.mtimeMs === null ? {} : { 'last-modified': new Date(content.mtimeMs).toUTCString() }),
      }
      // Hono answers HEAD through GET: nobody reads the bytes then.
      if (c.req.method !== 'HEAD') return c.body(toStream(content.bytes), 200, headers)
      await content.bytes[Symbol.asyncIterator]().return?.()
      return c.body(null, 200, headers)
    })
    .put(ROUTE, async (c) => {
      const call = {
        ...callOf(c.env, { agent: c.req.param('agent'), path: c.req.query('path') }),
        signal: c.req.raw.signal,
      }
      const written = await files.write(call, {
        size: sizeOf(c.req.raw.headers),
        bytes: bytesOf(c.req.raw),
        overwrite: c.req.query('overwrite') === 'true',
      })
      return c.json(written, written.replaced ? 200 : 201)
    })
}

/** Who may run a program in an agent may have its files. */
function callOf({ principal }: FrontEnv, { agent, path }: { agent: string; path: string | undefined }) {
  if (principal === null) throw new PloinkyError('UNAUTHENTICATED', 'Sign in first')
  if (!isAllowed(principal, 'operate')) throw new PloinkyError('DENIED', 'Files need the permission "operate"')
  if (path !== undefined && path !== '') return { agent, path, principal: principal.id }
  throw new PloinkyError('REQUEST_INVALID', 'The address names no file', { hint: 'Add it: ?path=notes/today.md' })
}

function sizeOf(headers: Headers): number | null {
  const length = headers.get('content-length')
  if (length === null) return headers.get('transfer-encoding') === null ? 0 : null
  if (/^\d{1,15}$/.test(length)) return Number(length)
  throw new PloinkyError('REQUEST_INVALID', 'Invalid Content-Length', { hint: 'Send the number of bytes' })
}

function toStream(bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await iterator.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await iterator.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}
