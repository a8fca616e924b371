/** `validate`, `plan` and `schema`. Light at import. */
import { type Command, defineCommand, type Out } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { ExplainedPlan } from '../agents/index.ts'
import type { Validation } from './index.ts'

const RED = 31
const YELLOW = 33
const MAX_COLUMN = 60
const paint = (out: Out, code: number, text: string): string => (out.color ? `\u001b[${code}m${text}\u001b[0m` : text)

const validate = defineCommand<Services>({
  name: 'validate',
  summary: 'Check a manifest: every problem with its place, what was found and what is expected',
  group: 'Agents',
  positionals: ['what'],
  params: {
    what: {
      type: 'string',
      summary: 'An agent of the catalog, a manifest.json, or a folder with one',
      required: true,
      complete: 'catalog',
      placeholder: 'agent|path',
    },
  },
  examples: [
    { run: 'ploinky validate ./my-agent', does: 'check the manifest in a folder, under every profile it declares' },
  ],
  access: 'local',
  permission: 'read',
  run: async (input, context) => (await context.services()).manifests.validate(String(input['what'])),
  render: (data, out) => {
    const { file, valid, findings, profiles } = data as Validation
    const lines = findings.map((item) => {
      const label = item.severity === 'error' ? paint(out, RED, 'error') : paint(out, YELLOW, 'warning')
      const where = item.profiles.length === profiles.length ? '' : ` [${item.profiles.join(', ')}]`
      return `${label}  ${item.path}: ${item.message}${where}`
    })
    const errors = findings.filter(({ severity }) => severity === 'error').length
    const counts = `${errors} errors, ${findings.length - errors} warnings`
    return [...lines, `${valid ? 'Valid' : 'Not valid'}: ${file} (${counts})`].join('\n')
  },
  exitCode: (data) => ((data as Validation).valid ? 0 : 3),
})

const plan = defineCommand<Services>({
  name: 'plan',
  summary: 'Show what would be run for an agent, and where each value comes from; changes nothing',
  group: 'Agents',
  positionals: ['agent'],
  params: {
    agent: {
      type: 'string',
      summary: 'An enabled agent, or one of the catalog',
      required: true,
      complete: 'catalog',
      placeholder: 'agent',
    },
    profile: { type: 'string', summary: 'As it would be under this profile', placeholder: 'NAME' },
  },
  examples: [
    { run: 'ploinky plan demo --profile prod', does: 'image, mounts, variables, ports, hooks and order under prod' },
  ],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/agents/{agent}/plan' },
  async run(input, context) {
    const services = await context.services()
    const { profile } = input
    return await services.explain(String(input['agent']), typeof profile === 'string' ? profile : null)
  },
  render: (data) => renderPlan(data as ExplainedPlan),
})

/** Columns of equal width, two spaces between them; the last one, and what is long, are not padded. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const fits = (cell: string): number => (cell.length > MAX_COLUMN ? 0 : cell.length)
  const widths = rows[0]?.map((_, index) => Math.max(...rows.map((row) => fits(row[index] ?? '')))) ?? []
  return rows.map((row) => `  ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')}`.trimEnd())
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...columns(rows)]
}

function mcpRows({ mcp, calls }: ExplainedPlan): string[][] {
  const speaks = mcp.transport === 'stdio' ? `on standard streams: ${mcp.argv.join(' ')}` : `at ${mcp.path}`
  const called = calls.map(({ agent, tools }) => `${agent}${tools === null ? '' : ` (${tools.join(', ')})`}`)
  const { taskAfterSeconds: after } = mcp
  return [
    ['speaks MCP', speaks, 'mcp'],
    ...(after === undefined ? [] : [['a longer call is a task', `after ${after} s`, 'mcp.taskAfterSeconds']]),
    ['may call', called.join('; ') || 'no other agent', 'calls'],
  ]
}

function renderPlan(plan: ExplainedPlan): string {
  const { network, limits, security, readiness } = plan
  const extras = [
    ...(network.value.mode === 'networks'
      ? network.value.attachments.map(({ name, aliases }): string[] => [
          'network',
          [name, ...aliases].join(' '),
          network.from,
        ])
      : [['network', network.value.mode, network.from]]),
    ...mcpRows(plan),
    ['ready when', `${readiness.protocol}${readiness.port === null ? '' : ` on ${readiness.port}`}`, readiness.from],
    [
      'restart',
      `${plan.restart.policy}, ${plan.restart.maxRestarts} times in ${plan.restart.windowSeconds} s`,
      plan.restart.from,
    ],
    [
      'limits',
      `${limits.pids} processes${limits.memoryBytes === null ? '' : `, ${limits.memoryBytes} bytes`}${limits.cpus === null ? '' : `, ${limits.cpus} cpus`}`,
      limits.from,
    ],
    ...(security.privileged ? [['privileged', 'yes', security.from]] : []),
  ]
  return [
    `${plan.agent} (${plan.ref}) on ${plan.runtime}`,
    ...columns([
      ['manifest', plan.manifest, plan.profiles.length === 0 ? 'no profiles' : `profiles ${plan.profiles.join(', ')}`],
      ['image', plan.image.value ?? 'none', plan.image.from],
      [
        'command',
        plan.command.value === null ? "the image's own" : JSON.stringify(plan.command.value),
        plan.command.from,
      ],
      ['ports', plan.ports.value.join(' '), plan.ports.from],
      ...extras,
    ]),
    ...section(
      'Mounts',
      plan.mounts.map(({ source, target, mode, from }) => [target, mode, source, from]),
    ),
    ...section(
      'Variables',
      plan.env.map(({ name, value, from }) => [name, value === null ? '(secret)' : JSON.stringify(value), from]),
    ),
    ...section(
      'Missing',
      plan.missing.map(({ variable, neededBy: path }) => [variable, path, `ploinky var ${variable} <value>`]),
    ),
    ...section(
      'Hooks',
      plan.hooks.map(({ name, where, line, from }) => [name, where, line, from]),
    ),
    ...section(
      'Order',
      plan.order.map((names, index) => [String(index + 1), names.join(' ')]),
    ),
    ...section(
      'Warnings',
      plan.warnings.map((text) => [text]),
    ),
  ].join('\n')
}

const schema = defineCommand<Services>({
  name: 'schema',
  summary: 'The JSON Schema of a manifest, for editors',
  group: 'Agents',
  positionals: ['of'],
  params: { of: { type: 'string', summary: 'What it describes', choices: ['manifest'] } },
  examples: [
    { run: 'ploinky schema manifest', does: 'print it; the package ships it as dist/schemas/manifest.schema.json' },
  ],
  access: 'local',
  permission: 'read',
  run: async (_input, context) => (await context.services()).manifests.schema(),
  render: (data) => JSON.stringify(data, null, 2),
})

export const manifestCommands: readonly Command<Services>[] = [validate, plan, schema]
