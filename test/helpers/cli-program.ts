/** The command line over the small table, as a real program: for tests with real shells, pipes and terminals. */
import { run } from '../../src/cli/main.ts'
import { silentLogger } from '../../src/core/log.ts'
import { createTerminal } from '../../src/platform/terminal.ts'
import { fakeTable } from './cli-table.ts'

process.exitCode = await run(process.argv.slice(2), {
  terminal: createTerminal(),
  env: process.env,
  commands: fakeTable,
  version: '1.2.3',
  log: () => silentLogger,
  openServices: async () => ({ opened: 1 }),
  workspaceName: async () => 'shop',
  complete: async (kind, globals) =>
    globals.workspace === '/broken'
      ? Promise.reject(new Error('broken'))
      : kind === 'agents'
        ? ['demo', 'shell']
        : ['basic/tool'],
})
