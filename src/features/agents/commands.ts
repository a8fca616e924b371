/** Commands on agents: the registry, logs, and the hand-over of a terminal. */
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import { assertName } from '../../core/id.ts'
import type { Services } from '../../services.ts'
import type { Dependency } from '../../config/manifest/types.ts'
import type { ManifestService } from '../manifests/index.ts'
import { enableServer, isServer, SERVER_PARAMS } from './enable-server.ts'
import type { EnableOptions } from './registry.ts'

const agentParam: Param = {
  type: 'string',
  summary: 'Name of an enabled agent',
  required: true,
  complete: 'agents',
  placeholder: 'agent',
}
const refParam: Param = {
  type: 'string',
  summary: 'agent, repo/agent or repo:agent',
  required: true,
  complete: 'catalog',
  placeholder: 'agent',
}
const argsParam = (summary: string): Param => ({ type: 'rest', summary, placeholder: 'args' })

const text = (input: Input, name: string): string => String(input[name] ?? '')
const rest = (input: Input, name: string): readonly string[] =>
  Array.isArray(input[name]) ? (input[name] as readonly string[]) : []

const listAgents = defineCommand<Services>({
  name: 'list agents',
  summary: 'Agents of every enabled repository, and which are enabled',
  group: 'Agents',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/catalog' },
  async run(_input, context) {
    const { catalog, registry, settings } = await context.services()
    const enabled = new Set((await registry.list()).map((agent) => `${agent.repo}/${agent.agent}`))
    return await Promise.all(
      (await catalog.definitions()).map(async (definition) => {
        const about = await catalog.manifest(definition, settings.values.profile).then(
          (manifest) => manifest.about,
          (error: unknown) => `! ${error instanceof Error ? error.message : String(error)}`,
        )
        return { agent: definition.agent, repository: definition.repo, enabled: enabled.has(definition.ref), about }
      }),
    )
  },
})

/** The words after `enable agent` are those of a manifest's `enable`. */
function enableOptions(input: Input, manifests: ManifestService): EnableOptions & { ref: string } {
  const words = rest(input, 'words')
  const ref = text(input, 'agent')
  // A name alone is looked up as it is: whoever mistypes it hears what there is.
  const need: Pick<Dependency, 'ref' | 'alias' | 'mode'> =
    words.length === 0 ? { ref, alias: null, mode: { kind: 'isolated' } } : manifests.needOf([ref, ...words].join(' '))
  const alias = input['as'] === undefined ? need.alias : assertName('agent', text(input, 'as'))
  const profile = input['profile'] === undefined ? null : assertName('profile', text(input, 'profile'))
  return {
    ref: need.ref,
    alias,
    ...(need.mode.kind === 'isolated' ? {} : { mode: need.mode }),
    ...(profile === null ? {} : { profile }),
  }
}

const enable = defineCommand<Services>({
  name: 'enable agent',
  summary: 'Enable an agent of a repository',
  group: 'Agents',
  description:
    'An agent sees its own working folder. With "global" it sees the whole workspace (but for its state), with "devel REPO" the clone of a repository, so that it can work on it. With --npm, --pypi, --image or --command an MCP server that others publish becomes an agent of the repository "local": the exact command is shown before, and words after "--" are its arguments.',
  positionals: ['agent', 'words'],
  params: {
    agent: { ...refParam, required: false },
    words: { ...argsParam('global, devel REPO, as NAME: in any order'), plain: true },
    as: {
      type: 'string',
      summary: 'Name in this workspace; one definition may be enabled under several',
      placeholder: 'NAME',
    },
    profile: { type: 'string', summary: "Its own profile instead of the workspace's", placeholder: 'NAME' },
    ...SERVER_PARAMS,
  },
  examples: [
    {
      run: 'ploinky enable agent --npm @modelcontextprotocol/server-everything',
      does: 'a server of npm, its version fixed',
    },
    {
      run: "ploinky enable agent --image ghcr.io/acme/crm:2 --env 'TOKEN=$CRM_TOKEN' -- --read-only",
      does: 'one of an image',
    },
    { run: 'ploinky enable agent demo', does: 'enable the built-in demo agent' },
    { run: 'ploinky enable agent demo as second', does: 'once more, under another name' },
    { run: 'ploinky enable agent shell global', does: 'an agent that works on the whole workspace' },
  ],
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/agents' },
  async run(input, context) {
    if (isServer(input)) return await enableServer(input, context)
    if (input['agent'] === undefined) {
      throw new PloinkyError('USAGE_INVALID', 'Missing argument "agent"', {
        hint: 'Usage: ploinky enable agent <agent>, or with one of --npm, --pypi, --image, --command',
      })
    }
    const { workspace, registry, manifests } = await context.services()
    await workspace.init()
    const { ref, ...options } = enableOptions(input, manifests)
    const { agent, created } = await registry.enable(ref, options)
    return { agent: agent.name, ref: `${agent.repo}/${agent.agent}`, outcome: created ? 'enabled' : 'unchanged' }
  },
  render: (data) => {
    const { agent, outcome, runs } = data as { agent: string; outcome: string; runs?: string }
    const made = runs === undefined ? '' : `\nRuns: ${runs}`
    return `${outcome === 'enabled' ? 'Enabled' : 'Already enabled'}: ${agent}${made}\nNext: ploinky start ${agent}`
  },
})

const disable = defineCommand<Services>({
  name: 'disable agent',
  summary: 'Disable an agent and remove its container',
  group: 'Agents',
  positionals: ['agent'],
  params: { agent: agentParam },
  access: 'session',
  permission: 'operate',
  http: { method: 'DELETE', path: '/agents/{agent}' },
  async run(input, context) {
    const { workspace, registry, instances } = await context.services()
    const agent = await registry.get(text(input, 'agent'))
    return await workspace.exclusive('ploinky disable', async () => {
      const removed = await instances.remove(agent, context.signal)
      await registry.disable(agent.name)
      return { agent: agent.name, outcome: 'disabled', containerRemoved: removed }
    })
  },
  render: (data) => `Disabled: ${(data as { agent: string }).agent}`,
})

/** Runs argv in the agent with the caller's own terminal; gives the program's exit code. */
async function handOver(
  context: CommandContext<Services>,
  name: string,
  argv: (services: Services) => Promise<readonly string[]>,
): Promise<{ exitCode: number }> {
  const services = await context.services()
  const agent = await services.registry.get(name)
  const { adapter, workload } = await services.instances.running(agent)
  const { stdin, stdout } = services.platform.terminal
  const command = await adapter.interactive(workload.name, await argv(services), { tty: stdin.isTTY && stdout.isTTY })
  return { exitCode: await services.platform.processes.interactive(command) }
}

const childExit = (data: unknown): number => (data as { exitCode: number }).exitCode
const silent = (): string => ''

const shell = defineCommand<Services>({
  name: 'shell',
  summary: 'Open a shell in an agent',
  group: 'Use an agent',
  positionals: ['agent'],
  params: { agent: agentParam },
  access: 'local',
  permission: 'operate',
  run: (input, context) => handOver(context, text(input, 'agent'), async () => ['sh']),
  render: silent,
  exitCode: childExit,
})

const cli = defineCommand<Services>({
  name: 'cli',
  summary: 'Run the interactive program of an agent',
  group: 'Use an agent',
  positionals: ['agent', 'args'],
  params: { agent: agentParam, args: argsParam('Arguments for the program') },
  access: 'local',
  permission: 'operate',
  run: (input, context) =>
    handOver(context, text(input, 'agent'), async (services) => {
      const agent = await services.registry.get(text(input, 'agent'))
      return await services.instances.cli(agent, rest(input, 'args'))
    }),
  render: silent,
  exitCode: childExit,
})

const exec = defineCommand<Services>({
  name: 'exec',
  summary: 'Run a command in an agent',
  group: 'Use an agent',
  positionals: ['agent', 'command'],
  params: {
    agent: agentParam,
    command: { ...argsParam('Program and arguments'), required: true, placeholder: 'command' },
  },
  examples: [{ run: 'ploinky exec demo -- node --version', does: 'the exit code is the program’s own' }],
  access: 'local',
  permission: 'operate',
  run: (input, context) => handOver(context, text(input, 'agent'), async () => rest(input, 'command')),
  render: silent,
  exitCode: childExit,
})

export const agentCommands: readonly Command<Services>[] = [listAgents, enable, disable, shell, cli, exec]
