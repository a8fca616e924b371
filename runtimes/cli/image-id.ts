/** The content that an image reference stands for now. */
import * as z from 'zod/mini'
import type { CallOptions } from '../adapter.ts'
import type { EngineApi } from './api.ts'
import type { Engine } from './dialect.ts'
import { readJson, withDigestPrefix } from './parse.ts'

/** Null when the image is not here. */
export type ImageIdOf = (reference: string, options: CallOptions) => Promise<string | null>

const imageSchema = z.object({ Id: z.string() })

export function createImageIdOf(engine: Engine, api: () => EngineApi | null): ImageIdOf {
  return async (reference, { signal }) => {
    const path = `/images/${reference.split('/').map(encodeURIComponent).join('/')}/json`
    const quick = await api()
      ?.call('GET', path, { signal })
      .catch(() => null)
    if (quick?.status === 200) {
      const source = { runtime: engine.dialect.id, command: `GET ${path}` }
      return withDigestPrefix(readJson(imageSchema, quick.body, source).Id)
    }
    // Also when the API knows no such image: podman's docker-like API reads short names in its own way.
    const result = await engine.call(['image', 'inspect', '--format', '{{.Id}}', '--', reference], { signal })
    if (result.exitCode === 0) return withDigestPrefix(result.stdout.trim())
    if (engine.codeOf(result.stderr) === 'IMAGE_NOT_FOUND') return null
    throw engine.fail(result, `find the image "${reference}"`)
  }
}
