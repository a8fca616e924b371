/**
 * The contract of a command. The one table of commands (`src/compose.ts`) gives the CLI, the REPL, help, completion,
 * `/api/v1` and its OpenAPI document, and later MCP tools. Inputs are described by plain data, so that `help` and
 * `--version` load no schema library.
 */
import type { Logger } from '../core/log.ts'

export type ParamType = 'string' | 'integer' | 'port' | 'boolean' | 'rest'

export interface Param {
  readonly type: ParamType
  /** Help text: what it is, units, default. */
  readonly summary: string
  readonly required?: boolean
  /** Of a `rest`: words of our own, among which options are still ours; without it they are another program's. */
  readonly plain?: boolean
  readonly choices?: readonly string[]
  /** One letter, without the dash. */
  readonly short?: string
  readonly min?: number
  readonly max?: number
  /** What completion offers, and did-you-mean compares with. */
  readonly complete?: 'agents' | 'catalog' | 'repos' | 'commands' | 'settings'
  /** A value of a secret: pages do not show it while it is typed, and leave it out of the command line that they show. */
  readonly secret?: boolean
  /** Name shown in usage lines, e.g. `DIR`. */
  readonly placeholder?: string
}

/** Values after parsing: `rest` gives string[], `integer` and `port` numbers. Absent options are absent. */
export type Input = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

export interface Out {
  /** A line of progress; goes to stderr, replaced in place on a terminal when it has the same `key`. */
  progress(text: string, key?: string): void
  readonly color: boolean
  readonly columns: number
  readonly json: boolean
}

export interface CommandContext<Services> {
  /** Opened on first use; commands that do not need a workspace never pay for it. */
  services(): Promise<Services>
  readonly log: Logger
  readonly signal: AbortSignal
  readonly out: Out
  /** Asks on a terminal; true at once with `--yes`; throws CONFIRMATION_REQUIRED where nobody can answer. */
  confirm(question: string): Promise<boolean>
  /** Who runs it: `local` for the CLI, a principal id over HTTP. */
  readonly principal: string
  /** The browser session that asks, by its id. Absent: none. */
  readonly session?: string
}

/** What `run` gives: data (printed through `render`, or as JSON), or a stream of data (one a line). */
export type CommandResult = unknown

export interface Command<Services> {
  /** Words: `enable agent`, `status`. */
  readonly name: string
  readonly summary: string
  /** Paragraph under the usage line. */
  readonly description?: string
  readonly group: 'Workspace' | 'Agents' | 'Use an agent' | 'Router' | 'Settings' | 'Help'
  readonly aliases?: readonly string[]
  readonly hidden?: boolean
  /** Ordered names of params that are given by position. The last may be of type `rest`. */
  readonly positionals?: readonly string[]
  readonly params?: Readonly<Record<string, Param>>
  /** Each is parsed by a test. */
  readonly examples?: readonly { readonly run: string; readonly does: string }[]
  /** Who may call it over HTTP: `session` = a signed-in principal with `permission`; `local` = CLI only. */
  readonly access: 'session' | 'local'
  readonly permission: 'read' | 'operate' | 'admin'
  /** Route under `/api/v1`; path params are written `{agent}`. Absent: not in the HTTP API. */
  readonly http?: { readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'; readonly path: string }
  /** Path on the running router that gives the same data: asking it is quicker than finding out. Without it, `run`. */
  readonly fromRouter?: string
  run(input: Input, context: CommandContext<Services>): Promise<CommandResult> | AsyncIterable<CommandResult>
  /** Text for a person; without it the data is printed as a table or as `key: value` lines. */
  render?(data: unknown, out: Out): string
  /** Exit code from the data, where success is not 0 (children's codes, failed agents). */
  exitCode?(data: unknown): number
}

/** Typed identity. */
export const defineCommand = <Services>(command: Command<Services>): Command<Services> => command
