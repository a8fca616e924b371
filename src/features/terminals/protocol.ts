/**
 * What the socket of a terminal carries. Types and numbers only: the page imports this file too.
 *
 * Address: `/webtty/<agent>/ws`, with `session=<id>` to join one, else a new one is made: `cols`, `rows`, `command` (a name that
 * the policy allows; none: the agent's `cli`, else a shell), `name`. A link that was shared brings `share=<token>`.
 *
 * With the sub-protocol `ploinky.tty.v1`, binary frames are bytes: what is typed on the way up, output on the way down. Text
 * frames are the JSON messages below, both ways. Without a sub-protocol everything is JSON text: `input` up, `output` down.
 */
export const TTY_PROTOCOL = 'ploinky.tty.v1'

/** Output that a page may be behind, in bytes, before the router skips to a snapshot; the page acknowledges what it has drawn. */
export const CREDIT_BYTES = 1024 * 1024
/** A page acknowledges at the latest after this many bytes of output. */
export const ACK_BYTES = 64 * 1024
/** Larger frames from a page end its connection with 1009. */
export const MAX_CLIENT_FRAME_BYTES = 1024 * 1024

export type TtyRole = 'owner' | 'editor' | 'viewer'

/** Somebody who looks at the session. */
export interface TtyPeer {
  /** Of this connection. */
  readonly id: string
  readonly name: string
  readonly role: TtyRole
  /** Typed last: the size of the terminal is the size of this one's window. */
  readonly active: boolean
}

export interface TtyView {
  readonly id: string
  readonly agent: string
  readonly name: string
  /** Words of the command, for people. */
  readonly command: string
  readonly cols: number
  readonly rows: number
  /** As the program says it (OSC 0/2), without control characters; untrusted text. */
  readonly title: string
  /** ISO 8601. */
  readonly startedAt: string
  readonly lastActiveAt: string
  /** Null while the program runs. */
  readonly exitCode: number | null
  readonly recording: boolean
  readonly peers: readonly TtyPeer[]
}

export type TtyClientMessage =
  | { readonly type: 'input'; readonly data: string }
  | { readonly type: 'resize'; readonly cols: number; readonly rows: number }
  /** Bytes of output that were drawn since `attached` or the last `snapshot`, in all. */
  | { readonly type: 'ack'; readonly bytes: number }
  /** Answered with `pong`; also what keeps an idle connection open. */
  | { readonly type: 'ping'; readonly at: number }
  /** From now on the terminal has the size of this page. Editors and owners. */
  | { readonly type: 'take' }
  /** Owners. */
  | { readonly type: 'rename'; readonly name: string }
  /** Owners: starts or ends the recording. What is typed is not in it. */
  | { readonly type: 'record'; readonly on: boolean }
  /** Owners: ends the program and everything that it started. */
  | { readonly type: 'end' }

export type TtyServerMessage =
  /** The first message. The snapshot that follows (binary, or `output`) is `snapshotBytes` long and not counted by `ack`. */
  | {
      readonly type: 'attached'
      readonly session: TtyView
      /** This connection among `session.peers`. */
      readonly self: string
      readonly role: TtyRole
      readonly snapshotBytes: number
    }
  /** The page was too far behind: it resets its terminal; the next `bytes` bytes of output are the screen as it is now. */
  | { readonly type: 'snapshot'; readonly bytes: number; readonly cols: number; readonly rows: number }
  | { readonly type: 'output'; readonly data: string }
  | { readonly type: 'session'; readonly session: TtyView }
  /** The size changed, by whoever is active. */
  | { readonly type: 'size'; readonly cols: number; readonly rows: number }
  | { readonly type: 'pong'; readonly at: number }
  /** The program ended. The connection is closed with 1000 after it. */
  | { readonly type: 'exit'; readonly code: number; readonly seconds: number }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly hint: string | null }

/** Why the router closes a connection that a page should not open again. Other codes are worth another try. */
export const CLOSE = {
  /** The program ended, or was ended. */
  ended: 1000,
  /** A message that is not in this file. */
  invalid: 4400,
  /** Sign in again, or the link has expired. */
  unauthenticated: 4401,
  denied: 4403,
  /** No such agent, session or link. */
  notFound: 4404,
  /** The agent does not run, or no terminal can be made in it. */
  unavailable: 4409,
  tooMany: 4429,
} as const
