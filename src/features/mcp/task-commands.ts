/** `tasks`: what agents are doing that outlives its callers. */
import { columns, minute } from '../../core/columns.ts'
import { type Command, defineCommand } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { TaskView } from './task-list.ts'

const tasks = defineCommand<Services>({
  name: 'tasks',
  summary: 'Calls of tools that go on as tasks, and those of the last day',
  description:
    'Never their results: those are for who began them, with tasks/get. A task is cancelled with tasks/cancel. Tasks that an agent keeps in a folder that you may not read are not shown.',
  group: 'Use an agent',
  positionals: ['agent'],
  params: {
    agent: { type: 'string', summary: 'Name of one agent', complete: 'agents', placeholder: 'agent' },
  },
  examples: [{ run: 'ploinky tasks weather --json', does: 'tasks of "weather", newest first, for programs' }],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/tasks' },
  async run(input, context) {
    const agent = input['agent']
    return await (await context.services()).tasks.list(agent === undefined ? null : String(agent))
  },
  render(data) {
    const views = data as readonly TaskView[]
    if (views.length === 0) return 'No tasks'
    const rows = [
      ['AGENT', 'TOOL', 'STATE', 'BEGUN', 'BY', 'TASK', ''],
      ...views.map(({ agent, tool, state, createdAt, owner, id, message }) => [
        ...[agent, tool, state, minute(createdAt), owner ?? '', id, (message ?? '').split('\n', 1)[0] ?? ''],
      ]),
    ]
    return columns(rows)
  },
})

export const taskCommands: readonly Command<Services>[] = [tasks]
