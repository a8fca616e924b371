/** What commands do with terminals: the router does it, a command line asks the router. Types only. */
import type { TtyRole, TtyView } from './protocol.ts'

export interface ShareView {
  readonly share: string
  readonly session: string
  readonly agent: string
  readonly role: TtyRole
  /** ISO 8601. */
  readonly expiresAt: string
}
/** The token is told once. */
export interface NewShare extends ShareView {
  /** Below the router's address. */
  readonly path: string
}

export interface NewTerminal {
  readonly agent: string
  /** `cli`, `shell` or a program that is allowed; null: the agent's `cli`. */
  readonly command: string | null
  readonly name: string | null
}

/** Sessions are named by id, by the beginning of one, or by a name that only one has. */
export interface Terminals {
  list(): Promise<readonly TtyView[]>
  open(terminal: NewTerminal, principal: string): Promise<TtyView>
  end(session: string, principal: string): Promise<TtyView>
  rename(session: string, name: string): Promise<TtyView>
  record(session: string, on: boolean, principal: string): Promise<TtyView>
  share(session: string, options: { role: 'viewer' | 'editor'; seconds: number }, principal: string): Promise<NewShare>
  shares(session: string): Promise<readonly ShareView[]>
  /** Null: all of the session. */
  unshare(session: string, share: string | null, principal: string): Promise<readonly ShareView[]>
}
