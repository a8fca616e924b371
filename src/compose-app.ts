/** Pages, API and blobs of the router: loaded once it listens, since agents can be reached without. */
import type { Hono } from 'hono'
import { createBlobRoutes, createBlobService } from './features/blobs/index.ts'
import { createFileRoutes } from './features/files/index.ts'
import { createRecordingRoutes } from './features/terminals/recording-routes.ts'
import { createApp } from './http/app.ts'
import type { HonoEnv } from './http/front.ts'
import { createStaticFiles } from './http/static.ts'
import type { Services } from './services.ts'

export async function loadApp({ platform, paths, settings, files, recordings }: Services) {
  const { fs, hash } = platform
  const blobs = createBlobService({ fs, hash, dir: paths.blobs, maxBytes: settings.values.blobLimit })
  await blobs.sweep()
  return {
    createApp,
    createStaticFiles,
    features: [createBlobRoutes({ blobs, fs }), createRecordingRoutes({ recordings, fs })] as unknown as Hono[],
    apiFeatures: [createFileRoutes(files) as unknown as Hono<HonoEnv>],
  }
}
