#!/usr/bin/env node
/** The program: wires the platform to the CLI and ends the process. The only place that does. */
import { commands } from '../commands.ts'
import { createLogger, type LogRecord } from '../core/log.ts'
import type { Platform } from '../platform/index.ts'
import type { Services } from '../services.ts'
import { VERSION } from '../version.ts'
import { run } from './main.ts'
import type { Globals } from './parse.ts'

/** The router logs to its file at `info`; commands are quiet unless something is wrong. */
function createLog(platform: Platform, globals: Globals) {
  const debug = globals.debug || /^(?:1|true|yes|on)$/i.test(platform.env['PLOINKY_DEBUG'] ?? '')
  const isRouter = process.argv.includes('router-serve')
  const sink = (record: LogRecord): void => platform.terminal.stderr.write(`${JSON.stringify(record)}\n`)
  return createLogger(sink, debug ? 'debug' : isRouter ? 'info' : 'warn')
}

async function main(): Promise<void> {
  const { createPlatform } = await import('../platform/create.ts')
  const platform = createPlatform()
  const log = (globals: Globals) => createLog(platform, globals)
  const openServices = async (globals: Globals): Promise<Services> => {
    const { openServices: open } = await import('../compose.ts')
    const warn = (message: string): void => platform.terminal.stderr.write(`warning: ${message}\n`)
    return await open({ platform, log: log(globals), workspace: globals.workspace, debug: globals.debug, warn })
  }
  const { completeNames, historyOf, workspaceName } = await import('./names.ts')
  process.exitCode = await run(process.argv.slice(2), {
    commands,
    version: VERSION,
    terminal: platform.terminal,
    env: platform.env,
    log,
    openServices,
    closeServices: (services) => services.dispose(),
    onSignal: platform.onSignal,
    complete: completeNames(openServices),
    history: historyOf(openServices),
    workspaceName: workspaceName(openServices),
  })
}

await main()
