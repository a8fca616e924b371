/** The Hono app: our own pages and API. Agents' bytes never come here; see `front.ts`. */
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Command, Input } from '../cli/command.ts'
import { PloinkyError } from '../core/error.ts'
import type { EventBus } from '../core/events.ts'
import { parseJson } from '../core/json.ts'
import type { Logger } from '../core/log.ts'
import type { Principal } from '../core/principal.ts'
import { type ApiOptions, createApi, methodsOf } from './api.ts'
import { isJson, readText } from './body.ts'
import { errorResponse } from './error-response.ts'
import type { FrontEnv, HonoEnv } from './front.ts'
import { wantsPage } from './prefer.ts'
import { loginLimiter } from './login-limiter.ts'
import { isPublicPath, isSharedPage } from './public-path.ts'
import { CLIENT_MODULE, refuseRunning, SANDBOX, type Sites } from './sites.ts'
import type { StaticFiles } from './static.ts'

export interface SessionService {
  redeem(code: string): boolean
  open(from: Visitor): Promise<{ value: string; maxAgeSeconds: number }>
  signOut(principal: Principal): Promise<void>
  /** Calls back when the session by which a principal came ends; returns the way out. */
  hold(principal: Principal | null, onEnd: () => void): () => void
  createLoginCode(): string
}

export interface Visitor {
  readonly userAgent: string | undefined
  readonly address: string
}

export interface AppOptions<S> {
  version: string
  commands: readonly Command<S>[]
  execute(
    command: Command<S>,
    input: Input,
    call: { principal: Principal; signal: AbortSignal },
  ): Promise<unknown> | AsyncIterable<unknown>
  sessions: SessionService
  cookieName: string
  /** Our pages, at the root of `dist/public`. */
  pages: StaticFiles
  /** Enabled, running or not. */
  isAgent(name: string): boolean
  /** Files of the static agent; null when there is none. */
  agentFiles(): StaticFiles | null
  staticAgent(): string | null
  sites: Sites
  /** Further routes of features (blobs). */
  features: readonly Hono[]
  /** The same below `/api/v1`: what is no command, because it is bytes. */
  apiFeatures: readonly Hono<HonoEnv>[]
  status(): Promise<unknown>
  /** Makes changes of files that were just written count. */
  reload(): Promise<void>
  events: EventBus
  /** Calls back with what agents use, while somebody looks. */
  watchMetrics(listener: (sample: unknown) => void): () => void
  log: Logger
}

const HEARTBEAT_MS = 15_000
const MAX_LOGIN_BYTES = 4096
const LOGIN_TIMEOUT_MS = 10_000
/** Events that a reader of the stream may be behind before it is let go; it comes back with the last id that it saw. */
const MAX_UNREAD_EVENTS = 1000

/** Only a path of this site: an address in `returnTo` would make the sign-in page a springboard. */
function safeReturn(value: string | undefined): string {
  return value !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(value) && !value.startsWith('/auth/')
    ? value
    : '/dashboard/'
}

async function readToken(request: Request): Promise<string> {
  const text = await readText(request, { maxBytes: MAX_LOGIN_BYTES, timeoutMs: LOGIN_TIMEOUT_MS })
  if (!isJson(request)) return new URLSearchParams(text).get('token') ?? ''
  const json = parseJson(text)
  const token = json.ok ? (json.value as { token?: unknown } | null)?.token : undefined
  return typeof token === 'string' ? token : ''
}

const visitorOf = ({ headers, socket }: FrontEnv['incoming']): Visitor => ({
  userAgent: headers['user-agent'],
  address: socket.remoteAddress ?? '',
})

function authRoutes<S>(options: AppOptions<S>): Hono<HonoEnv> {
  const app = new Hono<HonoEnv>()
  const limiter = loginLimiter()
  const cookie = (value: string, maxAge: number): string =>
    `${options.cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAge}`
  app.get('/login', (c) => {
    const returnTo = c.req.query('returnTo')
    const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(safeReturn(returnTo))}`
    // Who came by a link of another site is signed in, maybe: the cookie is sent with what a page of ours asks for.
    if (c.req.header('sec-fetch-site') === 'cross-site' && c.req.query('again') === undefined)
      return c.html(
        `<!doctype html><meta http-equiv="refresh" content="0;url=/auth/login${query === '' ? '?' : `${query}&`}again=1">`,
      )
    return c.redirect(c.env.principal === null ? `/signin/${query}` : safeReturn(returnTo))
  })
  app.post('/login', async (c) => {
    const address = c.env.incoming.socket.remoteAddress ?? ''
    limiter.check(address)
    const token = await readToken(c.req.raw)
    const asPage = !/^application\/json\b/i.test(c.req.header('content-type') ?? '')
    if (!options.sessions.redeem(token.trim())) {
      limiter.failed(address)
      options.log.warn('sign-in refused', { requestId: c.env.requestId })
      options.events.emit({ type: 'session.refused', subject: 'router', data: { address } })
      if (asPage && (c.req.header('accept') ?? '').includes('text/html')) return c.redirect('/signin/?error=1', 303)
      throw new PloinkyError('UNAUTHENTICATED', 'That token is not valid', { hint: 'Run: ploinky token' })
    }
    const session = await options.sessions.open(visitorOf(c.env.incoming))
    c.header('set-cookie', cookie(session.value, session.maxAgeSeconds))
    return asPage ? c.redirect(safeReturn(c.req.query('returnTo')), 303) : c.body(null, 204)
  })
  app.post('/logout', async (c) => {
    const { principal } = c.env
    if (principal !== null) await options.sessions.signOut(principal)
    c.header('set-cookie', cookie('', 0))
    return /^application\/json\b/i.test(c.req.header('accept') ?? '') ? c.body(null, 204) : c.redirect('/signin/', 303)
  })
  /** The CLI asks for a link that a person can open once. */
  app.post('/link', (c) => c.json({ code: options.sessions.createLoginCode() }))
  return app
}

/** A code in the address is exchanged for a cookie and leaves the address. */
async function exchangeToken<S>(options: AppOptions<S>, env: FrontEnv): Promise<Response | null> {
  const { queryToken, query } = env.caller
  if (queryToken === null || !wantsPage(env.incoming)) return null
  const path = (env.incoming.url ?? '/').split('?', 1)[0] ?? '/'
  // Already signed in (a reload of the printed link): the code is spent, the session counts.
  if (env.caller.via === 'cookie') return new Response(null, { status: 303, headers: { location: `${path}${query}` } })
  if (!options.sessions.redeem(queryToken)) return null
  const session = await options.sessions.open(visitorOf(env.incoming))
  const cookie = `${options.cookieName}=${session.value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${session.maxAgeSeconds}`
  return new Response(null, {
    status: 303,
    headers: {
      location: `${path}${query}`,
      'set-cookie': cookie,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    },
  })
}

const wantsMetrics = (value: string | undefined): boolean => value === '1' || value === 'true'

function eventStream<S>(options: AppOptions<S>): Hono<HonoEnv> {
  const app = new Hono<HonoEnv>()
  app.get('/events', (c) => {
    // Nobody would ever read from the stream of such an answer, or end it.
    if (c.req.method === 'HEAD') return c.body(null, 200, { 'content-type': 'text/event-stream' })
    return streamSSE(c, async (out) => {
      const last = Number(c.req.header('last-event-id') ?? Number.NaN)
      let unread = 0
      let release = (): void => {}
      const send = (event: { seq: number; type: string }): void => {
        unread += 1
        if (unread > MAX_UNREAD_EVENTS) return out.abort()
        void out
          .writeSSE({ id: String(event.seq), event: event.type, data: JSON.stringify(event) })
          .finally(() => (unread -= 1))
      }
      await out.write(': connected\n\n')
      if (Number.isFinite(last)) options.events.since(last).forEach(send)
      const off = options.events.on(send)
      // Without an id: it is no event that anybody comes back for.
      const unwatch = wantsMetrics(c.req.query('metrics'))
        ? options.watchMetrics((sample) => {
            if (unread === 0) void out.writeSSE({ event: 'metrics', data: JSON.stringify(sample) })
          })
        : () => {}
      const heartbeat = setInterval(() => void out.write(': \n\n'), HEARTBEAT_MS)
      await new Promise<void>((resolve) => {
        out.onAbort(resolve)
        release = options.sessions.hold(c.env.principal, () => {
          // Why there will be no more: the page goes to where one signs in.
          void out.writeSSE({ event: 'signed-out', data: '{}' }).finally(resolve)
        })
      })
      release()
      clearInterval(heartbeat)
      unwatch()
      off()
    })
  })
  return app
}

export function createApp<S>(options: AppOptions<S>): Hono<HonoEnv> {
  const app = new Hono<HonoEnv>()
  app.onError((error, c) => {
    const response = errorResponse(error, c.env.requestId)
    if (response.status >= 500)
      options.log.error('request failed', { requestId: c.env.requestId, path: c.req.path, error })
    return response
  })
  app.use(async (c, next) => {
    if (c.env.caller.site !== null) return await siteFile(options, c.req.raw, c.env)
    const exchanged = await exchangeToken(options, c.env)
    if (exchanged !== null) return exchanged
    const isOpen = isPublicPath(c.req.method, c.req.path) || isSharedPage(c.req.path, c.env.caller.query)
    if (c.env.principal === null && !isOpen) {
      // The address that counts (`/signin/../status`) is another one than the front saw.
      if (!wantsPage(c.env.incoming)) throw new PloinkyError('UNAUTHENTICATED', 'Sign in first')
      return c.redirect(`/auth/login?returnTo=${encodeURIComponent(c.req.path)}`)
    }
    return await next()
  })
  app.use('/api/*', async (c, next) => {
    await next()
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
  })
  app.get('/status', async (c) => c.json((await options.status()) as object))
  app.get('/', (c) => c.redirect('/dashboard/'))
  app.get('/webtty', (c) => c.redirect('/webtty/'))
  app.get('/webtty/:agent', async (c) => await serveTerminal(options, c.req.raw, c.env))
  app.get('/dashboard', (c) => c.redirect('/dashboard/'))
  app.route('/auth', authRoutes(options))
  app.route('/api/v1', eventStream(options))
  app.post('/api/v1/routes/reload', async (c) => {
    await options.reload()
    return c.body(null, 204)
  })
  const refused: ApiOptions<S>['refused'] = ({ name, permission }, { id }) => {
    options.events.emit({
      ...{ type: 'command.refused', subject: 'workspace', principal: id },
      data: { command: name, message: `needs the permission "${permission}"` },
    })
  }
  for (const feature of options.apiFeatures) app.route('/api/v1', feature)
  app.route('/api/v1', createApi({ ...options, refused, hold: options.sessions.hold }))
  app.all('/api/*', (c) => {
    const allowed = methodsOf(options.commands as readonly Command<never>[], c.req.path.replace(/^\/api\/v1/, ''))
    if (allowed.length > 0) {
      const error = new PloinkyError('METHOD_NOT_ALLOWED', `${c.req.method} is not possible here`, {
        hint: `Use ${allowed.join(' or ')}`,
        details: { allowed },
      })
      const response = errorResponse(error, c.env.requestId)
      response.headers.set('allow', allowed.join(', '))
      return response
    }
    throw new PloinkyError('ROUTE_NOT_FOUND', `No such API route: ${c.req.method} ${c.req.path.slice(0, 200)}`, {
      hint: 'See /api/v1/openapi.json',
    })
  })
  for (const feature of options.features) app.route('/', feature)
  app.all('*', async (c) => await serveFiles(options, c.req.raw, c.env))
  return app
}

/** The page finds out by its socket what is wrong with an agent; programs are told here. */
async function serveTerminal<S>(options: AppOptions<S>, request: Request, env: FrontEnv): Promise<Response> {
  const path = (env.incoming.url ?? '/').split('?', 1)[0] ?? '/'
  const file = await options.pages(request, path.slice(1))
  if (file !== null) return file
  const agent = path.slice('/webtty/'.length)
  const isKnown = options.isAgent(agent)
  const page = isKnown || wantsPage(env.incoming) ? await options.pages(request, 'webtty/') : null
  if (page !== null) return isKnown ? page : new Response(page.body, { status: 404, headers: page.headers })
  throw new PloinkyError('AGENT_NOT_FOUND', `Agent ${JSON.stringify(agent.slice(0, 80))} not found in enabled agents`, {
    hint: 'Run: ploinky list agents',
  })
}

/** At the origin of an agent: its own files, the client that its pages import, else what its server says. */
async function siteFile<S>(options: AppOptions<S>, request: Request, env: FrontEnv): Promise<Response> {
  const path = (env.incoming.url ?? '/').split('?', 1)[0] ?? '/'
  const own = options.staticAgent() === env.caller.site ? await options.agentFiles()?.(request, path.slice(1)) : null
  if (own) return own
  const shared = path === CLIENT_MODULE ? await options.pages(request, path.slice(1)) : null
  if (shared !== null) return shared
  env.relay?.()
  // The answer is on its way, beside this app. A copy: the server reads this header of a response that is one of the
  // runtime's own, and takes the other kind for an empty answer.
  return new Response(null, { headers: { 'x-hono-already-sent': 'true' } }).clone()
}

/** A file of the static agent at the router's own origin: a browser's pages go to the agent's, and nothing of it is run here. */
function agentFile<S>(
  options: AppOptions<S>,
  file: Response,
  { env, path }: { env: FrontEnv; path: string },
): Response {
  const { incoming, caller } = env
  const agent = options.staticAgent()
  const location = agent === null ? null : options.sites.handOver(incoming, caller, { agent, path })
  if (location !== null) {
    void file.body?.cancel()
    return new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } })
  }
  if (caller.via !== 'cookie') return file
  refuseRunning(incoming)
  const headers = new Headers(file.headers)
  for (const [name, value] of SANDBOX) headers.set(name, value)
  return new Response(file.body, { status: file.status, headers })
}

async function serveFiles<S>(options: AppOptions<S>, request: Request, env: FrontEnv): Promise<Response> {
  const path = (env.incoming.url ?? '/').split('?', 1)[0] ?? '/'
  const page = await options.pages(request, path.slice(1))
  if (page !== null) return page
  const file = env.principal === null ? null : await options.agentFiles()?.(request, path.slice(1))
  if (file) return agentFile(options, file, { env, path })
  if (/^\/(?:mcps|services)\//.test(path)) {
    throw new PloinkyError('ROUTE_NOT_FOUND', `No such page: ${path.slice(0, 200)}`, {
      hint: 'MCP endpoints are /mcps/<agent>/mcp, services /services/<agent>/',
    })
  }
  if (wantsPage(env.incoming)) {
    const missing = await options.pages(new Request(request.url, { method: request.method }), 'not-found/')
    if (missing !== null) return new Response(missing.body, { status: 404, headers: missing.headers })
  }
  throw new PloinkyError('ROUTE_NOT_FOUND', `No such page: ${path.slice(0, 200)}`, { hint: 'Open /dashboard/' })
}
