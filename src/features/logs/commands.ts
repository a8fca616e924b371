/** `logs`: of agents and of the router, one or several as one. Light at import. */
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { LogEntry, LogQuery } from './types.ts'

type Context = CommandContext<Services>

const ROUTER = 'router'
/** Logs that are read at the same time. */
const MAX_SOURCES = 64
const DEFAULT_TAIL = 200

const timeParams: Readonly<Record<string, Param>> = {
  since: { type: 'string', summary: 'Only lines after: 10m, 2h, or a date', placeholder: 'TIME' },
  until: { type: 'string', summary: 'Only lines before: 10m, 2h, or a date', placeholder: 'TIME' },
}

const text = (input: Input, name: string): string => String(input[name] ?? '')

async function queryOf(input: Input, { services, signal }: Context): Promise<LogQuery> {
  const { logs } = await services()
  const time = (name: 'since' | 'until') =>
    input[name] === undefined ? {} : { [name]: logs.parseSince(text(input, name)) }
  const tail = input['lines'] ?? input['tail']
  return {
    ...{ follow: input['follow'] === true, signal },
    ...(typeof tail === 'number' ? { tail } : {}),
    ...time('since'),
    ...time('until'),
  }
}

/** Names as they are typed: `demo`, or `demo,planner,router`. */
async function sourcesOf(input: Input, { services }: Context): Promise<string[]> {
  const { registry } = await services()
  const words = text(input, 'source').split(',')
  const named = [...new Set(words.map((name) => name.trim()).filter((name) => name !== ''))]
  if (named.length > MAX_SOURCES)
    throw new PloinkyError('USAGE_INVALID', `Too many logs at once: ${named.length}, at most ${MAX_SOURCES}`)
  const known = await Promise.all(named.map(async (name) => (name === ROUTER ? name : (await registry.get(name)).name)))
  return known.length === 0 ? [ROUTER] : known
}

async function* readLogs(input: Input, context: Context): AsyncGenerator<LogEntry> {
  const { logs } = await context.services()
  const [names, query] = [await sourcesOf(input, context), await queryOf(input, context)]
  // A page stays open when an agent ends; a person at a terminal is told by the end of the command.
  yield* logs.read(names, query, { overRestarts: context.principal !== 'local' })
}

const logs = defineCommand<Services>({
  name: 'logs',
  summary: 'Log of an agent or of the router',
  group: 'Use an agent',
  positionals: ['source'],
  params: {
    source: {
      type: 'string',
      summary: 'An agent, or "router" (default); several with commas between them',
      complete: 'agents',
      placeholder: 'agent|router',
    },
    follow: { type: 'boolean', summary: 'Go on with new lines', short: 'f' },
    ...timeParams,
    lines: {
      type: 'integer',
      summary: 'Last lines only, of each',
      short: 'n',
      min: 0,
      max: 1_000_000,
      placeholder: 'N',
    },
  },
  examples: [
    { run: 'ploinky logs demo -f -n 20', does: 'the last 20 lines, then new ones' },
    { run: 'ploinky logs demo,router --since 10m', does: 'both of the last ten minutes, by time' },
  ],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/logs' },
  async run(input, context) {
    // What is wrong with the question is told before the answer begins.
    await Promise.all([sourcesOf(input, context), queryOf(input, context)])
    return readLogs(input, context)
  },
  render(data) {
    const { source, merged, text: line } = data as LogEntry
    return merged === true ? `${source} | ${line}` : line
  },
})

const agentLogs = defineCommand<Services>({
  name: 'agent logs',
  summary: 'Last lines of an agent’s log',
  group: 'Agents',
  hidden: true,
  positionals: ['agent'],
  params: {
    agent: { type: 'string', summary: 'Name of an enabled agent', required: true, complete: 'agents' },
    tail: { type: 'integer', summary: 'Lines (default 200)', min: 1, max: 10_000 },
    ...timeParams,
  },
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/agents/{agent}/logs' },
  async run(input, context) {
    const services = await context.services()
    const agent = await services.registry.get(text(input, 'agent'))
    const lines: LogEntry[] = []
    const query = { tail: DEFAULT_TAIL, ...(await queryOf(input, context)) }
    for await (const line of services.logs.agent(agent, query)) lines.push(line)
    return { lines }
  },
})

// The second is the tool `logs` for models as well: an answer that ends.
export const logCommands: readonly Command<Services>[] = [agentLogs, logs]
