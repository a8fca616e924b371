/** The command line: from argv to an exit code. Never ends the process itself. */
import { asPloinkyError, exitCodeOf, PloinkyError } from '../core/error.ts'
import type { Command } from './command.ts'
import { helpFor, withBuiltins } from './builtin.ts'
import { complete, type CompletionSource } from './completion.ts'
import { execute, type ExecuteDeps } from './execute.ts'
import { renderHelp } from './help.ts'
import type { HistoryStore } from './history.ts'
import { createOutput, type Output } from './output.ts'
import { type Globals, NO_GLOBALS, parseArgv } from './parse.ts'
import { runRepl } from './repl.ts'
import { runScript } from './script.ts'
import { PROGRAM } from './usage.ts'

export interface RunDeps<Services> extends ExecuteDeps<Services> {
  /** The table; `help`, `version`, `completion` are added to it. */
  readonly commands: readonly Command<Services>[]
  readonly version: string
  /** Names for completion: agents, catalog, repositories, settings. */
  readonly complete?: CompletionSource
  /** Lines of the prompt, per workspace. */
  history?(globals: Globals): HistoryStore
  /** Shown in the prompt. */
  workspaceName?(globals: Globals): Promise<string>
}

/**
 * Runs a command line and gives its exit code: 0, the code of the error table, or a child's own. Without a command it opens
 * a prompt, or runs standard input as a script when that is no terminal. Prints every error; throws none.
 */
export async function run<S>(argv: readonly string[], deps: RunDeps<S>): Promise<number> {
  return runLine(argv, deps, null)
}

/** `outer`: the flags of the prompt or script that this line belongs to; null for the real command line. */
async function runLine<S>(argv: readonly string[], deps: RunDeps<S>, outer: Globals | null): Promise<number> {
  const base = outer ?? NO_GLOBALS
  const table = withBuiltins(deps.commands, { version: deps.version, source: deps.complete, globals: base })
  const { command, words, input, globals, error } = parseArgv(argv, table, base)
  const output = createOutput({ terminal: deps.terminal, env: deps.env, globals })
  if (globals.version) return print(output, { version: deps.version }, () => deps.version)
  if (error !== null) return fail(output, error)
  if (globals.help) return showHelp(output, table, command === null ? words : command.name.split(' '))
  if (command !== null) return execute({ command, input, globals }, deps)
  if (outer !== null) {
    return fail(
      output,
      new PloinkyError('USAGE_INVALID', 'No command given', { hint: 'Run "help" to see all commands' }),
    )
  }
  return deps.terminal.stdin.isTTY ? repl(deps, globals, output) : script(deps, globals, output)
}

function fail(output: Output, error: PloinkyError): number {
  output.error(error)
  return exitCodeOf(error)
}

function print(output: Output, data: unknown, render: (data: unknown, out: Output) => string): number {
  output.result(data, { render: (shown) => render(shown, output) })
  return 0
}

function showHelp<S>(output: Output, table: readonly Command<S>[], words: readonly string[]): number {
  try {
    return print(output, helpFor(table, words), (doc, out) => renderHelp(doc as ReturnType<typeof helpFor>, out))
  } catch (error) {
    return fail(output, asPloinkyError(error))
  }
}

function script<S>(deps: RunDeps<S>, globals: Globals, output: Output): Promise<number> {
  return runScript({
    lines: deps.terminal.stdin.lines(),
    run: (words) => runLine(words, deps, globals),
    fail: (error) => fail(output, error),
    stopped: (line, exitCode) =>
      output.note(`stopped at line ${line} of the script (exit code ${exitCode})`, { stopped: { line, exitCode } }),
    empty: () => showHelp(output, withBuiltins(deps.commands, { version: deps.version }), []),
  })
}

async function repl<S>(deps: RunDeps<S>, globals: Globals, output: Output): Promise<number> {
  const table = withBuiltins(deps.commands, { version: deps.version })
  if (!globals.quiet)
    deps.terminal.stdout.write(`${PROGRAM} ${deps.version}: "help" lists the commands, "exit" leaves\n`)
  return runRepl({
    terminal: deps.terminal,
    log: deps.log(globals),
    history: deps.history?.(globals),
    workspaceName: async () => (await deps.workspaceName?.(globals)) ?? '',
    run: (words) => runLine(words, deps, globals),
    fail: (error) => fail(output, error),
    complete: async (words, current) =>
      (await complete({ commands: table, words, current, source: deps.complete, globals })).candidates,
  })
}
