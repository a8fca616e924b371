import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Where a request goes: a TCP port of a container or a unix socket. */
export type RelayTarget = { readonly host: string; readonly port: number } | { readonly socketPath: string }

/**
 * Why a relay could not answer.
 * - `connect`: the target refused or is unreachable (502)
 * - `timeout`: connecting, or an idle phase, took too long (504)
 * - `protocol`: the target sent something that is not one well-formed HTTP/1 response (502)
 * - `aborted`: the target closed or reset the connection before it answered (502)
 * - `too-large`: the request body exceeds `maxBodyBytes` (413)
 * - `bad-request`: the request cannot be forwarded without ambiguity (400)
 */
export type RelayFailureKind = 'connect' | 'timeout' | 'protocol' | 'aborted' | 'too-large' | 'bad-request'

/** `message` is for logs and operators; it never quotes bytes that the target or the client sent. */
export interface RelayFailure {
  readonly kind: RelayFailureKind
  readonly message: string
}

/** What one relayed request came to; byte counts are body bytes (raw bytes after an upgrade). */
export interface RelayOutcome {
  readonly status: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly error?: string
}

export interface RelayOptions {
  /** Raw path and query for the target, sent verbatim. */
  readonly path: string
  /** Lower-case request header names to drop. Hop-by-hop headers always go. `X_Name` is treated as `x-name`. */
  readonly strip?: ReadonlySet<string>
  /** Cookies of ours, removed from `Cookie`; every other byte of the header stays. */
  readonly stripCookies?: (name: string) => boolean
  /** Request headers of ours; each replaces whatever the client sent under that name. */
  readonly add?: readonly (readonly [string, string])[]
  /** Response headers of ours, beside the target's. Cheaper than `out.setHeader`, and loses to nothing. */
  readonly addToResponse?: readonly (readonly [string, string])[]
  readonly maxBodyBytes?: number
  /** The request's body, read already (and perhaps another one); what frames it is written anew. */
  readonly body?: Buffer
  readonly connectTimeoutMs?: number
  /** Longest time without a byte in either direction; 0 means none. Checked once per sweep. */
  readonly idleTimeoutMs?: number
  /** Writes an SSE comment after this much silence of an upstream event stream; 0 means never. */
  readonly sseKeepAliveMs?: number
  /** Upgrade tokens that may be spliced, lower case. Others are refused: `h2c` would bypass every check. */
  readonly upgrades?: ReadonlySet<string>
  onHead?(status: number): void
  /** Called exactly once. */
  onEnd?(outcome: RelayOutcome): void
  /** Writes the error response; called only when no response head has been sent. */
  fail(out: ServerResponse, failure: RelayFailure): void
}

/** Process-wide settings; every value has a default in `index.ts`. */
export interface DataPlaneSettings {
  readonly connectTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly sseKeepAliveMs: number
  readonly maxBodyBytes: number
  /** Largest response head (and trailer section) of a target, in bytes. */
  readonly maxHeadBytes: number
  /** Most header lines in a response head. */
  readonly maxHeaders: number
  /** Idle sockets kept per target; keep it above the expected concurrency. */
  readonly maxIdleSockets: number
  /** How long an idle socket is kept. */
  readonly idleSocketMs: number
  /** Period of the clock behind idle timeouts, keep-alives and socket eviction. It runs only while needed. */
  readonly sweepMs: number
}

export interface DataPlaneStats {
  /** Exchanges and spliced connections in progress. */
  readonly active: number
  /** Idle keep-alive sockets, all targets. */
  readonly idle: number
  readonly targets: number
  readonly requests: number
  readonly upgrades: number
  readonly opened: number
  readonly retried: number
  readonly failed: number
}

export interface DataPlane {
  /** Forwards one request. Never throws; every outcome is reported through the options. */
  relay(inc: IncomingMessage, out: ServerResponse, target: RelayTarget, options: RelayOptions): void
  /** Forwards an `upgrade` event and, once the target agrees, splices the two sockets. */
  upgrade(inc: IncomingMessage, socket: Duplex, head: Buffer, target: RelayTarget, options: RelayOptions): void
  /** Forgets the sockets of a target that went away; requests in progress finish on their own. */
  drop(target: RelayTarget): void
  /** Ends everything at once; resolves when every upstream socket is closed. */
  close(): Promise<void>
  stats(): DataPlaneStats
}
