import { expect, test } from 'vitest'
import { commands } from '../../src/commands.ts'
import { createRecordingRoutes } from '../../src/features/terminals/recording-routes.ts'
import { createBlobRoutes } from '../../src/features/blobs/index.ts'
import { createFileRoutes } from '../../src/features/files/index.ts'
import { type AppOptions, createApp } from '../../src/http/app.ts'
import { isPublicPath } from '../../src/http/public-path.ts'

// Bookmarks, clients and agents hold these addresses. `/mcps/<agent>/*` and `/services/<agent>/*` go to the relay, and
// `/health` is answered, before this table; `ALL /*` is the check of the caller, and at the end the files of pages and of the static agent.
const URLS = [
  'ALL /*',
  'ALL /api/*',
  'DELETE /api/v1/agents/:agent',
  'DELETE /api/v1/agents/:agent/tool-lock',
  'DELETE /api/v1/mcp/endpoints/:name',
  'DELETE /api/v1/recordings/:recording',
  'DELETE /api/v1/sessions',
  'DELETE /api/v1/terminals/:session',
  'DELETE /api/v1/terminals/:session/shares',
  'DELETE /blobs/:id',
  'GET /',
  'GET /api/v1/agents/:agent/files',
  'GET /api/v1/agents/:agent/files/content',
  'GET /api/v1/agents/:agent/logs',
  'GET /api/v1/agents/:agent/permissions',
  'GET /api/v1/agents/:agent/plan',
  'GET /api/v1/agents/:agent/stats',
  'GET /api/v1/catalog',
  'GET /api/v1/commands',
  'GET /api/v1/doctor',
  'GET /api/v1/events',
  'GET /api/v1/events/log',
  'GET /api/v1/grants',
  'GET /api/v1/logs',
  'GET /api/v1/mcp/config/:client',
  'GET /api/v1/mcp/endpoints',
  'GET /api/v1/mcp/endpoints/:name',
  'GET /api/v1/metrics',
  'GET /api/v1/openapi.json',
  'GET /api/v1/profiles',
  'GET /api/v1/profiles/:name/check',
  'GET /api/v1/recordings',
  'GET /api/v1/repositories',
  'GET /api/v1/routes',
  'GET /api/v1/sessions',
  'GET /api/v1/settings',
  'GET /api/v1/status',
  'GET /api/v1/tasks',
  'GET /api/v1/terminals',
  'GET /api/v1/terminals/:session/shares',
  'GET /api/v1/tool-locks',
  'GET /api/v1/variables',
  'GET /auth/login',
  'GET /blobs',
  'GET /blobs/:id',
  'GET /dashboard',
  'GET /recordings/:file',
  'GET /status',
  'GET /webtty',
  'GET /webtty/:agent',
  'POST /api/v1/agents',
  'POST /api/v1/agents/:agent/allow',
  'POST /api/v1/agents/:agent/reinstall',
  'POST /api/v1/agents/:agent/restart',
  'POST /api/v1/agents/:agent/start',
  'POST /api/v1/agents/:agent/stop',
  'POST /api/v1/agents/:agent/tool-lock/approve',
  'POST /api/v1/exposed',
  'POST /api/v1/grants',
  'POST /api/v1/grants/revoke',
  'POST /api/v1/mcp/endpoints',
  'POST /api/v1/repositories',
  'POST /api/v1/repositories/:name/disable',
  'POST /api/v1/repositories/:name/enable',
  'POST /api/v1/repositories/update',
  'POST /api/v1/routes/reload',
  'POST /api/v1/terminals',
  'POST /api/v1/terminals/:session/name',
  'POST /api/v1/terminals/:session/recording',
  'POST /api/v1/terminals/:session/shares',
  'POST /api/v1/token/rotate',
  'POST /auth/link',
  'POST /auth/login',
  'POST /auth/logout',
  'POST /blobs',
  'PUT /api/v1/agents/:agent/files/content',
  'PUT /api/v1/agents/:agent/tool-lock',
  'PUT /api/v1/profile',
  'PUT /api/v1/settings/:name',
  'PUT /api/v1/variables/:name',
]

/** What strangers may ask for; nothing else answers them with anything but "sign in". */
const PUBLIC = [
  'GET /health',
  'HEAD /health',
  'GET /auth/login',
  'POST /auth/login',
  'GET /signin/',
  'GET /favicon.ico',
  'GET /MCPBrowserClient.js',
]

test('addresses of the router', () => {
  // Only the routes are looked at; no handler runs.
  const blobs = createBlobRoutes({} as Parameters<typeof createBlobRoutes>[0])
  const recordings = createRecordingRoutes({} as Parameters<typeof createRecordingRoutes>[0])
  const app = createApp({
    commands,
    features: [blobs, recordings],
    apiFeatures: [createFileRoutes({} as never)],
    sessions: {},
  } as unknown as AppOptions<unknown>)
  const found = new Set(app.routes.map(({ method, path }) => `${method} ${path}`))
  expect([...found].sort()).toEqual(URLS)
})

test('addresses that need no sign-in', () => {
  const all = [...new Set([...URLS, ...PUBLIC])].filter((url) => !url.includes('*'))
  const open = all.filter((url) => {
    const [method = '', path = ''] = url.split(' ')
    return isPublicPath(method, path)
  })
  expect(open.sort()).toEqual([...PUBLIC].sort())
})
