/**
 * Host, Origin and credential of every request and upgrade, before anything of a body is read.
 * Deny by default: a request passes only with a principal, or on a path that is public by table.
 */
import type { Principal } from '../core/principal.ts'
import { PloinkyError } from '../core/error.ts'
import type { IncomingMessage } from '../platform/index.ts'
import { readCookies, takeToken, type Target } from './request.ts'

export const COOKIE = 'ploinky_token'

export interface GuardOptions {
  verify(credential: { kind: 'bearer' | 'cookie' | 'query'; value: string }): Principal | null
  /** Session cookie of this workspace: cookies ignore ports, so two workspaces on one host need two names. */
  cookieName: string
  /** Further names under which the router may be reached, lower case, without port. */
  allowedHosts: ReadonlySet<string>
  sites: {
    /** Session cookie at the origin of an agent. */
    readonly cookieName: string
    /** The enabled agent that a name below `localhost` stands for; null: none. */
    agentOf(label: string): string | null
    verify(agent: string, value: string): Principal | null
  }
}

export interface Caller {
  readonly principal: Principal | null
  /** How it was identified; a cookie asks for the Origin rules. */
  readonly via: 'bearer' | 'cookie' | 'query' | 'site' | null
  /** The agent at whose own origin this is; null: at the router's. */
  readonly site: string | null
  /** As it was asked, with the port. */
  readonly host: string
  /** The raw query without our token. */
  readonly query: string
  /** A token was in the address; it must leave it. */
  readonly queryToken: string | null
}

type Identified = Omit<Caller, 'site' | 'host'>

/** What the server's parser keeps. */
const MAX_HEADER_FIELDS = 1000
/** A machine has few addresses; a stranger may send many. */
const MAX_OWN_HOSTS = 16
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
const IP_LITERAL = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/

/** Host without port, lower case; null when malformed. */
function hostName(host: string): string | null {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?$/.exec(host)
  return match?.[1]?.toLowerCase() ?? null
}

/** An address cannot be rebound by a hostile DNS server; names must be known ones. */
const isAllowedName = (name: string, allowed: ReadonlySet<string>): boolean =>
  name === 'localhost' || IP_LITERAL.test(name) || allowed.has(name)

export function createGuard(options: GuardOptions) {
  const isSession = (name: string): boolean => name === COOKIE || name === options.cookieName
  const { sites } = options
  const isOurs = (name: string): boolean => isSession(name) || name === sites.cookieName

  /** The agent whose origin a host name is; null: it is none. */
  const siteOf = (name: string): string | null =>
    name.endsWith('.localhost') ? sites.agentOf(name.slice(0, -'.localhost'.length)) : null

  /** Ways in which our own address was written lately: two patterns for each request cost as much as finding the route. */
  const ownHosts = new Set<string>()

  function checkHost(incoming: IncomingMessage): { host: string; site: string | null } {
    const { rawHeaders } = incoming
    // The parser leaves out what comes after its limit; nothing is decided on half a head.
    if (rawHeaders.length >= MAX_HEADER_FIELDS * 2) {
      throw new PloinkyError('REQUEST_TOO_LARGE', `${MAX_HEADER_FIELDS} header fields or more`)
    }
    let hosts = 0
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? ''
      if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1
    }
    // Of several, each reader takes another one (RFC 9112, 3.2).
    if (hosts > 1) throw new PloinkyError('REQUEST_INVALID', 'More than one Host header')
    const host = incoming.headers.host ?? ''
    if (ownHosts.has(host)) return { host, site: null }
    const name = hostName(host)
    if (name !== null && isAllowedName(name, options.allowedHosts)) {
      if (ownHosts.size < MAX_OWN_HOSTS) ownHosts.add(host)
      return { host, site: null }
    }
    const site = name === null ? null : siteOf(name)
    if (site !== null) return { host, site }
    throw new PloinkyError('DENIED', 'This host name is not allowed', {
      hint: 'Use the printed address, or set PLOINKY_ALLOWED_HOSTS to the name that you use',
    })
  }

  function checkOrigin(incoming: IncomingMessage, { host, site }: { host: string; site: string | null }): void {
    const { origin } = incoming.headers
    if (origin === undefined) return
    const from = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase()
    if (from === host.toLowerCase()) return
    if (site === null && from !== undefined && options.allowedHosts.has(hostName(from) ?? '')) return
    throw new PloinkyError('DENIED', 'Requests from other sites are not allowed')
  }

  /** `token` in the address, unless it is an agent's own: a caller that is known by other means may send an agent any word. */
  function tokenOf(query: string, isKnown: boolean): { token: string | null; query: string } {
    const taken = takeToken(query)
    if (taken.token === null || !isKnown) return taken
    const ours = taken.token.startsWith('l1.') || options.verify({ kind: 'query', value: taken.token }) !== null
    return ours ? taken : { token: null, query }
  }

  function bearerOf({ headers: { authorization } }: IncomingMessage): Principal | null {
    if (authorization === undefined || !/^bearer /i.test(authorization)) return null
    return options.verify({ kind: 'bearer', value: authorization.slice(7).trim() })
  }

  function credentialOf(incoming: IncomingMessage, query: string): Identified {
    const bearer = bearerOf(incoming)
    if (bearer !== null) return known(bearer, 'bearer', query)
    for (const value of readCookies(incoming.headers.cookie, isSession)) {
      const principal = options.verify({ kind: 'cookie', value })
      if (principal !== null) return known(principal, 'cookie', query)
    }
    const taken = tokenOf(query, false)
    const principal = taken.token === null ? null : options.verify({ kind: 'query', value: taken.token })
    return { principal, via: principal === null ? null : 'query', query: taken.query, queryToken: taken.token }
  }

  function known(principal: Principal, via: 'bearer' | 'cookie' | 'site', query: string): Identified {
    const taken = tokenOf(query, true)
    return { principal, via, query: taken.query, queryToken: taken.token }
  }

  /** At the origin of an agent neither the router's own cookie counts nor a token in the address. */
  function siteCredentialOf(incoming: IncomingMessage, site: string, query: string): Identified {
    const bearer = bearerOf(incoming)
    if (bearer !== null) return known(bearer, 'bearer', query)
    for (const value of readCookies(incoming.headers.cookie, (name) => name === sites.cookieName)) {
      const principal = sites.verify(site, value)
      if (principal !== null) return known(principal, 'site', query)
    }
    return { principal: null, via: null, query: tokenOf(query, true).query, queryToken: null }
  }

  /** Nothing of an agent is given to another site, whatever cookies a browser sends along: only a person may come from one. */
  function checkSite(incoming: IncomingMessage, upgrade: boolean): void {
    checkForgery(incoming, upgrade)
    const from = incoming.headers['sec-fetch-site']
    if (from === undefined || from === 'same-origin' || from === 'none') return
    if (incoming.headers['sec-fetch-mode'] === 'navigate' && incoming.headers['sec-fetch-dest'] === 'document') return
    throw new PloinkyError('DENIED', 'Requests from other sites are not allowed')
  }

  /** A browser sends Origin or Sec-Fetch-Site with anything that could be forged across sites; their absence is a refusal. */
  function checkForgery(incoming: IncomingMessage, upgrade: boolean): void {
    if (SAFE_METHODS.has(incoming.method ?? '') && !upgrade) return
    // Browsers send it with every WebSocket; pages of other sites may open those without asking first.
    if (upgrade && incoming.headers.origin === undefined)
      throw new PloinkyError('DENIED', 'A WebSocket signed in by cookie must say its Origin')
    const site = incoming.headers['sec-fetch-site']
    if (site === 'same-origin' || site === 'none') return
    if (site === undefined && incoming.headers.origin !== undefined) return
    throw new PloinkyError('DENIED', 'A request signed in by cookie must come from the same site')
  }

  return {
    isOurs,
    /** Throws DENIED for a wrong Host or Origin; gives the caller, known or not. */
    identify(incoming: IncomingMessage, target: Target, upgrade = false): Caller {
      const at = checkHost(incoming)
      checkOrigin(incoming, at)
      const caller =
        at.site === null ? credentialOf(incoming, target.query) : siteCredentialOf(incoming, at.site, target.query)
      if (caller.via === 'cookie') checkForgery(incoming, upgrade)
      if (caller.via === 'site') checkSite(incoming, upgrade)
      const { principal, via, query, queryToken } = caller
      return { principal, via, query, queryToken, site: at.site, host: at.host }
    },
  }
}

export type Guard = ReturnType<typeof createGuard>
