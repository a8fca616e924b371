/** Making agents anew and bringing them up to date. Light at import. */
import { type Command, type CommandContext, defineCommand, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { EnabledAgent } from './index.ts'

type Context = CommandContext<Services>

const agentParam: Param = {
  type: 'string',
  summary: 'Name of an enabled agent',
  required: true,
  complete: 'agents',
  placeholder: 'agent',
}

/** Starts one agent under the workspace's lock, and tells the router. */
async function startAgain(services: Services, agent: EnabledAgent, context: Context) {
  const result = await services.workspace.startAgents({
    agent: agent.name,
    progress: (line, key) => context.out.progress(line, key),
    signal: context.signal,
    // Over HTTP nobody can be shown what would run on this machine, so nothing new is allowed there.
    ...(context.principal === 'local' ? { confirm: (question: string) => context.confirm(question) } : {}),
  })
  // Inside the router the API does this by itself.
  if (context.principal === 'local') await services.client.reload()
  return result.agents.find((item) => item.agent === agent.name)
}

const reinstall = defineCommand<Services>({
  name: 'reinstall',
  summary: 'Make the container of an agent anew, its install hooks included; volumes stay',
  group: 'Agents',
  positionals: ['agent'],
  params: { agent: agentParam },
  examples: [{ run: 'ploinky reinstall demo', does: 'a new container, as after the first start' }],
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/agents/{agent}/reinstall' },
  async run(input, context) {
    const services = await context.services()
    const agent = await services.registry.get(String(input['agent']))
    return await services.workspace.exclusive(`ploinky reinstall ${agent.name}`, async () => {
      context.out.progress(`${agent.name}: removing the container`, agent.name)
      await services.instances.remove(agent, context.signal)
      return await startAgain(services, await services.registry.get(agent.name), context)
    })
  },
  exitCode: exitOf,
})

const updateAgent = defineCommand<Services>({
  name: 'update agent',
  summary: 'Run the update command of an agent in its container, then restart it',
  group: 'Agents',
  positionals: ['agent'],
  params: { agent: agentParam },
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const services = await context.services()
    const agent = await services.registry.get(String(input['agent']))
    const { manifest } = await services.planner.load(agent)
    if (manifest.update === null) {
      throw new PloinkyError('CONFIG_INVALID', `Agent "${agent.name}" has no update command in its manifest`, {
        hint: `Bring its repository up to date: ploinky update ${agent.repo}`,
      })
    }
    return await services.workspace.exclusive(`ploinky update agent ${agent.name}`, async () => {
      const progress = (line: string): void => context.out.progress(`${agent.name}: ${line}`, agent.name)
      await services.instances.update(agent, { progress, signal: context.signal })
      await services.workspace.stopAgents(agent.name, context.signal)
      return await startAgain(services, await services.registry.get(agent.name), context)
    })
  },
  exitCode: exitOf,
})

function exitOf(data: unknown): number {
  return (data as { error?: { exit: number } } | undefined)?.error?.exit ?? 0
}

const disableAll = defineCommand<Services>({
  name: 'disable agents-all',
  summary: 'Disable every agent and remove their containers; asks first',
  group: 'Agents',
  access: 'local',
  permission: 'operate',
  async run(_input, context) {
    const services = await context.services()
    const agents = await services.registry.list()
    const names = agents.map(({ name }) => name).join(', ')
    if (agents.length === 0 || !(await context.confirm(`Disable ${names}, and remove their containers?`))) return []
    return await services.workspace.exclusive('ploinky disable', async () =>
      Promise.all(
        agents.map(async (agent) => {
          const removed = await services.instances.remove(agent, context.signal)
          await services.registry.disable(agent.name)
          return { agent: agent.name, outcome: 'disabled', containerRemoved: removed }
        }),
      ),
    )
  },
})

/** The words of the first generation. */
const logsTail = defineCommand<Services>({
  name: 'logs tail',
  summary: 'Follow the log of the router',
  group: 'Router',
  hidden: true,
  access: 'local',
  permission: 'read',
  async *run(_input, context) {
    yield* (await context.services()).logs.router({ follow: true, tail: 10, signal: context.signal })
  },
  render: (data) => (data as { text: string }).text,
})

const logsLast = defineCommand<Services>({
  name: 'logs last',
  summary: 'The last lines of the log of the router',
  group: 'Router',
  hidden: true,
  positionals: ['count'],
  params: { count: { type: 'integer', summary: 'Lines (default 200)', min: 1, max: 100_000, placeholder: 'N' } },
  access: 'local',
  permission: 'read',
  async *run(input, context) {
    const tail = typeof input['count'] === 'number' ? input['count'] : 200
    yield* (await context.services()).logs.router({ tail, signal: context.signal })
  },
  render: (data) => (data as { text: string }).text,
})

export const maintenanceCommands: readonly Command<Services>[] = [
  reinstall,
  updateAgent,
  disableAll,
  logsTail,
  logsLast,
]
