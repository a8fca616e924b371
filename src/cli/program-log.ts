/** The log of the program itself: on stderr, or where a router in the background writes its own. */
import { createLogger, type Logger, type LogRecord, type LogSink } from '../core/log.ts'
import type { Terminal } from '../platform/index.ts'
import type { Globals } from './parse.ts'

interface ProgramLogOptions {
  readonly terminal: Pick<Terminal, 'stderr'>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly argv: readonly string[]
}

export interface ProgramLog {
  of(globals: Globals): Logger
  /** From now on every record goes there, those of loggers that exist already too. */
  redirect(sink: LogSink): void
}

/** The router logs to its file at `info`; commands are quiet unless something is wrong. */
export function createProgramLog({ terminal, env, argv }: ProgramLogOptions): ProgramLog {
  let write: LogSink = (record) => terminal.stderr.write(`${JSON.stringify(record)}\n`)
  const sink = (record: LogRecord): void => write(record)
  return {
    of(globals) {
      const debug = globals.debug || /^(?:1|true|yes|on)$/i.test(env['PLOINKY_DEBUG'] ?? '')
      return createLogger(sink, debug ? 'debug' : argv.includes('router-serve') ? 'info' : 'warn')
    },
    redirect: (next) => void (write = next),
  }
}
