/**
 * What a command prints. Data goes to stdout; progress, notes and errors go to stderr. With `--json` both are
 * machine-readable: stdout holds one JSON value (a stream: one object a line), stderr one JSON object a line.
 *
 * Foreign text is made harmless where a terminal would obey it; into pipes and files it passes unchanged.
 */
import type { PloinkyError } from '../core/error.ts'
import type { Terminal } from '../platform/index.ts'
import type { Command, Out } from './command.ts'
import { renderError } from './errors.ts'
import type { Globals } from './parse.ts'
import { createProgress } from './progress.ts'
import { renderData } from './table.ts'
import { neutraliseData, neutraliseLine, safeJson } from './text.ts'

export interface Output extends Out {
  /** Prints the data of a command. */
  result(data: unknown, command: Pick<Command<never>, 'render'>): void
  /** Prints one item of a stream. */
  item(data: unknown, command: Pick<Command<never>, 'render'>): void
  error(error: PloinkyError): void
  /** A line for a person, or with `--json` an object for a program, on stderr. */
  note(text: string, data: Readonly<Record<string, unknown>>): void
  /** The reader of stdout went away. */
  readonly closed: boolean
}

interface OutputOptions {
  readonly terminal: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  readonly globals: Globals
  readonly now?: () => number
  /** Called once when stdout turns out to be closed. */
  readonly onClosed?: () => void
}

export function createOutput(options: OutputOptions): Output {
  const { terminal, globals } = options
  const { stdout, stderr } = terminal
  const colored = (stream: { isTTY: boolean }): boolean => stream.isTTY && globals.color && wantsColor(options.env)
  const color = colored(stdout)
  const progress = createProgress({
    screen: stderr,
    mode: progressMode(globals, stderr.isTTY && options.env['TERM'] !== 'dumb'),
    color: colored(stderr),
    now: options.now ?? (() => performance.now()),
  })
  let closed = false
  const write = (text: string): void => {
    if (closed) return
    progress.settle()
    try {
      stdout.write(text)
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'EPIPE') throw error
      closed = true
      options.onClosed?.()
    }
  }
  const out: Out = {
    progress: (text, key) => progress.report(text, key),
    color,
    columns: stdout.isTTY ? stdout.columns || 80 : 80,
    json: globals.json,
  }
  const text = (data: unknown, command: Pick<Command<never>, 'render'>): string => {
    const shown = stdout.isTTY ? neutraliseData(data) : data
    if (command.render !== undefined) return command.render(shown, out)
    return renderData(shown, { color, width: stdout.isTTY ? out.columns : null })
  }
  const line = (data: unknown, command: Pick<Command<never>, 'render'>, indent?: number): string => {
    const shown = globals.json ? safeJson(data, indent) : text(data, command)
    return shown.endsWith('\n') ? shown : `${shown}\n`
  }
  return {
    ...out,
    get closed() {
      return closed
    },
    result(data, command) {
      const shown = line(data, command, stdout.isTTY ? 2 : undefined)
      if (shown !== '\n') write(shown)
    },
    // An empty line of a stream is a line.
    item: (data, command) => write(line(data, command)),
    error(error) {
      progress.settle()
      const view = { color: colored(stderr), json: globals.json, debug: globals.debug }
      stderr.write(`${renderError(error, view)}\n`)
    },
    note(message, data) {
      progress.settle()
      stderr.write(`${globals.json ? safeJson(data) : neutraliseLine(message)}\n`)
    },
  }
}

/** https://no-color.org: any value that is not empty turns colours off. */
function wantsColor(env: OutputOptions['env']): boolean {
  return (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

function progressMode(globals: Globals, isTerminal: boolean): 'live' | 'plain' | 'json' | 'off' {
  if (globals.quiet) return 'off'
  if (isTerminal) return 'live'
  return globals.json ? 'json' : 'plain'
}
