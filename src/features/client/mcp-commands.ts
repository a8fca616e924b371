/** `mcp`: what MCP clients on this machine need to reach the agents. */
import { type Command, defineCommand } from '../../cli/command.ts'
import type { Services } from '../../services.ts'

const stdio = defineCommand<Services>({
  name: 'mcp stdio',
  summary: 'Be an MCP server on stdin and stdout, for clients that start one',
  description:
    'Passes every message to the running router and back, with the credential of the workspace: no client has to know it. A router or agent that restarts is waited for; a session that it forgot is made anew.',
  group: 'Use an agent',
  params: {
    agent: {
      type: 'string',
      summary: 'One agent; without it all that the workspace offers at /mcp',
      short: 'a',
      complete: 'agents',
      placeholder: 'AGENT',
    },
  },
  examples: [{ run: 'ploinky mcp stdio --agent demo', does: 'what a client runs; see: ploinky help mcp config' }],
  access: 'local',
  permission: 'operate',
  async *run(input, context) {
    const [services, { createBridge }, { createLink }] = await Promise.all([
      context.services(),
      import('./stdio/bridge.ts'),
      import('./stdio/link.ts'),
    ])
    const { stdin, stdout, stderr } = services.platform.terminal
    const note = (text: string): void => stderr.write(`ploinky: ${text}\n`)
    if ((await services.router.info()) === null) note('the router of this workspace is not running; run: ploinky start')
    const agent = input['agent'] === undefined ? null : String(input['agent'])
    const bridge = createBridge({
      link: createLink(services, agent),
      input: stdin.lines(),
      // A client that is gone reads nothing any more.
      signal: AbortSignal.any([context.signal, stdout.closed]),
      writeLine: (line) => stdout.write(`${line}\n`),
      note,
    })
    await bridge.run()
    yield* []
  },
})

export const mcpClientCommands: readonly Command<Services>[] = [stdio]
