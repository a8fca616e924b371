/** `mcp`: what MCP clients on this machine need to reach the agents. */
import { type Command, defineCommand, type Input } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { ConfigResult } from './config/install.ts'

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

// The list again: help must not load the feature. A test compares them.
export const CLIENT_IDS = [
  ...['claude-code', 'claude-desktop', 'codex', 'cursor', 'gemini-cli', 'goose', 'vscode', 'windsurf', 'zed'],
]

const optional = (input: Input, name: string): string | null => (input[name] === undefined ? null : String(input[name]))

/** Loaded with the rest of it. */
let shown: (typeof import('./config/text.ts'))['configText'] | null = null

const config = defineCommand<Services>({
  name: 'mcp config',
  summary: 'Show or install the configuration of an MCP client',
  description:
    'The client starts "ploinky mcp stdio", which reads the credential from the workspace: no secret is in the file. With --http it calls the router itself, and asks you for the token or takes it from its environment.',
  group: 'Use an agent',
  positionals: ['client'],
  params: {
    client: { type: 'string', summary: 'Which client', required: true, choices: CLIENT_IDS, placeholder: 'client' },
    agent: {
      type: 'string',
      summary: 'One agent; without it all that the workspace offers at /mcp',
      short: 'a',
      complete: 'agents',
      placeholder: 'AGENT',
    },
    install: { type: 'boolean', summary: 'Write it into the client’s file; a copy of the file is kept' },
    'dry-run': { type: 'boolean', summary: 'Show what --install would change' },
    project: { type: 'boolean', summary: 'The file of this workspace, which may be committed' },
    http: { type: 'boolean', summary: 'Let the client call the router itself' },
    npx: { type: 'boolean', summary: 'Start the published package instead of this very program' },
    name: { type: 'string', summary: 'Name of the server in the client (default: ploinky)', placeholder: 'NAME' },
  },
  examples: [
    { run: 'ploinky mcp config cursor', does: 'what to add, and where' },
    { run: 'ploinky mcp config vscode --install --dry-run', does: 'the change, as a diff' },
    { run: 'ploinky mcp config claude-code --install --agent demo', does: 'one agent only' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'GET', path: '/mcp/config/{client}' },
  async run(input, context) {
    if (context.principal !== 'local' && (input['install'] === true || input['dry-run'] === true)) {
      throw new PloinkyError('DENIED', 'Files of MCP clients are written by the command line alone', {
        hint: `On the machine itself, run: ploinky mcp config ${String(input['client'])} --install`,
      })
    }
    const [services, { configure }, { configText }] = await Promise.all([
      context.services(),
      import('./config/install.ts'),
      import('./config/text.ts'),
    ])
    shown = configText
    return await configure(services, {
      client: String(input['client']),
      agent: optional(input, 'agent'),
      name: optional(input, 'name'),
      project: input['project'] === true,
      http: input['http'] === true,
      npx: input['npx'] === true,
      write: input['dry-run'] === true ? 'dry' : input['install'] === true ? 'yes' : 'no',
    })
  },
  render: (data, out) => shown?.(data as ConfigResult, out) ?? '',
})

export const mcpClientCommands: readonly Command<Services>[] = [stdio, config]
