/**
 * Ports and plain types of the AgentServer. Nothing in this file knows Node: the same MCP server runs inside the
 * container (tools are child processes) and inside the router (tools go through the runtime's exec).
 */

/** One command to run for a tool or a resource. */
export interface ToolRun {
  /** Program and arguments; never a shell string. A program without a slash is looked up on PATH. */
  argv: string[]
  /** Absolute working directory; absent means the runner's own default (the code directory in a container). */
  cwd?: string
  /** Variables added to the environment that the runner gives every command. */
  env: Record<string, string>
  /** Written to standard input, which is then closed. */
  stdin: string
  /** The command and its children are stopped after this many milliseconds. */
  timeoutMs?: number
  /** Aborting stops the command and its children. */
  signal: AbortSignal
  /** Bytes of standard output to keep; the rest is read and thrown away. */
  maxStdoutBytes?: number
  /** Bytes of standard error to keep. */
  maxStderrBytes?: number
  /** Called for each line of standard error as it arrives; returning `true` keeps the line out of the result's `stderr`. */
  onStderrLine?: (line: string) => boolean | void
  /** Called with each piece of standard output as it arrives, whatever the caps say. */
  onStdout?: (text: string) => void
}

/** What became of a command. Failing to start is exit code 127 (not found) or 126 (not executable), as in a shell. */
export interface ToolRunResult {
  exitCode: number
  stdout: string
  stderr: string
  timedOut: boolean
  /** True when output was thrown away because a cap was reached. */
  truncated: boolean
}

/** Port: runs a command. Rejects only when the runner itself is broken. */
export type ToolRunner = (run: ToolRun) => Promise<ToolRunResult>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Port: one structured log line. Values of arguments and results are never passed to it. */
export type AgentLog = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void

/**
 * Port: where the records of tasks are kept, one small text per id. `write` leaves the old or the new text, never a part.
 * Ids are letters and digits.
 */
export interface TaskStore {
  list: () => Promise<string[]>
  /** Null when there is no such record. */
  read: (id: string) => Promise<string | null>
  write: (id: string, text: string) => Promise<void>
  remove: (id: string) => Promise<void>
}
