#!/usr/bin/env node
/** The program: wires the platform to the CLI and ends the process. The only place that does. */
import { commands } from '../commands.ts'
import { createLogger, type LogRecord } from '../core/log.ts'
import { onSignal } from '../platform/signals.ts'
import { createTerminal } from '../platform/terminal.ts'
import type { Services } from '../services.ts'
import { VERSION } from '../version.ts'
import { run } from './main.ts'
import { completeNames, historyOf, workspaceName } from './names.ts'
import type { Globals } from './parse.ts'

const terminal = createTerminal()

/** Replaced by a router in the background. */
let write = (record: LogRecord): void => terminal.stderr.write(`${JSON.stringify(record)}\n`)

/** The router logs to its file at `info`; commands are quiet unless something is wrong. */
function log(globals: Globals) {
  const debug = globals.debug || /^(?:1|true|yes|on)$/i.test(process.env['PLOINKY_DEBUG'] ?? '')
  const isRouter = process.argv.includes('router-serve')
  return createLogger((record) => write(record), debug ? 'debug' : isRouter ? 'info' : 'warn')
}

const warn = (message: string): void => terminal.stderr.write(`warning: ${message}\n`)

// Loaded when a command asks for it: `help` and `--version` are nearly as quick as an empty program.
async function openServices(globals: Globals): Promise<Services> {
  const { createPlatform, openServices: open } = await import('../compose.ts')
  return await open({
    platform: createPlatform(terminal),
    commands,
    log: log(globals),
    workspace: globals.workspace,
    debug: globals.debug,
    redirectLog: (sink) => (write = sink),
    warn,
  })
}

async function askRouter(path: string, { workspace }: Globals): Promise<unknown> {
  const { askRouter: ask, createPlatform } = await import('../compose-client.ts')
  return await ask(path, { platform: createPlatform(terminal), workspace, warn })
}

const exitCode = await run(process.argv.slice(2), {
  commands,
  version: VERSION,
  terminal,
  env: process.env,
  log,
  openServices,
  askRouter,
  closeServices: (services) => services.dispose(),
  onSignal,
  stdoutClosed: terminal.stdout.closed,
  complete: completeNames(openServices),
  history: historyOf(openServices),
  workspaceName: workspaceName(openServices),
})

// Handles that something left open must not keep the process alive; what was printed must arrive first.
await terminal.flush()
process.exit(exitCode)
