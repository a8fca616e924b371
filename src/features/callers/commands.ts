/** `grant`, `revoke`, `grants`: which agents may call which. */
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { Grant } from './grants.ts'
import { type CallTarget, parseTarget } from './target.ts'

type Context = CommandContext<Services>

const callerParam: Param = {
  type: 'string',
  summary: 'The agent that calls',
  required: true,
  complete: 'agents',
  placeholder: 'caller',
}
const callsParam: Param = {
  type: 'rest',
  summary: 'What: agent (all of it), agent/tool, agent/prompt:NAME or agent/resource:URI',
  required: true,
  plain: true,
  placeholder: 'agent[/tool]',
}

const targetsOf = (input: Input): CallTarget[] =>
  (Array.isArray(input['calls']) ? (input['calls'] as readonly string[]) : []).map(parseTarget)

/** As it is typed. */
const words = ({ agent, tools }: Pick<Grant, 'agent' | 'tools'>): string[] =>
  tools === null ? [agent] : tools.map((tool) => `${agent}/${tool}`)

const toRows = (grants: readonly Grant[]) =>
  grants.map(({ caller, agent, tools, from }) => ({ caller, agent, tools, from }))

async function callerOf(input: Input, context: Context) {
  const { registry } = await context.services()
  return await registry.get(String(input['caller'] ?? ''))
}

const grant = defineCommand<Services>({
  name: 'grant',
  summary: 'Let an agent call another one, or some tools of it',
  description:
    'Beside what the manifest of the caller says under "calls"; everything else is refused. It holds at once, and for this agent only: another one that comes under the same name gets nothing of it.',
  group: 'Agents',
  positionals: ['caller', 'calls'],
  params: { caller: callerParam, calls: callsParam },
  examples: [
    { run: 'ploinky grant planner demo/add demo/echo', does: 'planner may call two tools of demo' },
    { run: 'ploinky grant planner demo', does: 'and everything else of it' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/grants' },
  async run(input, context) {
    const targets = targetsOf(input)
    const { grants } = await context.services()
    return toRows(await grants.add(await callerOf(input, context), targets))
  },
  render: (data) => (data as Grant[]).map((item) => `${item.caller} may call ${words(item).join(', ')}`).join('\n'),
})

const revoke = defineCommand<Services>({
  name: 'revoke',
  summary: 'Take back what "grant" gave',
  description: 'What the manifest of the caller says under "calls" stays.',
  group: 'Agents',
  positionals: ['caller', 'calls'],
  params: { caller: callerParam, calls: callsParam },
  examples: [{ run: 'ploinky revoke planner demo/echo', does: 'planner may no longer call that tool' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/grants/revoke' },
  async run(input, context) {
    const targets = targetsOf(input)
    const { grants } = await context.services()
    const caller = await callerOf(input, context)
    const removed = await grants.remove(caller, targets)
    return { caller: caller.name, outcome: removed ? 'revoked' : 'unchanged' }
  },
  render: (data) => {
    const { caller, outcome } = data as { caller: string; outcome: string }
    return outcome === 'revoked' ? `Revoked: ${caller}` : `Not granted by this workspace: ${caller}`
  },
})

const listGrants = defineCommand<Services>({
  name: 'grants',
  summary: 'Which agents may call which, and who says so',
  description: 'Of a manifest, what it said when the agent was started last.',
  group: 'Agents',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/grants' },
  async run(_input, context) {
    const { grants, registry } = await context.services()
    return toRows(await grants.list(await registry.list()))
  },
  render: (data) => {
    const grants = data as Grant[]
    if (grants.length === 0) return 'No agent may call another one'
    return grants.map((item) => `${item.caller} may call ${words(item).join(', ')} (${item.from})`).join('\n')
  },
})

export const callerCommands: readonly Command<Services>[] = [grant, revoke, listGrants]
