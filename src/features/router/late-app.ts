/** Pages and API of the router, loaded when its port is open already. */
import { join } from 'node:path'
import type { FrontEnv } from '../../http/front.ts'
import type { Sites } from '../../http/sites.ts'
import { messageOf } from '../../core/error.ts'
import { own } from '../../core/id.ts'
import { lazy } from '../../core/lazy.ts'
import type { Authenticator } from '../auth/index.ts'
import { answered } from '../events/index.ts'
import type { RouterOptions } from './options.ts'
import { pageHeaders } from './page-headers.ts'
import type { RouteTableHandle } from './table.ts'

/** Of an agent's folder, what is configuration and not content. */
const RESERVED = ['manifest.json', 'mcp-config.json', 'node_modules']

interface AppParts {
  readonly table: RouteTableHandle
  readonly cookieName: string
  readonly sites: Sites
  readonly authenticator: () => Authenticator
}

/** The app, loaded when the port is open already: requests for it wait for that, agents' requests do not. */
export function lateApp<S>(options: RouterOptions<S>, parts: AppParts) {
  type Listener = (env: FrontEnv) => void
  let listener: Listener | null = null

  const loaded = lazy(async () => {
    try {
      const app = await createRouterApp(options, parts)
      const listen = await options.platform.net.toListener((request: Request, env: FrontEnv) => app.fetch(request, env))
      return (listener = (env) => listen(env.incoming, env.outgoing, env))
    } catch (error) {
      options.log.error('pages and API not loaded', { error: messageOf(error) })
      throw error
    }
  })

  return {
    load: () => void loaded.get().catch(() => {}),
    handle(env: FrontEnv): void {
      if (listener !== null) return listener(env)
      loaded.get().then(
        (listen) => listen(env),
        (error: unknown) => options.http.writeError(env.outgoing, error, env.requestId),
      )
    },
  }
}

/** Parts of pages as the build names them: with a hash of what is in them. */
const HASHED_PART = /\/part-[\w-]+-[A-Z0-9]{8}\.(?:js|css)$/

function pageCaching(path: string): string {
  // Imported by pages of agents, again and again; an old one goes on working.
  if (path.endsWith('MCPBrowserClient.js')) return 'public, max-age=300'
  return HASHED_PART.test(path) ? 'private, max-age=31536000, immutable' : 'no-cache'
}

async function createRouterApp<S>(options: RouterOptions<S>, made: AppParts) {
  const { platform } = options
  const { createApp, createStaticFiles, features, apiFeatures } = await options.http.loadApp()
  const reload = async (): Promise<void> => {
    await Promise.all([made.table.reload(), options.supervisor.look(), options.sessions.reload()])
  }
  const pages = createStaticFiles({
    fs: platform.fs,
    root: join(platform.assetsDir, 'public'),
    precompressed: true,
    compress: false,
    headers: pageHeaders,
    cacheControl: pageCaching,
  })
  const folders = new Map<string, ReturnType<typeof createStaticFiles>>()
  const agentFiles = () => {
    const { static: name, routes } = made.table.routing()
    const root = name === null ? null : (own(routes, name)?.files ?? null)
    if (root === null) return null
    const known = folders.get(root) ?? createStaticFiles({ fs: platform.fs, root, reserved: RESERVED })
    folders.set(root, known)
    return known
  }
  return createApp({
    version: options.version,
    commands: options.commands,
    execute: (command, input, call) => {
      const result = options.execute(command, input, call)
      return answered(options.events, { command, input, principal: call.principal.id }, { result, settle: reload })
    },
    sessions: {
      redeem: (code) => made.authenticator().redeem(code),
      async open(from) {
        const session = made.authenticator().createSession()
        await options.sessions.open({ id: session.id, seconds: session.maxAgeSeconds }, from)
        return session
      },
      signOut: options.sessions.signOut,
      hold: options.sessions.hold,
      createLoginCode: () => made.authenticator().createLoginCode(),
    },
    cookieName: made.cookieName,
    pages,
    isAgent: (name) => made.table.find(name) !== null,
    agentFiles,
    staticAgent: () => made.table.routing().static,
    sites: made.sites,
    features,
    apiFeatures,
    status: options.status,
    reload,
    events: options.events,
    watchMetrics: options.metrics.watch,
    log: options.log,
  })
}
