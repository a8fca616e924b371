/** Commands of the workspace. Light at import: everything heavy arrives through `services()`. */
import { type Command, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import { renderStart, renderStatus, renderStopped } from './render.ts'
import type { StartReport } from './service.ts'
import { startWorkspace } from './start.ts'

const agentParam: Param = { type: 'string', summary: 'Name of the agent', complete: 'agents', placeholder: 'agent' }

export const START_PARAMS: Readonly<Record<string, Param>> = {
  agent: {
    type: 'string',
    summary: 'Agent to enable and start; without it every enabled agent',
    complete: 'catalog',
    placeholder: 'agent',
  },
  port: {
    type: 'port',
    summary: 'Port of the router; kept for the next start (default 8088)',
    placeholder: 'port',
    short: 'p',
  },
  host: { type: 'string', summary: 'Address to listen on (default 127.0.0.1)', placeholder: 'ADDRESS' },
  runtime: {
    type: 'string',
    summary: 'Where agents run; kept for the next start',
    choices: ['auto', 'docker', 'podman', 'host', 'bwrap', 'fake'],
  },
  profile: { type: 'string', summary: 'Profile for this start', placeholder: 'NAME' },
  foreground: { type: 'boolean', summary: 'Stay in the foreground; Ctrl-C stops everything', short: 'f' },
  wait: { type: 'boolean', summary: 'Wait until agents are ready (default); --no-wait leaves them to the router' },
}

const text = (input: Input, name: string): string | null =>
  typeof input[name] === 'string' ? (input[name] as string) : null

/** Exit code of results in which some agents failed: that of the first failure. */
export function failureExit(data: unknown): number {
  const { agents } = data as { agents: readonly { error?: { exit: number } }[] }
  return agents.find((agent) => agent.error !== undefined)?.error?.exit ?? 0
}

const init = defineCommand<Services>({
  name: 'init',
  summary: 'Make a workspace in the current folder',
  group: 'Workspace',
  access: 'local',
  permission: 'admin',
  async run(_input, context) {
    const { workspace, paths, workspaceId } = await context.services()
    return { workspace: paths.root, id: workspaceId, created: await workspace.init() }
  },
  render: (data) => {
    const { workspace, created } = data as { workspace: string; created: boolean }
    return `${created ? 'Made a workspace' : 'Already a workspace'}: ${workspace}\nNext: ploinky start demo`
  },
})

const start = defineCommand<Services>({
  name: 'start',
  summary: 'Start agents and the router; returns when every agent is ready or failed',
  group: 'Workspace',
  positionals: ['agent', 'port'],
  params: START_PARAMS,
  examples: [
    { run: 'ploinky start demo', does: 'enable and start the built-in demo agent' },
    { run: 'ploinky start', does: 'start every enabled agent' },
    { run: 'ploinky start demo 9000 --foreground', does: 'another port, stay in the foreground' },
  ],
  access: 'local',
  permission: 'operate',
  run: (input, context) => startWorkspace(input, context),
  render: (data, out) => renderStart(data as StartReport, out),
  exitCode: failureExit,
})

function stopCommand(spec: { name: string; summary: string; remove: boolean }): Command<Services> {
  return defineCommand<Services>({
    name: spec.name,
    summary: spec.summary,
    group: 'Workspace',
    ...(spec.remove
      ? {}
      : {
          positionals: ['agent'],
          params: { agent: { ...agentParam, summary: 'Only this agent; the router goes on' } },
        }),
    access: 'local',
    permission: 'operate',
    async run(input, context) {
      const services = await context.services()
      const agent = text(input, 'agent')
      return await services.workspace.exclusive(`ploinky ${spec.name}`, async () => {
        context.out.progress(agent === null ? 'stopping' : `stopping ${agent}`, 'stop')
        const router = agent === null && (await services.router.stop(context.signal))
        const agents = spec.remove
          ? await services.workspace.removeAgents(context.signal)
          : await services.workspace.stopAgents(agent, context.signal)
        if (agent !== null) await services.client.reload()
        return { router: router ? 'stopped' : agent === null ? 'not running' : 'unchanged', agents }
      })
    },
    render: (data, out) => renderStopped(data, out),
    exitCode: failureExit,
  })
}

const destroy = defineCommand<Services>({
  name: 'destroy',
  aliases: ['clean'],
  summary: 'Stop everything, remove containers and the workspace files; asks first',
  group: 'Workspace',
  params: { data: { type: 'boolean', summary: 'Also working folders that hold files, and agents of your own' } },
  examples: [{ run: 'ploinky destroy --yes', does: 'without asking, for scripts' }],
  access: 'local',
  permission: 'admin',
  async run(input, context) {
    const services = await context.services()
    if (!(await services.workspace.exists())) {
      throw new PloinkyError('WORKSPACE_NOT_FOUND', `No workspace here: ${services.paths.root}`, {
        hint: 'Run it in the folder that holds .ploinky',
      })
    }
    const plan = await services.workspace.destroyPlan()
    const agents = (await services.registry.list()).map(({ name }) => name)
    const isKept = input['data'] !== true && plan.keep.length > 0
    const keeps = isKept ? ` Keeps ${plan.keep.join(', ')}.` : ''
    const question = `Remove the containers of ${agents.length} agents (${agents.join(', ') || 'none'}) and ${plan.remove.join(', ')}, secrets included?${keeps}`
    if (!(await context.confirm(question))) return { destroyed: false, agents: [], removed: [], kept: [] }
    // Outside the lock: the lock file itself is in the folder that goes.
    const outcome = await services.workspace.exclusive('ploinky destroy', async () => {
      await services.router.stop(context.signal)
      const removed = await services.workspace.removeAgents(context.signal)
      await services.sweep('all')
      return removed
    })
    if (outcome.some(({ state }) => state === 'failed'))
      return { destroyed: false, agents: outcome, removed: [], kept: [services.paths.dir] }
    await services.dispose()
    return { destroyed: true, agents: outcome, ...(await services.workspace.destroyFiles(input['data'] === true)) }
  },
  render: (data) => {
    const { destroyed, kept, removed, agents } = data as {
      destroyed: boolean
      kept: string[]
      removed: string[]
      agents: { agent: string; error?: { message: string } }[]
    }
    if (!destroyed)
      return ['Nothing was removed', ...agents.flatMap(({ error }) => (error ? [error.message] : []))].join('\n')
    return [
      `Removed ${removed.length} folders`,
      ...kept.map((path) => `Kept ${path}: it holds files (remove with: --data)`),
    ].join('\n')
  },
  exitCode: failureExit,
})

const restart = defineCommand<Services>({
  name: 'restart',
  summary: 'Restart an agent, the router, or everything',
  group: 'Workspace',
  positionals: ['what'],
  params: {
    what: {
      type: 'string',
      summary: 'An agent, or "router"; without it everything',
      complete: 'agents',
      placeholder: 'agent|router',
    },
  },
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const services = await context.services()
    const what = text(input, 'what')
    if (what === null || what === 'router') {
      await services.workspace.exclusive('ploinky restart', async () => {
        await services.router.stop(context.signal)
        if (what === null) await services.workspace.stopAgents(null, context.signal)
      })
      if (what === 'router')
        return { agents: [], router: (await services.router.start([])).info, notices: [], login: null }
      return await startWorkspace({}, context)
    }
    return await restartAgent(services, what, context)
  },
  render: (data, out) => renderStart(data as StartReport, out),
  exitCode: failureExit,
})

type Context = Parameters<Command<Services>['run']>[1]

async function restartAgent(
  services: Services,
  name: string,
  context: Context,
): Promise<Pick<StartReport, 'agents' | 'notices'>> {
  const agent = await services.registry.get(name)
  return await services.workspace.exclusive(`ploinky restart ${name}`, async () => {
    await services.workspace.stopAgents(agent.name, context.signal)
    const outcome = await services.workspace.startAgents({
      agent: agent.name,
      progress: (line, key) => context.out.progress(line, key),
      signal: context.signal,
      // Over HTTP nobody can be shown what would run on this machine, so nothing new is allowed there.
      ...(context.principal === 'local' ? { confirm: (question: string) => context.confirm(question) } : {}),
    })
    // Inside the router the API does this by itself.
    if (context.principal === 'local') await services.client.reload()
    return outcome
  })
}

/** The single-agent changes that pages and API clients make. */
function agentAction(action: 'start' | 'stop' | 'restart'): Command<Services> {
  return defineCommand<Services>({
    name: `agent ${action}`,
    summary: `${action[0]?.toUpperCase()}${action.slice(1)} one enabled agent`,
    group: 'Agents',
    hidden: true,
    positionals: ['agent'],
    params: {
      agent: { ...agentParam, required: true },
      ...(action === 'start' ? { wait: { type: 'boolean', summary: 'Answer when it is ready (default)' } } : {}),
    },
    access: 'session',
    permission: 'operate',
    http: { method: 'POST', path: `/agents/{agent}/${action}` },
    async run(input, context) {
      const services = await context.services()
      const agent = await services.registry.get(text(input, 'agent') ?? '')
      if (action === 'stop') {
        const results = await services.workspace.exclusive('stop', () =>
          services.workspace.stopAgents(agent.name, context.signal),
        )
        return results[0]
      }
      if (action === 'restart')
        return (await restartAgent(services, agent.name, context)).agents.find((item) => item.agent === agent.name)
      const starting = services.workspace.exclusive('start', () =>
        services.workspace.startAgents({
          agent: agent.name,
          progress: (line, key) => context.out.progress(line, key),
        }),
      )
      if (input['wait'] === false) {
        starting.catch((error: unknown) => context.log.error('agent not started', { agent: agent.name, error }))
        return { agent: agent.name, state: 'starting', outcome: 'not waited for', runtime: null, milliseconds: 0 }
      }
      const started = await starting
      return started.agents.find((item) => item.agent === agent.name)
    },
  })
}

const status = defineCommand<Services>({
  name: 'status',
  summary: 'State of the workspace, its router and its agents',
  group: 'Workspace',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/status' },
  fromRouter: '/status',
  run: async (_input, context) => (await context.services()).workspace.status(),
  render: (data, out) => renderStatus(data, out),
})

export const workspaceCommands: readonly Command<Services>[] = [
  init,
  start,
  stopCommand({ name: 'stop', summary: 'Stop the router and every agent, or one agent', remove: false }),
  stopCommand({ name: 'shutdown', summary: 'Stop everything and remove the containers', remove: true }),
  destroy,
  restart,
  status,
  agentAction('start'),
  agentAction('stop'),
  agentAction('restart'),
]
