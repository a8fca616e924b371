/** `metrics`: the last hour of the running router. Light at import. */
import { columns } from '../../core/columns.ts'
import { type Command, defineCommand } from '../../cli/command.ts'
import type { Services } from '../../services.ts'
import type { MetricsReport, Series } from './index.ts'

const DEFAULT_STEP = 60

const metrics = defineCommand<Services>({
  name: 'metrics',
  summary: 'The last hour of each agent: processor, memory, requests, how long they took',
  description:
    'Requests and errors (status 500 and more) are counts of a step, times are milliseconds until an answer began. The router keeps them in memory.',
  group: 'Router',
  params: {
    agent: {
      type: 'string',
      summary: 'Only these, with commas between them',
      complete: 'agents',
      placeholder: 'agent',
    },
    step: { type: 'integer', summary: 'Seconds that a value stands for (default 60)', min: 10, max: 600 },
  },
  examples: [{ run: 'ploinky metrics --agent demo --json', does: 'every minute of the last hour' }],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/metrics' },
  async run(input, context) {
    const { metrics: kept, client } = await context.services()
    const agents = String(input['agent'] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
    const stepSeconds = typeof input['step'] === 'number' ? input['step'] : DEFAULT_STEP
    if (kept !== null) return kept.read({ agents: agents.length === 0 ? null : agents, stepSeconds })
    const query = new URLSearchParams({ step: String(stepSeconds) })
    if (agents.length > 0) query.set('agent', agents.join(','))
    return await client.get(`/api/v1/metrics?${query.toString()}`)
  },
  render: (data) => textOf(data as MetricsReport),
})

const NOTHING = '-'
const MIB = 1024 * 1024

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)
const lastOf = (values: readonly (number | null)[]): number | undefined => known(values).at(-1)
const sumOf = (values: readonly (number | null)[]): number => known(values).reduce((a, b) => a + b, 0)
const shown = (value: number | undefined, digits: number, unit: string): string =>
  value === undefined ? NOTHING : `${value.toFixed(digits)}${unit}`

function row(name: string, { cpuPercent, memoryBytes, requests, errors, p50Ms, p95Ms }: Series): string[] {
  const memory = lastOf(memoryBytes)
  return [
    name,
    shown(lastOf(cpuPercent), 1, ' %'),
    shown(memory === undefined ? undefined : memory / MIB, 1, ' MiB'),
    String(sumOf(requests)),
    String(sumOf(errors)),
    shown(lastOf(p50Ms), 1, ' ms'),
    shown(lastOf(p95Ms), 1, ' ms'),
  ]
}

function textOf({ agents, total }: MetricsReport): string {
  if (total === null) return 'Nothing measured yet: a slot is ten seconds'
  const rows = [
    ['AGENT', 'CPU', 'MEMORY', 'REQUESTS', 'ERRORS', 'P50', 'P95'],
    ...agents.map(({ agent, ...series }) => row(agent, series)),
    row('all', total),
  ]
  return `${columns(rows)}\nRequests and errors of the last hour; the others as they were last`
}

export const metricsCommands: readonly Command<Services>[] = [metrics]
