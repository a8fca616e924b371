/** The log of the program itself, on stderr. */
import { createLogger, type Logger, type LogRecord } from '../core/log.ts'
import type { Terminal } from '../platform/index.ts'
import type { Globals } from './parse.ts'

interface ProgramLogOptions {
  readonly terminal: Pick<Terminal, 'stderr'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly argv: readonly string[]
}

/** The router logs to its file at `info`; commands are quiet unless something is wrong. */
export function createProgramLog({ terminal, env, argv }: ProgramLogOptions): (globals: Globals) => Logger {
  const sink = (record: LogRecord): void => terminal.stderr.write(`${JSON.stringify(record)}\n`)
  return (globals) => {
    const debug = globals.debug || /^(?:1|true|yes|on)$/i.test(env['PLOINKY_DEBUG'] ?? '')
    return createLogger(sink, debug ? 'debug' : argv.includes('router-serve') ? 'info' : 'warn')
  }
}
