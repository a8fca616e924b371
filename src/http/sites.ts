/**
 * The origins of agents' pages: `http://<agent>.localhost:<port>/`. What an agent sends to a browser is never run with the
 * router's origin, whose cookie may do everything.
 *
 * Browsers resolve every name below `localhost` to this machine, so an agent has an origin of its own wherever the router is
 * reached by loopback (a forwarded port included). Elsewhere there is no such name: pages stay at `/services/<agent>/`, in
 * the sandbox of the browser.
 */
import { PloinkyError } from '../core/error.ts'
import type { IncomingMessage, ServerResponse } from '../platform/index.ts'
import type { Caller } from './guard.ts'
import type { Target } from './request.ts'

/** Pages of agents import it from their own origin. */
export const CLIENT_MODULE = '/MCPBrowserClient.js'

/** Ours on the origin of an agent, and never passed on to it. */
const OWN = '/.ploinky/'
const ENTER = `${OWN}session`

/** What a browser may do with an agent's bytes at the router's own origin: an origin that nobody shares, and no window of ours. */
export const SANDBOX: readonly (readonly [string, string])[] = [
  ['content-security-policy', 'sandbox allow-scripts allow-forms allow-downloads'],
  ['x-content-type-options', 'nosniff'],
]
/** Of `Sec-Fetch-Dest`: what would be run, or would decide how a page of ours looks. */
const RUNS = new Set([
  ...['script', 'style', 'worker', 'sharedworker', 'serviceworker', 'audioworklet', 'paintworklet', 'xslt', 'manifest'],
  ...['json', 'iframe', 'frame', 'embed', 'object'],
])
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i

export interface SiteSessions {
  /** A code that lets one browser in to one agent's origin, once, within seconds. */
  createCode(agent: string, session: string | undefined): string
  /** The session that a code is worth; null for a code that is spent, too old, or another agent's. */
  redeem(agent: string, code: string): { value: string; maxAgeSeconds: number } | null
}

export interface SiteOptions {
  readonly sessions: SiteSessions
  readonly cookieName: string
  /** Where people sign in: the router's address without its port, as a URL has it. */
  readonly mainHost: string
  /** Whether this name stands for this agent, and for no other one that differs in case. */
  hasSite(agent: string): boolean
}

export interface Sites {
  /** Where a signed-in browser that navigates to an agent's page at the router's origin has to go; null: it stays. */
  handOver(incoming: IncomingMessage, caller: Caller, to: { agent: string; path: string }): string | null
  /** True when the request was for ours on an agent's origin, or from a stranger's browser, and is answered. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse, at: { caller: Caller; target: Target }): boolean
}

const portOf = (host: string): string => /:\d{1,5}$/.exec(host)?.[0] ?? ''

/** A person's browser that goes to a page, rather than loading a part of one. */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  const dest = headers['sec-fetch-dest']
  const isRead = method === 'GET' || method === 'HEAD'
  return isRead && (dest === undefined || dest === 'document') && (headers.accept ?? '').includes('text/html')
}

/** Throws DENIED when a page of ours, or a stranger's, would run an agent's bytes with the router's origin. */
export function refuseRunning({ headers }: IncomingMessage): void {
  if (headers['service-worker'] === undefined && !RUNS.has(String(headers['sec-fetch-dest'] ?? ''))) return
  throw new PloinkyError('DENIED', 'Pages and scripts of agents are served at their own origin alone', {
    hint: 'Open http://<agent>.localhost:<port>/',
  })
}

export function createSites({ sessions, cookieName, mainHost, hasSite }: SiteOptions): Sites {
  function redirect(outgoing: ServerResponse, location: string, headers: Record<string, string> = {}): void {
    outgoing
      .writeHead(303, { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', ...headers })
      .end()
  }

  function enter(outgoing: ServerResponse, agent: string, { caller, query }: { caller: Caller; query: string }): void {
    const given = new URLSearchParams(query)
    const wanted = given.get('to') ?? '/'
    // Only a path of this origin.
    const to = /^\/(?![/\\])[\x21-\x7e]*$/.test(wanted) && !wanted.startsWith(OWN) ? wanted : '/'
    const session = sessions.redeem(agent, given.get('token') ?? '')
    if (session === null) {
      // A reload of this address: the code is spent, the session counts. Without one, the way begins anew.
      return redirect(outgoing, caller.principal === null ? mainAddress(caller.host, agent, to) : to)
    }
    // Not Strict: this navigation began at another site, and a Strict cookie would not be sent with what it leads to.
    const cookie = `${cookieName}=${session.value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${session.maxAgeSeconds}`
    redirect(outgoing, to, { 'set-cookie': cookie })
  }

  const mainAddress = (host: string, agent: string, path: string): string =>
    `http://${mainHost}${portOf(host)}/services/${agent}${path}`

  return {
    handOver(incoming, caller, { agent, path }) {
      if (caller.via !== 'cookie' || !isNavigation(incoming) || !LOOPBACK.test(caller.host) || !hasSite(agent))
        return null
      const query = new URLSearchParams({
        token: sessions.createCode(agent, caller.principal?.session),
        to: `${path}${caller.query}`,
      })
      return `http://${agent.toLowerCase()}.localhost${portOf(caller.host)}${ENTER}?${query.toString()}`
    },
    answer(incoming, outgoing, { caller, target }) {
      const { site } = caller
      if (site === null) return false
      const isRead = incoming.method === 'GET' || incoming.method === 'HEAD'
      if (target.path === ENTER && isRead) {
        enter(outgoing, site, { caller, query: target.query })
        return true
      }
      if (target.path.startsWith(OWN)) throw new PloinkyError('ROUTE_NOT_FOUND', 'Nothing here')
      if (caller.principal !== null || !isNavigation(incoming)) return false
      redirect(outgoing, mainAddress(caller.host, site, `${target.path}${caller.query}`))
      return true
    },
  }
}
