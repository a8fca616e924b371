/** What the router and an agent agree on about who is calling. */

/** Added by the router to requests for an agent's MCP endpoint; nobody else may bring it. */
export const INVOCATION_HEADER = 'x-ploinky-invocation'
/** How many agents stand between the first caller and this request. */
export const DEPTH_HEADER = 'x-ploinky-depth'
/** Longest chain of agents that call each other. */
export const MAX_DEPTH = 8
/** Seconds from the making of an invocation to its end. */
export const INVOCATION_SECONDS = 30
export const ISSUER = 'ploinky-router'

/**
 * Claims of an invocation: a compact JWS, HS256 with the key of the agent that is called. The router leaves out `tool`,
 * `bodyHash` and `jti` where it passes a request on without having read it, which it does for people only.
 */
export interface InvocationClaims {
  readonly iss: typeof ISSUER
  /** `agent:<name>` or `user:operator`. */
  readonly sub: string
  /** `agent:<name>` of the agent that is called. */
  readonly aud: string
  readonly roles: readonly string[]
  /** Seconds since 1970. */
  readonly iat: number
  readonly exp: number
  /** JSON-RPC method. */
  readonly method?: string
  /** Tool, prompt or URI that is asked for. */
  readonly tool?: string
  /** SHA-256 of the body as it is sent, base64url. */
  readonly bodyHash?: string
  readonly jti?: string
  readonly depth?: number
}
