/** The router process: everything between the listening socket and the features. */
import type { Settings } from '../../config/settings.ts'
import { isPloinkyError, messageOf, PloinkyError } from '../../core/error.ts'
import type { Principal } from '../../core/principal.ts'
import type { RunningServer } from '../../platform/index.ts'
import type { Authenticator } from '../auth/index.ts'
import { reachable } from './address.ts'
import { lateApp } from './late-app.ts'
import { openCallers } from './callers.ts'
import { createRouteTable, type RouteTableHandle } from './table.ts'
import type { RouterInfo } from './daemon.ts'
import type { RouterOptions } from './options.ts'
import { createIds } from './request-ids.ts'
import { createSiteNames } from './site-names.ts'
import { watchToken } from './watch-token.ts'
import { keepPresence, removePresence, writePresence } from './presence.ts'

export interface Router {
  readonly info: RouterInfo
  /** Resolves when its workspace no longer exists. */
  readonly gone: Promise<void>
  close(graceMs: number): Promise<void>
}

function allowedHosts(settings: Settings, hostname: string): Set<string> {
  const names = settings.allowedHosts.split(/[\s,]+/).filter(Boolean)
  // Listening on more than loopback makes this machine's own name a legitimate address.
  const own = settings.host.startsWith('127.') || settings.host === 'localhost' ? [] : [hostname]
  return new Set([...names, ...own].map((name) => name.toLowerCase().replace(/:\d+$/, '')))
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Two routers on one workspace would fight over its files: the second is refused, naming the first. */
async function withRouterLock<T>(
  options: RouterOptions<never> | RouterOptions<unknown>,
  run: () => Promise<T>,
): Promise<T> {
  const { platform, paths } = options
  try {
    return await platform.lock(paths.routerLock, { waitMs: 0, what: 'routing' }, run)
  } catch (error) {
    if (!isPloinkyError(error) || error.code !== 'LOCKED' || error.details['holding'] !== 'routing') throw error
    throw new PloinkyError(
      'ROUTER_ALREADY_RUNNING',
      `A router of this workspace already runs as process ${String(error.details['pid'])}`,
      {
        hint: 'Run: ploinky status, or: ploinky restart router',
        details: { pid: error.details['pid'] },
      },
    )
  }
}

export async function runRouter<S>(
  options: RouterOptions<S>,
  onReady: (router: Router) => void,
  stopped: Promise<void>,
): Promise<void> {
  await withRouterLock(options as RouterOptions<unknown>, async () => {
    const router = await openRouter(options)
    onReady(router)
    await Promise.race([stopped, router.gone])
    await router.close(3000)
  })
}

interface EntryParts {
  readonly cookieName: string
  authenticator(): Authenticator
  verifyCaller(credential: { kind: string; value: string }): Principal | null
}

/** Who comes in, at the router's own origin and at those of agents. */
function createEntry<S>(
  options: RouterOptions<S>,
  table: RouteTableHandle,
  { cookieName, authenticator: auth, verifyCaller }: EntryParts,
) {
  const { platform, settings, sessions } = options
  const siteNames = createSiteNames(table)
  const siteCookie = `ploinky_agent_${options.workspaceId}`
  const sites = options.http.createSites({
    sessions: {
      createCode: (agent, session) => auth().createSiteCode(agent, session),
      redeem: (agent, code) => auth().redeemSite(agent, code),
    },
    cookieName: siteCookie,
    mainHost: urlHost(reachable(settings.host)),
    hasSite: siteNames.hasSite,
  })
  const guard = options.http.createGuard({
    sites: {
      cookieName: siteCookie,
      agentOf: siteNames.agentOf,
      verify: (agent, value) => sessions.check(auth().verifySite(agent, value)),
    },
    verify: (credential) => sessions.check(auth().verify(credential)) ?? verifyCaller(credential),
    cookieName,
    allowedHosts: allowedHosts(settings, platform.os.hostname),
  })
  return { guard, sites }
}

async function openRouter<S>(options: RouterOptions<S>): Promise<Router> {
  const { platform, paths, settings, log, events } = options
  const dataPlane = await platform.net.createDataPlane()
  const ended = new AbortController()
  let tableChanged = (): void => {}
  const table = await createRouteTable({
    store: options.store,
    log,
    onGone: (entry) => dataPlane.drop({ host: entry.hostIp, port: entry.hostPort }),
    onChange: () => {
      tableChanged()
      events.emit({ type: 'routing.changed', subject: 'router' })
    },
  })
  const { authenticator, stopWatching } = await openAuthenticator(options)
  const callers = await openCallers(options, table)
  const cookieName = `ploinky_token_${options.workspaceId}`
  const { guard, sites } = createEntry(options, table, {
    cookieName,
    authenticator,
    verifyCaller: callers.verify,
  })
  const app = lateApp(options, { table, cookieName, sites, authenticator })
  const routes = {
    ...table,
    refusal: options.supervisor.refusal,
    staticAgent: () => table.routing().static,
  }
  const demand = options.demand(routes)
  const mcp = await options.mcp(routes, { demand, callers })
  const terminals = options.terminals({ demand, routes })
  const began = Date.now()
  const fronts = {
    routes,
    dataPlane,
    mcp,
    demand,
    terminals,
    sites,
    sessions: options.sessions,
    vouch: callers.vouch,
    app: app.handle,
    health: () => ({
      status: 'ok',
      version: options.version,
      uptimeSeconds: Math.round((Date.now() - began) / 1000),
    }),
    log,
    record: options.metrics.traffic.record,
    bodyLimit: settings.bodyLimit,
    newRequestId: createIds(platform),
  }
  const front = options.http.createFront({ ...fronts, guard })
  const server = await platform.net.serve({ host: settings.host, port: settings.port }, front)
  const doors = callers.openDoors((agentGuard) => options.http.createFront({ ...fronts, guard: agentGuard }))
  tableChanged = doors.follow
  const info = await announce(options, server)
  options.supervisor
    .run(ended.signal, table.reload)
    .catch((error: unknown) => log.error('agents are not supervised', { error: messageOf(error) }))
  app.load()
  const presence = keepPresence({ platform, paths, log, info })
  log.info('router listens', { host: info.host, port: info.port, pid: info.pid })
  return {
    info,
    gone: presence.gone,
    async close(graceMs) {
      presence.close()
      demand.close()
      ended.abort()
      table.close()
      stopWatching()
      await Promise.all([terminals.close(), server.close(graceMs), doors.close(graceMs)])
      await Promise.all([dataPlane.close(), mcp.close()])
      await removePresence(platform, paths, info)
      log.info('router stopped', {})
    },
  }
}

/** The authenticator of the token that is in force; a token that is rotated meanwhile counts too. */
async function openAuthenticator<S>(options: RouterOptions<S>) {
  const inForce: { value: Authenticator | null } = { value: null }
  const use = async (next: Authenticator): Promise<void> => {
    const before = inForce.value
    inForce.value = next
    if (before !== null && next.signer !== before.signer) await options.sessions.endAll()
  }
  const stopWatching = watchToken(options, use)
  const first = await options.authenticator()
  inForce.value ??= first
  return { authenticator: (): Authenticator => inForce.value ?? first, stopWatching }
}

async function announce<S>(options: RouterOptions<S>, server: RunningServer): Promise<RouterInfo> {
  const { platform, paths, settings } = options
  const { processes, pid } = platform
  const [self, watchdog] = await Promise.all([
    processes.info(pid),
    options.watchdog === null ? null : processes.info(options.watchdog),
  ])
  const info: RouterInfo = {
    pid: platform.pid,
    startTicks: self?.startTicks ?? null,
    host: settings.host,
    port: server.port,
    version: options.version,
    startedAt: new Date().toISOString(),
    watchdog: watchdog ? { pid: watchdog.pid, startTicks: watchdog.startTicks } : null,
  }
  await writePresence(platform, paths, info)
  return info
}
