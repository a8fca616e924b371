/** `mcp lock`, `mcp unlock`, `mcp locks`, `mcp approve`. */
import { type Command, defineCommand } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { LockView } from './index.ts'

const agent = {
  type: 'string',
  summary: 'Name of the agent',
  required: true,
  complete: 'agents',
  placeholder: 'agent',
} as const

const lock = defineCommand<Services>({
  name: 'mcp lock',
  summary: 'Pin what the tools of an agent say of themselves',
  description:
    'A tool whose definition changes afterwards, and one that is new, is neither told to clients nor called until you approve it. What the agent tells next is what is pinned.',
  group: 'Use an agent',
  positionals: ['agent'],
  params: { agent },
  examples: [{ run: 'ploinky mcp lock weather', does: 'changed tools of "weather" are blocked' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'PUT', path: '/agents/{agent}/tool-lock' },
  async run(input, context) {
    const { registry, toolLocks } = await context.services()
    const { name } = await registry.get(String(input['agent']))
    return { agent: name, changed: await toolLocks.lock(name) }
  },
  render: (data) => {
    const { agent: name, changed } = data as { agent: string; changed: boolean }
    return changed ? `Locked: the tools of ${name}` : `The tools of ${name} were locked already`
  },
})

const unlock = defineCommand<Services>({
  name: 'mcp unlock',
  summary: 'Let an agent change its tools',
  group: 'Use an agent',
  positionals: ['agent'],
  params: { agent },
  access: 'session',
  permission: 'admin',
  http: { method: 'DELETE', path: '/agents/{agent}/tool-lock' },
  async run(input, context) {
    const { toolLocks } = await context.services()
    const name = String(input['agent'])
    return { agent: name, changed: await toolLocks.unlock(name) }
  },
  render: (data) => {
    const { agent: name, changed } = data as { agent: string; changed: boolean }
    return changed ? `Unlocked: the tools of ${name}` : `The tools of ${name} were not locked`
  },
})

function renderLock({ agent: name, pinned, approved, blocked }: LockView): string {
  const state = pinned
    ? `${approved.length} approved, ${blocked.length} blocked`
    : 'pinned when it next tells its tools'
  const lines = blocked.flatMap(({ tool, why, differences }) => [
    `  ${tool}: ${why}`,
    ...differences.flatMap(({ path, before, after }) => [
      `    ${path === '' ? '(all)' : path}`,
      ...(before === null ? [] : [`      - ${before}`]),
      ...(after === null ? [] : [`      + ${after}`]),
    ]),
    `    approve: ploinky mcp approve ${name} ${tool}`,
  ])
  return [`${name}  ${state}`, ...lines].join('\n')
}

const locks = defineCommand<Services>({
  name: 'mcp locks',
  summary: 'Show locked tools, and what changed in those that are blocked',
  group: 'Use an agent',
  params: {},
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/tool-locks' },
  run: async (_input, context) => await (await context.services()).toolLocks.views(),
  render: (data) => {
    const views = data as readonly LockView[]
    return views.length === 0
      ? 'No tools are locked. Lock those of an agent: ploinky mcp lock AGENT'
      : views.map(renderLock).join('\n')
  },
})

const approve = defineCommand<Services>({
  name: 'mcp approve',
  summary: 'Approve changed tools of an agent',
  group: 'Use an agent',
  positionals: ['agent', 'tools'],
  params: {
    agent,
    tools: {
      type: 'rest',
      plain: true,
      summary: 'Tools to approve (default: all that are blocked)',
      placeholder: 'tool',
    },
  },
  examples: [{ run: 'ploinky mcp approve weather forecast', does: 'the new definition of "forecast" is pinned' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/agents/{agent}/tool-lock/approve' },
  async run(input, context) {
    const { toolLocks } = await context.services()
    const name = String(input['agent'])
    const given = input['tools'] as readonly string[] | undefined
    return {
      agent: name,
      approved: await toolLocks.approve(name, given === undefined || given.length === 0 ? null : given),
    }
  },
  render: (data) => {
    const { agent: name, approved } = data as { agent: string; approved: readonly string[] }
    return approved.length === 0 ? `Nothing of ${name} was blocked` : `Approved: ${approved.join(', ')} of ${name}`
  },
})

export const toolLockCommands: readonly Command<Services>[] = [lock, unlock, locks, approve]
