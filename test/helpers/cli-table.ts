/** A table with the grammar of the product, small enough to reason about. Its commands answer with what they were given. */
import { PloinkyError } from '../../src/core/error.ts'
import type { Command } from '../../src/cli/command.ts'

export interface FakeServices {
  readonly opened: number
}

const agent = { type: 'string', summary: 'Name of the agent', complete: 'agents' } as const
const operate = { access: 'session', permission: 'operate' } as const

type Given = Omit<Command<FakeServices>, 'run'>
const echo = (command: Given): Command<FakeServices> => ({ ...command, run: async (input) => input })

export const fakeTable: readonly Command<FakeServices>[] = [
  echo({ ...operate, name: 'init', group: 'Workspace', summary: 'Make this folder a workspace' }),
  echo({
    ...operate,
    name: 'start',
    group: 'Workspace',
    summary: 'Start the router and the enabled agents, and wait until each is ready or failed',
    positionals: ['agent', 'port'],
    params: {
      agent: { ...agent, complete: 'catalog' },
      port: { type: 'port', summary: 'Port of the router, default 8088' },
      runtime: { type: 'string', summary: 'Where agents run', choices: ['auto', 'docker', 'podman', 'host'] },
      foreground: { type: 'boolean', short: 'F', summary: 'Keep the router in the foreground' },
      waitSeconds: { type: 'integer', summary: 'Longest wait for readiness in seconds', min: 0, max: 3600 },
    },
    examples: [
      { run: 'ploinky start demo', does: 'Enables and starts the demo agent' },
      { run: 'ploinky start --runtime host --wait-seconds 30', does: 'Starts on this machine, without containers' },
    ],
  }),
  {
    ...operate,
    name: 'destroy',
    aliases: ['clean'],
    group: 'Workspace',
    summary: 'Remove all containers of this workspace',
    async run(_input, context) {
      if (!(await context.confirm('Remove everything?'))) return { removed: false }
      return { removed: true }
    },
  },
  {
    ...operate,
    name: 'list agents',
    group: 'Agents',
    summary: 'List the agents',
    run: async () => [
      { name: 'demo', state: 'ready', ports: [7000, 7001] },
      { name: 'shell', state: 'stopped', ports: [] },
    ],
  },
  echo({ ...operate, name: 'list repos', group: 'Agents', summary: 'List the repositories' }),
  echo({
    ...operate,
    name: 'enable agent',
    group: 'Agents',
    summary: 'Enable an agent',
    positionals: ['agent'],
    params: {
      agent: { ...agent, required: true, complete: 'catalog' },
      as: { type: 'string', summary: 'Other name', placeholder: 'NAME' },
      env: { type: 'rest', summary: 'Variable, may be repeated', placeholder: 'NAME=VALUE' },
    },
  }),
  {
    ...operate,
    name: 'logs',
    group: 'Use an agent',
    summary: 'Show the logs of an agent or the router',
    positionals: ['agent'],
    params: {
      agent,
      follow: { type: 'boolean', short: 'f', summary: 'Wait for more' },
      tail: { type: 'integer', short: 'n', summary: 'Last lines', min: 0 },
      since: { type: 'string', summary: 'ISO 8601 time or age such as 10m', placeholder: 'TIME' },
    },
    async *run() {
      yield { text: 'one' }
      yield { text: '' }
      yield { text: '\u001b]0;owned\u0007two\u001b[31m red' }
    },
    render: (data) => (data as { text: string }).text,
  },
  {
    ...operate,
    name: 'cli',
    group: 'Use an agent',
    summary: 'Talk to an agent',
    positionals: ['agent', 'args'],
    params: { agent: { ...agent, required: true }, args: { type: 'rest', summary: 'Arguments of the agent' } },
    run: async (input) => ({ exitCode: 7, input }),
    render: () => '',
    exitCode: (data) => (data as { exitCode: number }).exitCode,
  },
  echo({
    ...operate,
    name: 'exec',
    group: 'Use an agent',
    summary: 'Run a program in an agent',
    positionals: ['agent', 'command'],
    params: {
      agent: { ...agent, required: true },
      command: { type: 'rest', required: true, summary: 'Program and its arguments' },
      workdir: { type: 'string', short: 'w', summary: 'Working folder', placeholder: 'DIR' },
    },
  }),
  echo({
    ...operate,
    name: 'grant',
    group: 'Agents',
    summary: 'Give an agent rights',
    positionals: ['agent', 'words'],
    params: { agent: { ...agent, required: true }, words: { type: 'rest', plain: true, summary: 'How' } },
  }),
  echo({ ...operate, name: 'token', group: 'Router', summary: 'Print the operator token' }),
  echo({ ...operate, name: 'token rotate', group: 'Router', summary: 'Replace the operator token' }),
  echo({
    ...operate,
    name: 'stop',
    group: 'Workspace',
    summary: 'Stop agents',
    positionals: ['agents'],
    params: { agents: { ...agent, type: 'rest' }, kill: { type: 'boolean', summary: 'Do not wait' } },
  }),
  {
    ...operate,
    name: 'fail',
    group: 'Router',
    summary: 'Fail',
    positionals: ['how'],
    params: { how: { type: 'string', summary: 'How', choices: ['coded', 'bug', 'services'] } },
    async run(input, context) {
      if (input['how'] === 'services') return context.services()
      if (input['how'] === 'bug') throw new TypeError('x is not a function')
      throw new PloinkyError('AGENT_NOT_FOUND', 'No agent "demoo"', {
        hint: 'Run "ploinky list agents"',
        details: { file: '.ploinky/agents', line: 3, column: 5, keyPath: 'demo.name' },
      })
    },
  },
]
