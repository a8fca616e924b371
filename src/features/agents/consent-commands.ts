/** `permissions` and `allow`: what an agent gets, and the consent to what it runs on this machine. Light at import. */
import { type Command, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { ConsentReview } from '../hooks/index.ts'
import type { PlainPermission } from './permissions.ts'

const agentParam: Param = {
  type: 'string',
  summary: 'An enabled agent, or one of the catalog',
  required: true,
  complete: 'catalog',
  placeholder: 'agent',
}

/** What a person decides about before an agent is started. */
export interface AgentPermissions {
  readonly agent: string
  readonly ref: string
  readonly permissions: readonly PlainPermission[]
  readonly onThisMachine: ConsentReview
  /** Values to be set first, as commands. */
  readonly missing: readonly { readonly variable: string; readonly command: string }[]
  readonly warnings: readonly string[]
}

async function requestOf(services: Services, input: Input) {
  const ref = String(input['agent'] ?? '')
  const known = (await services.registry.list()).find(({ name }) => name === ref)
  const definition = await services.catalog.resolve(known === undefined ? ref : `${known.repo}/${known.agent}`)
  const profile = known?.profile ?? services.settings.values.profile
  return { definition, manifest: await services.catalog.manifest(definition, profile) }
}

const MARKS: Record<PlainPermission['level'], string> = { danger: '!!', notable: '! ', plain: '  ' }

const permissions = defineCommand<Services>({
  name: 'permissions',
  summary: 'What an agent gets when it is started, in plain words; changes nothing',
  description:
    'The same plan as "ploinky plan", for deciding: "!!" leaves the container, "!" is more than every agent gets.',
  group: 'Agents',
  positionals: ['agent'],
  params: { agent: agentParam },
  examples: [
    { run: 'ploinky permissions demo', does: 'image, network, files, secrets, and what runs on this machine' },
  ],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/agents/{agent}/permissions' },
  async run(input, context): Promise<AgentPermissions> {
    const services = await context.services()
    const { permissionsOf } = await import('./permissions.ts')
    const request = await requestOf(services, input)
    const [plan, onThisMachine] = await Promise.all([
      services.explain(String(input['agent']), null),
      services.consents.review(request),
    ])
    return {
      agent: plan.agent,
      ref: plan.ref,
      permissions: permissionsOf(plan, services.paths.root),
      onThisMachine,
      missing: plan.missing.map(({ variable }) => ({ variable, command: `ploinky var ${variable}` })),
      warnings: plan.warnings,
    }
  },
  render: (data) => {
    const { agent, ref, permissions: all, onThisMachine, missing } = data as AgentPermissions
    return [
      `${agent} (${ref})`,
      ...all.map(({ level, text }) => `${MARKS[level]} ${JSON.stringify(text).slice(1, -1)}`),
      ...missing.map(({ command }) => `Next: ${command}`),
      ...(onThisMachine.digest === null ? [] : [`Next: ploinky allow ${ref}`]),
    ].join('\n')
  },
})

const allow = defineCommand<Services>({
  name: 'allow',
  summary: 'Allow the commands that an agent runs on this machine; asks first',
  description: 'It holds until one of the commands, or a file that it names, changes.',
  group: 'Agents',
  positionals: ['agent'],
  params: {
    agent: agentParam,
    digest: { type: 'string', summary: 'Only what "permissions" showed under this digest', placeholder: 'DIGEST' },
  },
  access: 'session',
  permission: 'admin',
  http: { method: 'POST', path: '/agents/{agent}/allow' },
  async run(input, context) {
    const services = await context.services()
    const request = await requestOf(services, input)
    const { lines, digest } = await services.consents.review(request)
    const { ref } = request.definition
    if (digest === null) return { ref, outcome: 'unchanged' }
    const given = typeof input['digest'] === 'string' ? input['digest'] : null
    if (given === null && context.principal !== 'local') {
      throw new PloinkyError('REQUEST_INVALID', 'The field "digest" is missing: it says what was shown', {
        hint: 'See /api/v1/agents/{agent}/permissions',
      })
    }
    const shown = lines.map(({ name, line }) => `  ${name}: ${JSON.stringify(line).slice(1, -1)}`).join('\n')
    const question = `These commands run on this machine, as you, outside of any container:\n${shown}\nAllow them?`
    if (given === null && !(await context.confirm(question))) return { ref, outcome: 'unchanged' }
    await services.workspace.init()
    return { ref, outcome: (await services.consents.allow(request, given ?? digest)) ? 'allowed' : 'unchanged' }
  },
  render: (data) => {
    const { ref, outcome } = data as { ref: string; outcome: string }
    return outcome === 'allowed' ? `Allowed: ${ref}\nNext: ploinky start ${ref}` : `Nothing was changed: ${ref}`
  },
})

export const consentCommands: readonly Command<Services>[] = [permissions, allow]
