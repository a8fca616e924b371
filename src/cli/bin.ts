#!/usr/bin/env node
/** The program: wires the platform to the CLI and ends the process. The only place that does. */
import { commands } from '../commands.ts'
import { onSignal } from '../platform/signals.ts'
import { createTerminal } from '../platform/terminal.ts'
import type { Services } from '../services.ts'
import { VERSION } from '../version.ts'
import { run } from './main.ts'
import { completeNames, historyOf, workspaceName } from './names.ts'
import type { Globals } from './parse.ts'
import { createProgramLog } from './program-log.ts'

const terminal = createTerminal()

const log = createProgramLog({ terminal, env: process.env, argv: process.argv })

const warn = (message: string): void => terminal.stderr.write(`warning: ${message}\n`)

// Loaded when a command asks for it: `help` and `--version` are nearly as quick as an empty program.
async function openServices(globals: Globals): Promise<Services> {
  const { createPlatform, openServices: open } = await import('../compose.ts')
  return await open({
    platform: createPlatform(terminal),
    commands,
    log: log.of(globals),
    workspace: globals.workspace,
    debug: globals.debug,
    redirectLog: log.redirect,
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
  log: log.of,
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
