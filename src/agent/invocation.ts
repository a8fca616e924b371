/** Checks invocations: the router's word, signed with this agent's key, on who is calling and with what. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { INVOCATION_HEADER, ISSUER } from '../core/invocation.ts'
import type { Invocation } from './caller.ts'
import { isObject, own } from './check.ts'

/** Clocks of a host and its containers are one; this is for machines between them (seconds). */
const SKEW_SECONDS = 2
/** Longest token that is looked at. */
const MAX_LENGTH = 16 * 1024
/** Used ones that are remembered until they end. With more, nothing is taken any more: forgetting one would let it in again. */
const MAX_USED = 100_000
const MAX_KNOWN = 100
/** Asked for without an invocation: what says nothing of a person's or an agent's business. */
const OPEN_METHODS = new Set(
  'initialize ping server/discover tools/list prompts/list resources/list resources/templates/list'.split(' '),
)

export interface InvocationVerifier {
  /** The claims of a request; null for a request that needs none and has none. Throws for every other one. */
  verify(request: Request, body: unknown, text: string): Invocation | null
}

interface VerifierOptions {
  /** Name of this agent. */
  readonly agent: string
  /** The text of the key file as it is now; null: there is none. */
  key(): string | null
  /** Milliseconds since 1970. */
  now?: () => number
}

const digest = (algorithm: 'sha256', text: string): string => createHash(algorithm).update(text).digest('base64url')

function isSigned(key: string, token: string, end: number): boolean {
  const expected = createHmac('sha256', key).update(token.slice(0, end)).digest()
  const found = Buffer.from(token.slice(end + 1), 'base64url')
  return found.length === expected.length && timingSafeEqual(found, expected)
}

/** The parts of a token: only what the router makes is taken, never an algorithm that a token chooses. */
function readClaims(key: string, token: string): Record<string, unknown> {
  const end = token.lastIndexOf('.')
  const [header = '', payload = '', ...rest] = token.split('.')
  if (token.length > MAX_LENGTH || rest.length !== 1) throw new Error('It is not a signed token')
  if (!isSigned(key, token, end)) throw new Error('Its signature is not of this agent’s key')
  const parse = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  const [head, claims] = [parse(header), parse(payload)]
  if (!isObject(head) || own(head, 'alg') !== 'HS256' || !isObject(claims)) throw new Error('It is not a signed token')
  return claims
}

export function createInvocationVerifier({ agent, key, now = Date.now }: VerifierOptions): InvocationVerifier {
  /** Ends (seconds) of the ones that were used. */
  const used = new Map<string, number>()
  /** Those that are not bound to a request come again and again. */
  const known = new Map<string, { claims: Invocation; exp: number }>()
  const startedAt = Math.floor(now() / 1000)

  function useOnce(jti: string, exp: number, seconds: number): void {
    if (used.has(jti)) throw new Error('It was used before')
    if (used.size >= MAX_USED) for (const [old, end] of used) if (end + SKEW_SECONDS < seconds) used.delete(old)
    if (used.size >= MAX_USED) throw new Error('Too many are in use')
    used.set(jti, exp)
  }

  function check(claims: Record<string, unknown>, text: string): { claims: Invocation; exp: number } {
    const seconds = Math.floor(now() / 1000)
    const { iss, aud, sub, roles, iat, exp, jti, bodyHash } = claims
    if (iss !== ISSUER || aud !== `agent:${agent}`) throw new Error('It is for somebody else')
    if (typeof iat !== 'number' || typeof exp !== 'number' || typeof sub !== 'string' || !Array.isArray(roles))
      throw new Error('Claims are missing')
    if (seconds > exp + SKEW_SECONDS || seconds < iat - SKEW_SECONDS) throw new Error('It is over')
    if (bodyHash !== undefined && bodyHash !== digest('sha256', text)) throw new Error('It is for another body')
    // Who speaks for an agent is bound to what is said.
    if (sub.startsWith('agent:') && (typeof jti !== 'string' || (text !== '' && bodyHash === undefined)))
      throw new Error('It is bound to no request')
    if (typeof jti === 'string') {
      // What was used before this program began is not remembered.
      if (iat < startedAt - SKEW_SECONDS) throw new Error('It was made before this agent began')
      useOnce(jti, exp, seconds)
    }
    return { claims: claims as unknown as Invocation, exp }
  }

  return {
    verify(request, body, text) {
      const token = request.headers.get(INVOCATION_HEADER)
      if (token === null) {
        if (isOpen(request, body)) return null
        throw new Error('The request did not come through the router')
      }
      const found = known.get(token)
      if (found !== undefined && Math.floor(now() / 1000) <= found.exp) return found.claims
      const secret = key()
      if (secret === null) throw new Error('There is no key to check it with')
      const checked = check(readClaims(secret, token), text)
      if (checked.claims['jti'] === undefined) {
        if (known.size >= MAX_KNOWN) known.clear()
        known.set(token, checked)
      }
      return checked.claims
    },
  }
}

/** Handshakes, lists and probes. Streams and ends of sessions too: whoever has the id of a session was let in. */
function isOpen(request: Request, body: unknown): boolean {
  if (!new URL(request.url).pathname.endsWith('/mcp')) return false
  if (request.method !== 'POST') return true
  if (!isObject(body)) return false
  const method = own(body, 'method')
  return typeof method === 'string' && (OPEN_METHODS.has(method) || method.startsWith('notifications/'))
}

/** Reads the key when the file was written anew, and not for each request. */
export function createKeyFile(path: string): () => string | null {
  let stamp = ''
  let text: string | null = null
  return () => {
    const found = statSync(path, { throwIfNoEntry: false })
    const next = found === undefined ? '' : `${found.ino}:${found.mtimeMs}`
    if (next === stamp) return text
    text = found === undefined ? null : readFileSync(path, 'utf8').trim() || null
    stamp = next
    return text
  }
}
