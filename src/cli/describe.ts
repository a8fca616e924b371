/** `help` and `--version` alone, as CommonJS: the table of commands without what they need to run. Started by front.cjs. */
import { commands } from '../commands.ts'
import { createTerminal } from '../platform/terminal.ts'
import { VERSION } from '../version.ts'
import { run } from './main.ts'
import { createProgramLog } from './program-log.ts'

const terminal = createTerminal()

async function main(): Promise<void> {
  const exitCode = await run(process.argv.slice(2), {
    commands,
    version: VERSION,
    terminal,
    env: process.env,
    log: createProgramLog({ terminal, env: process.env, argv: process.argv }).of,
    openServices: () => Promise.reject(new Error('A command that only describes asked for a workspace')),
    stdoutClosed: terminal.stdout.closed,
  })
  await terminal.flush()
  process.exit(exitCode)
}

void main()
