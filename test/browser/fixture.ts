/**
 * A small server for tests of the pages' own logic: the built pages with the real headers, and an API whose answers a test
 * sets. The journeys through the real router are in `journey.test.ts`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { SSEStreamingApi } from 'hono/streaming'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { createStaticFiles } from '../../src/http/static.ts'
import { createFileSystem } from '../../src/platform/files.ts'
import { buildPublic } from '../../src/tools/build-public.mjs'
import { launch } from './browser.ts'

/** At least as strict as the router's own, which `journey.test.ts` looks at. */
export const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

export interface FixtureAgent {
  name: string
  ref: string
  about: string
  state: string
  runtime: string
  image: string
  container: string
  static: boolean
  mcpUrl: string | null
  pageUrl: string | null
  startedAt: string | null
  lastError: { code: string; message: string; hint?: string } | null
  needs?: string[]
  calls?: { agent: string; tools: string[] | null }[]
  ports?: { host: number; container: number }[]
  supervision?: Record<string, unknown>
}

export function agent(name: string, change: Partial<FixtureAgent> = {}): FixtureAgent {
  return {
    name,
    ref: `builtin/${name}`,
    about: '',
    state: 'ready',
    runtime: 'docker',
    image: 'docker.io/library/node:24-alpine',
    container: `ploinky-${name}-1a2b3c`,
    static: false,
    mcpUrl: `/mcps/${name}/mcp`,
    pageUrl: `/services/${name}/`,
    startedAt: '2026-01-01T10:00:00Z',
    lastError: null,
    ...change,
  }
}

/** The bundled pages, made once a file; `remove` takes them away again. */
async function buildPages(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'ploinky-test-pages-'))
  await buildPublic(dir)
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) }
}

/** A browser and the built pages, for the tests of this `describe`. */
export function usePages(): { readonly browser: Browser; readonly dir: string } {
  let made: { browser: Browser; dir: string } | undefined
  let remove = async (): Promise<void> => {}
  beforeAll(async () => {
    const browser = await launch()
    const pages = await buildPages()
    remove = pages.remove
    made = { browser, dir: pages.dir }
  })
  afterAll(async () => {
    await made?.browser.close()
    await remove()
  })
  const started = () => {
    if (made === undefined) throw new Error('Only in a test')
    return made
  }
  return {
    get browser() {
      return started().browser
    },
    get dir() {
      return started().dir
    },
  }
}

export async function startFixture(dir: string, extend: (app: Hono) => void = () => {}) {
  const state = {
    agents: [agent('demo')],
    signedIn: true,
    /** Answers each call with this error when set. */
    failure: null as { status: 500 | 503; code: string; message: string; suggestion?: string } | null,
    calls: [] as string[],
    seq: 0,
    acceptsEvents: true,
    /** Held actions wait for this. */
    gate: Promise.resolve(),
  }
  const streams = new Set<SSEStreamingApi>()
  const sockets = { drop: () => {} }
  const app = apiOf(state, streams)
  extend(app)
  const files = createStaticFiles({
    fs: createFileSystem(),
    root: dir,
    precompressed: true,
    headers: { 'content-security-policy': POLICY },
  })
  app.get('*', async (c) => (await files(c.req.raw, c.req.path)) ?? c.notFound())
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const made = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(made))
  })
  sockets.drop = () => {
    if ('closeAllConnections' in server) server.closeAllConnections()
  }
  return {
    state,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Tells all open pages that something happened. */
    async emit(type: string, subject: string, principal?: string) {
      state.seq += 1
      const event = {
        seq: state.seq,
        type,
        at: '2026-01-01T12:00:00Z',
        subject,
        data: {},
        ...(principal === undefined ? {} : { principal }),
      }
      for (const stream of streams)
        await stream.writeSSE({ id: String(state.seq), event: type, data: JSON.stringify(event) })
    },
    /** Something that is no event: a sample of what agents use. */
    async tell(event: string, data: unknown) {
      for (const stream of streams) await stream.writeSSE({ event, data: JSON.stringify(data) })
    },
    dropConnections: () => sockets.drop(),
    async close() {
      sockets.drop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
export type Fixture = Awaited<ReturnType<typeof startFixture>>

function apiOf(state: Fixture['state'], streams: Set<SSEStreamingApi>): Hono {
  const app = new Hono()
  app.use('/api/*', async (c, next) => {
    state.calls.push(`${c.req.method} ${c.req.path}`)
    if (!state.signedIn)
      return c.json({ error: { code: 'UNAUTHENTICATED', message: 'Not signed in', details: {} } }, 401)
    if (state.failure !== null && !c.req.path.endsWith('/events')) {
      const { status, code, message, suggestion } = state.failure
      return c.json({ error: { code, message, details: suggestion === undefined ? {} : { suggestion } } }, status)
    }
    return next()
  })
  app.get('/api/v1/status', (c) =>
    c.json({
      workspace: { name: 'my-project', root: '/home/ada/my-project', id: '1a2b3c' },
      router: { version: '0.1.0', port: 8088, uptimeSeconds: 7_512, pid: 4242 },
      profile: 'dev',
      agents: state.agents,
    }),
  )
  app.post('/api/v1/agents/:agent/:action', async (c) => {
    await state.gate
    const { agent: name, action } = c.req.param()
    state.agents = state.agents.map((one) =>
      one.name === name ? { ...one, state: action === 'stop' ? 'stopped' : 'ready' } : one,
    )
    return c.json({ agent: name, outcome: 'started', state: 'ready' })
  })
  app.get('/api/v1/events', (c) => {
    if (!state.acceptsEvents) return c.json({ error: { code: 'INTERNAL', message: 'no', details: {} } }, 503)
    return streamSSE(c, async (stream) => {
      streams.add(stream)
      await stream.write(': hello\n\n')
      await new Promise<void>((resolve) => stream.onAbort(resolve))
      streams.delete(stream)
    })
  })
  app.post('/auth/login', async (c) => {
    const isJson = c.req.header('content-type')?.startsWith('application/json') === true
    const body: Record<string, unknown> = isJson ? await c.req.json() : await c.req.parseBody()
    if (body['token'] !== 'right-token') {
      return c.json({ error: { code: 'UNAUTHENTICATED', message: 'Wrong token', details: {} } }, 401)
    }
    state.signedIn = true
    return isJson ? c.body(null, 204) : c.redirect('/dashboard/', 303)
  })
  app.post('/auth/logout', (c) => {
    state.signedIn = false
    return c.body(null, 204)
  })
  return app
}
