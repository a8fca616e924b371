/** `deps prepare`, `deps status`, `deps clean`. Light at import. */
import { type Command, defineCommand } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'

const prepare = defineCommand<Services>({
  name: 'deps prepare',
  summary: 'Install the packages of enabled agents now, so that their next start does not have to',
  group: 'Agents',
  positionals: ['agent'],
  params: { agent: { type: 'string', summary: 'Only this agent', complete: 'agents', placeholder: 'agent' } },
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const services = await context.services()
    const { agent } = input
    const agents = typeof agent === 'string' ? [await services.registry.get(agent)] : await services.registry.list()
    return await Promise.all(
      agents.map(async (item) => {
        const progress = (line: string): void => context.out.progress(`${item.name}: ${line}`, item.name)
        const path = await services.prepareDependencies(item, { progress, signal: context.signal })
        return { agent: item.name, packages: path ?? 'none needed' }
      }),
    )
  },
})

const status = defineCommand<Services>({
  name: 'deps status',
  summary: 'Packages that were installed for agents',
  group: 'Agents',
  access: 'local',
  permission: 'read',
  run: async (_input, context) => await (await context.services()).dependencies.list(),
})

const clean = defineCommand<Services>({
  name: 'deps clean',
  summary: 'Remove installed packages; what is needed is installed again at the next start',
  group: 'Agents',
  positionals: ['key'],
  params: {
    key: { type: 'string', summary: 'As "deps status" names it', placeholder: 'key' },
    all: { type: 'boolean', summary: 'All of them' },
  },
  access: 'local',
  permission: 'operate',
  async run(input, context) {
    const { dependencies } = await context.services()
    const { key } = input
    if (typeof key !== 'string' && input['all'] !== true) {
      throw new PloinkyError('USAGE_INVALID', 'Which packages?', { hint: 'Run: ploinky deps clean --all' })
    }
    return { removed: await dependencies.clean(typeof key === 'string' ? key : null) }
  },
  render: (data) => {
    const { removed } = data as { removed: string[] }
    return removed.length === 0 ? 'Nothing was there' : removed.map((key) => `Removed ${key}`).join('\n')
  },
})

export const dependencyCommands: readonly Command<Services>[] = [prepare, status, clean]
