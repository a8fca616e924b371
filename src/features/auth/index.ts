/**
 * Who is calling: the operator token of a workspace, browser sessions and one-time login links made from it.
 * Sessions are signed here and listed by `sessions.ts`: a session counts while both agree, so that one can be ended, and
 * `token rotate` ends all. A router that was killed keeps everybody signed in.
 */
import type { Principal } from '../../core/principal.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Hashing } from '../../platform/index.ts'
import type { SecretStore } from '../secrets/index.ts'

export { cutSockets } from './cut-sockets.ts'
export { createSessions, type LiveSessions, type Sessions, type SessionView } from './sessions.ts'

export const TOKEN_NAME = 'PLOINKY_OPERATOR_TOKEN'
/** Seconds. A working day, so that nobody signs in twice a day. */
export const SESSION_SECONDS = 12 * 3600
/** Seconds. Long enough to copy a link from a terminal into a browser. */
export const LINK_SECONDS = 10 * 60
/** Seconds. A browser follows a redirect at once. */
const SITE_CODE_SECONDS = 30
const TOKEN_BYTES = 32
const MAX_TOKEN_LENGTH = 512
/** Hexadecimal digits: enough to name a session, and no part of its secret. */
const SESSION_ID_LENGTH = 12

export type Credential = { readonly kind: 'bearer' | 'cookie' | 'query'; readonly value: string }

/** What a browser is given. Only `id` may be shown. */
export interface SignedSession {
  readonly id: string
  readonly value: string
  readonly maxAgeSeconds: number
}

export interface Authenticator {
  /** Another one after the token was changed. It is no secret. */
  readonly signer: string
  /** The principal of a credential, or null. Synchronous and cheap: it is on the path of every request. */
  verify(credential: Credential): Principal | null
  /** A signed session for the browser. */
  createSession(): SignedSession
  /** A code that can be used once, within LINK_SECONDS, with this process. */
  createLoginCode(): string
  /** True the first time a valid code, or the operator token, is given. */
  redeem(code: string): boolean
  /** A code that lets a browser in to the origin of one agent, once, within SITE_CODE_SECONDS, on behalf of its session. */
  createSiteCode(agent: string, session: string | undefined): string
  /** The session for that origin the first time a valid code is given; null otherwise. It is worth nothing elsewhere. */
  redeemSite(agent: string, code: string): { value: string; maxAgeSeconds: number } | null
  verifySite(agent: string, value: string): Principal | null
}

const OPERATOR: Principal = { id: 'operator', roles: ['admin'] }

export function createAuthenticator(token: string, hash: Hashing, now: () => number = Date.now): Authenticator {
  const key = hash.hmacSha256(token, 'ploinky/session/v1')
  // Login codes die with this process: a restarted router must not accept a used one again.
  const linkKey = hash.randomToken(32)
  /** Used codes with their end (ms): kept until they would have expired anyway. */
  const used = new Map<string, number>()
  /** Sessions seen lately with their end (ms), so that the signature is checked once and not per request. */
  const verified = new Map<string, { readonly end: number; readonly principal: Principal }>()

  const sign = (secret: string, purpose: string, body: string): string => hash.hmacSha256(secret, `${purpose}.${body}`)
  const make = (secret: string, purpose: string, { seconds, of = '' }: { seconds: number; of?: string }): string => {
    const body = `${Math.floor(now() / 1000) + seconds}.${of}${hash.randomToken(9)}`
    return `${purpose}.${body}.${sign(secret, purpose, body)}`
  }
  /** Expiry in ms of a well-signed value, or 0. */
  const check = (secret: string, purpose: string, value: string): number => {
    const match = /^([a-z0-9]+)\.(\d{1,12}\.[\w~-]{1,64})\.([\w-]{1,128})$/.exec(value)
    const [, tag, body, signature] = match ?? []
    if (tag !== purpose || body === undefined || signature === undefined) return 0
    return hash.equal(signature, sign(secret, purpose, body)) ? Number.parseInt(body, 10) * 1000 : 0
  }

  const idOf = (value: string): string => hash.sha256Hex(`ploinky/session-id/v1 ${value}`).slice(0, SESSION_ID_LENGTH)
  const remember = (value: string, principal: Principal, end: number): Principal => {
    if (verified.size >= 1000) verified.clear()
    verified.set(value, { end, principal })
    return principal
  }

  /** The session is in the principal: whether it was ended is for the list to say. */
  function verifySession(value: string): Principal | null {
    const known = verified.get(value)
    if (known !== undefined && known.end > now()) return known.principal
    verified.delete(value)
    const end = known === undefined ? check(key, 's1', value) : 0
    return end > now() ? remember(value, { ...OPERATOR, session: idOf(value) }, end) : null
  }

  /** True the first time. */
  function isFresh(code: string, end: number): boolean {
    if (used.has(code) || end <= now()) return false
    for (const [old, oldEnd] of used) if (oldEnd <= now()) used.delete(old)
    used.set(code, end)
    return true
  }

  // What is said about an agent is signed with a key of that agent's.
  const keyFor = (secret: string, agent: string): string => hash.hmacSha256(secret, `ploinky/site/v1 ${agent}`)

  /** The token, once it was given: comparing costs two hashes, and clients send the same one with every request. */
  const given = new Set<string>()
  const isToken = (value: string): boolean => given.has(value) || rememberToken(value)
  function rememberToken(value: string): boolean {
    const good = hash.equal(value, token)
    if (good) given.add(value)
    return good
  }

  /** The session on whose behalf a browser came to the origin of an agent; undefined: by the token itself. */
  const parentOf = (value: string): string | undefined => /^[a-z0-9]+\.\d+\.([0-9a-f]{12})~/.exec(value)?.[1]

  return {
    signer: hash.sha256Hex(`ploinky/signer/v1 ${key}`).slice(0, SESSION_ID_LENGTH),
    verify({ kind, value }) {
      if (value.length > MAX_TOKEN_LENGTH) return null
      if (kind === 'cookie' && value.startsWith('s1.')) return verifySession(value)
      return isToken(value) ? OPERATOR : null
    },
    createSession() {
      const value = make(key, 's1', { seconds: SESSION_SECONDS })
      return { id: idOf(value), value, maxAgeSeconds: SESSION_SECONDS }
    },
    createLoginCode: () => make(linkKey, 'l1', { seconds: LINK_SECONDS }),
    redeem(code) {
      if (code.length > MAX_TOKEN_LENGTH) return false
      if (!code.startsWith('l1.')) return isToken(code)
      return isFresh(code, check(linkKey, 'l1', code))
    },
    createSiteCode: (agent, session) =>
      make(keyFor(linkKey, agent), 'c1', {
        seconds: SITE_CODE_SECONDS,
        of: session === undefined ? '' : `${session}~`,
      }),
    redeemSite(agent, code) {
      if (code.length > MAX_TOKEN_LENGTH || !isFresh(code, check(keyFor(linkKey, agent), 'c1', code))) return null
      const parent = parentOf(code)
      const of = parent === undefined ? '' : `${parent}~`
      return { value: make(keyFor(key, agent), 'a1', { seconds: SESSION_SECONDS, of }), maxAgeSeconds: SESSION_SECONDS }
    },
    verifySite(agent, value) {
      if (value.length > MAX_TOKEN_LENGTH || check(keyFor(key, agent), 'a1', value) <= now()) return null
      const session = parentOf(value)
      return session === undefined ? OPERATOR : { ...OPERATOR, session }
    },
  }
}

/** The workspace's operator token; made at first use. */
export async function operatorToken(secrets: SecretStore, hash: Hashing): Promise<string> {
  const token = (await secrets.ensure(TOKEN_NAME, () => hash.randomToken(TOKEN_BYTES))).reveal()
  if (token.length >= 16) return token
  throw new PloinkyError('CONFIG_INVALID', `${TOKEN_NAME} in .ploinky/.secrets is too short to be safe`, {
    hint: 'Run: ploinky token rotate',
  })
}

export async function rotateToken(secrets: SecretStore, hash: Hashing): Promise<string> {
  const token = hash.randomToken(TOKEN_BYTES)
  await secrets.set(TOKEN_NAME, token)
  return token
}
