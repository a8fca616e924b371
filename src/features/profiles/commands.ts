/** `profile`, `profile list` and `profile validate`. Light at import. */
import { type Command, defineCommand } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import { isName } from '../../core/id.ts'
import type { Services } from '../../services.ts'

interface AgentProfiles {
  readonly agent: string
  readonly declares: readonly string[]
  readonly uses: readonly string[]
}

/** What each enabled agent declares, and which of it counts now. */
async function profilesOf(services: Services): Promise<AgentProfiles[]> {
  const agents = await services.registry.list()
  return await Promise.all(
    agents.map(async (agent) => {
      const { manifest } = await services.planner.load(agent)
      return { agent: agent.name, declares: manifest.declaredProfiles, uses: manifest.profiles }
    }),
  )
}

const profile = defineCommand<Services>({
  name: 'profile',
  summary: 'Show or choose the profile; running agents keep theirs until they start again',
  group: 'Settings',
  positionals: ['name'],
  params: {
    name: { type: 'string', summary: 'default, dev, qa, prod or one that a manifest declares', placeholder: 'name' },
  },
  examples: [{ run: 'ploinky profile prod', does: 'from the next start on, agents run under prod' }],
  access: 'session',
  permission: 'admin',
  http: { method: 'PUT', path: '/profile' },
  async run(input, context) {
    const { settings } = await context.services()
    const { name } = input
    if (name !== undefined) {
      if (typeof name !== 'string' || !isName(name)) {
        throw new PloinkyError(
          'NAME_INVALID',
          `Not the name of a profile: ${JSON.stringify(String(name).slice(0, 80))}`,
          {
            hint: 'Run: ploinky profile list',
          },
        )
      }
      const set = await settings.set('profile', name)
      return { profile: set.value, from: set.from }
    }
    const found = settings.explain().find((item) => item.name === 'profile')
    return { profile: found?.value, from: found?.from }
  },
  render: (data) => {
    const { profile: name, from } = data as { profile: string; from: string }
    return `${name} (${from})`
  },
})

const list = defineCommand<Services>({
  name: 'profile list',
  summary: 'Profiles that enabled agents declare, and which of them count now',
  group: 'Settings',
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/profiles' },
  async run(_input, context) {
    const services = await context.services()
    const agents = await profilesOf(services)
    const active = services.settings.values.profile
    const names = [...new Set(['default', 'dev', 'qa', 'prod', active, ...agents.flatMap(({ declares }) => declares)])]
    return names.map((name) => ({
      profile: name,
      active: name === active,
      declaredBy: agents
        .filter(({ declares }) => declares.includes(name))
        .map(({ agent }) => agent)
        .join(' '),
      usedBy: agents
        .filter(({ uses }) => uses.at(-1) === name)
        .map(({ agent }) => agent)
        .join(' '),
    }))
  },
})

const validate = defineCommand<Services>({
  name: 'profile validate',
  summary: 'Check manifests and values of enabled agents under a profile',
  group: 'Settings',
  positionals: ['name', 'agent'],
  params: {
    name: { type: 'string', summary: 'Profile', required: true, placeholder: 'name' },
    agent: { type: 'string', summary: 'Only this agent', complete: 'agents', placeholder: 'agent' },
  },
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/profiles/{name}/check' },
  async run(input, context) {
    const services = await context.services()
    const { agent } = input
    const agents = typeof agent === 'string' ? [await services.registry.get(agent)] : await services.registry.list()
    return await Promise.all(
      agents.map(async (item) => {
        try {
          const plan = await services.explain(item.name, String(input['name']))
          const missing = plan.missing.map(({ variable, neededBy }) => `${variable} has no value (${neededBy})`)
          return {
            agent: item.name,
            profiles: plan.profiles.join(' '),
            valid: missing.length === 0,
            problems: missing.join('; '),
          }
        } catch (error) {
          return {
            agent: item.name,
            profiles: '',
            valid: false,
            problems: error instanceof Error ? error.message : String(error),
          }
        }
      }),
    )
  },
  exitCode: (data) => ((data as { valid: boolean }[]).every(({ valid }) => valid) ? 0 : 3),
})

export const profileCommands: readonly Command<Services>[] = [profile, list, validate]
