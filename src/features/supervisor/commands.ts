/** `stats`: what agents use, once or again and again. */
import { columns } from '../../core/columns.ts'
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { delay } from '../../core/time.ts'
import type { Services } from '../../services.ts'
import type { AgentStats } from './stats.ts'

const FOLLOW_MS = 2000
const agentParam: Param = {
  type: 'string',
  summary: 'Name of an enabled agent',
  complete: 'agents',
  placeholder: 'agent',
}

async function measure(input: Input, context: CommandContext<Services>): Promise<AgentStats[]> {
  const { registry, stats } = await context.services()
  const name = input['agent']
  return await stats.of(typeof name === 'string' ? [await registry.get(name)] : await registry.list(), context.signal)
}

async function* follow(input: Input, context: CommandContext<Services>): AsyncGenerator<AgentStats[]> {
  while (!context.signal.aborted) {
    yield await measure(input, context)
    await delay(FOLLOW_MS, context.signal).catch(() => {})
  }
}

const stats = defineCommand<Services>({
  name: 'stats',
  summary: 'What agents use: processor, memory, processes; and how long they run',
  group: 'Use an agent',
  positionals: ['agent'],
  params: {
    agent: { ...agentParam, summary: 'Only this agent' },
    follow: { type: 'boolean', summary: 'Again every two seconds', short: 'f' },
  },
  examples: [{ run: 'ploinky stats demo -f', does: 'measure the demo agent again and again' }],
  access: 'local',
  permission: 'read',
  run: (input, context) => (input['follow'] === true ? follow(input, context) : measure(input, context)),
  render: (data) => statsText(data as readonly AgentStats[]),
})

const agentStats = defineCommand<Services>({
  name: 'agent stats',
  summary: 'What one agent uses',
  group: 'Agents',
  hidden: true,
  positionals: ['agent'],
  params: { agent: { ...agentParam, required: true } },
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/agents/{agent}/stats' },
  run: async (input, context) => (await measure(input, context))[0],
})

const UNKNOWN = '-'
const MIB = 1024 * 1024

function durationText(seconds: number | null): string {
  if (seconds === null) return UNKNOWN
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

function statsText(list: readonly AgentStats[]): string {
  const rows = list.map(({ agent, state, cpuPercent, memoryBytes, pids, uptimeSeconds, restarts }) => [
    agent,
    state,
    cpuPercent === null ? UNKNOWN : `${cpuPercent.toFixed(1)} %`,
    memoryBytes === null ? UNKNOWN : `${(memoryBytes / MIB).toFixed(1)} MiB`,
    pids === null ? UNKNOWN : String(pids),
    durationText(uptimeSeconds),
    String(restarts),
  ])
  if (rows.length === 0) return 'No agent is enabled'
  const all = [['AGENT', 'STATE', 'CPU', 'MEMORY', 'PIDS', 'UPTIME', 'RESTARTS'], ...rows]
  return columns(all)
}

export const supervisorCommands: readonly Command<Services>[] = [stats, agentStats]
