/** Makes invocations: the router's word to an agent on who is calling it, and with what. */
import { INVOCATION_SECONDS, type InvocationClaims, ISSUER } from '../../core/invocation.ts'
import { callingAgent, type Principal } from '../../core/principal.ts'
import type { Hashing } from '../../platform/index.ts'

export interface CallDetails {
  readonly method?: string
  readonly tool?: string
  readonly body?: Uint8Array
  readonly depth?: number
}

export interface InvocationMaker {
  /** For one request, whose body is known. Can be used once. Null: the agent has no key to check it with. */
  bound(principal: Principal, agent: string, call: CallDetails): string | null
  /** For requests that are passed on unread. Made now and then, not for each. */
  unbound(principal: Principal, agent: string): string | null
}

const HEADER = encode({ alg: 'HS256', typ: 'JWT' })

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** People have no names of their own yet; agents are called by theirs. */
export const subjectOf = (principal: Principal): string =>
  callingAgent(principal) === null ? `user:${principal.id}` : principal.id

export function createInvocations(options: {
  hash: Hashing
  /** The key that an agent checks with; null: it has none. */
  keyOf(agent: string): string | null
  now?: () => number
}): InvocationMaker {
  const { hash, keyOf, now = Date.now } = options
  /** By key and caller: an agent that was enabled anew has another key. */
  const unbound = new Map<string, { token: string; until: number }>()

  function sign(key: string, claims: InvocationClaims): string {
    const body = `${HEADER}.${encode(claims)}`
    return `${body}.${hash.hmacSha256(key, body)}`
  }

  function claimsOf(principal: Principal, agent: string): InvocationClaims {
    const iat = Math.floor(now() / 1000)
    const aud = `agent:${agent}`
    return {
      ...{ iss: ISSUER, sub: subjectOf(principal), aud, roles: principal.roles },
      ...{ iat, exp: iat + INVOCATION_SECONDS },
    }
  }

  return {
    bound(principal, agent, { body, ...call }) {
      const key = keyOf(agent)
      if (key === null) return null
      const bodyHash = body === undefined ? {} : { bodyHash: digest(hash, body) }
      return sign(key, { ...claimsOf(principal, agent), ...call, ...bodyHash, jti: hash.randomToken(16) })
    },
    unbound(principal, agent) {
      const key = keyOf(agent)
      if (key === null) return null
      const name = `${principal.id} ${key}`
      const known = unbound.get(name)
      if (known !== undefined && now() < known.until) return known.token
      if (unbound.size >= 1000) unbound.clear()
      const token = sign(key, claimsOf(principal, agent))
      // The rest of its life is for the way, and for an agent that is busy.
      unbound.set(name, { token, until: now() + (INVOCATION_SECONDS * 1000) / 2 })
      return token
    },
  }
}

const digest = (hash: Hashing, body: Uint8Array): string =>
  Buffer.from(hash.sha256Hex(body), 'hex').toString('base64url')
