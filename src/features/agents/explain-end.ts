/** Why an instance does not run, in the words of its engine and its own. */
import { PloinkyError } from '../../core/error.ts'
import { readLastLines, saidLast } from '../../core/last-lines.ts'
import type { RuntimeAdapter } from '../../../runtimes/adapter.ts'

/** How engines and their init say that there is no shell to run a line of ours or of a manifest. */
const NO_SHELL = /exec:? "?(?:\/bin\/)?sh"?(?::| failed)/

const hintOf = (agent: string, lines: readonly string[]): string =>
  lines.some((line) => NO_SHELL.test(line))
    ? 'The image has no shell: say in "start" of its manifest what its own program does meanwhile; with mcp.transport "stdio", its server'
    : `Run: ploinky logs ${agent}`

/** Why an instance is not running: exit code, out-of-memory, and its last words. */
export async function explainEnd(adapter: RuntimeAdapter, agent: string, name: string): Promise<PloinkyError> {
  const workload = await adapter.inspect(name)
  const lines = workload === null ? [] : await readLastLines((tail, signal) => adapter.logs(name, { tail, signal }))
  const how =
    workload === null
      ? 'its container is gone'
      : workload.oomKilled
        ? 'out of memory'
        : `exit code ${workload.exitCode ?? 'unknown'}`
  return new PloinkyError('AGENT_FAILED', `Agent "${agent}" ended (${how})${saidLast(lines)}`, {
    hint: hintOf(agent, lines),
    details: {
      agent,
      exitCode: workload?.exitCode ?? null,
      oomKilled: workload?.oomKilled ?? false,
      lastLines: lines,
    },
  })
}
