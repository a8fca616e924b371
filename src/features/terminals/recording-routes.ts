/** `/recordings/<recording>.cast`: the file of a recording, for the player and to be saved. */
import { Hono } from 'hono'
import { PloinkyError } from '../../core/error.ts'
import { isAllowed, type Principal } from '../../core/principal.ts'
import { fileBody } from '../../http/ranges.ts'
import type { FileSystem } from '../../platform/index.ts'
import type { Recordings } from './recordings.ts'

export function createRecordingRoutes({
  recordings,
  fs,
}: {
  recordings: Recordings
  fs: Pick<FileSystem, 'readStream'>
}) {
  return new Hono<{ Bindings: { principal: Principal | null } }>().get('/recordings/:file', async (c) => {
    const { principal } = c.env
    if (principal === null || !isAllowed(principal, 'operate'))
      throw new PloinkyError('DENIED', 'Recordings need the role operator or admin')
    const recording = c.req.param('file').replace(/\.cast$/, '')
    const { path, size } = await recordings.find(recording)
    const headers = {
      'content-type': 'application/x-asciicast',
      'content-length': String(size),
      'content-disposition': `attachment; filename="${recording}.cast"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-cache',
      'cross-origin-resource-policy': 'same-origin',
    }
    if (c.req.raw.method === 'HEAD' || size === 0) return new Response(null, { headers })
    // As long as it is now: one that goes on would otherwise be longer than announced.
    return new Response(await fileBody(fs, path, { start: 0, end: size - 1 }), { headers })
  })
}
