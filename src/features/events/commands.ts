/** `events`: what happened in the workspace, newest first, or as it happens. Light at import. */
import { type CommandContext, type Command, defineCommand, type Input } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { EventFilter, EventPage, EventRecord, Outcome } from './index.ts'

type Context = CommandContext<Services>

const OUTCOMES = ['ok', 'failed', 'refused']
const DEFAULT_LIMIT = 50

const listIn = (input: Input, name: string): string[] =>
  String(input[name] ?? '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

async function filterOf(input: Input, context: Context): Promise<EventFilter> {
  const { logs } = await context.services()
  const [types, agents] = [listIn(input, 'type'), listIn(input, 'agent')]
  const time = (name: string) => (input[name] === undefined ? {} : { [name]: logs.parseSince(String(input[name])) })
  return {
    ...(types.length === 0 ? {} : { types }),
    ...(agents.length === 0 ? {} : { agents }),
    ...(input['principal'] === undefined ? {} : { principal: String(input['principal']) }),
    ...(input['outcome'] === undefined ? {} : { outcome: input['outcome'] as Outcome }),
    ...(input['audit'] === true ? { audit: true } : {}),
    ...time('since'),
    ...time('until'),
  }
}

async function* follow(input: Input, context: Context): AsyncGenerator<EventRecord> {
  const { eventLog } = await context.services()
  yield* eventLog.follow(await filterOf(input, context), { last: limitOf(input), signal: context.signal })
}

const limitOf = (input: Input): number => (typeof input['limit'] === 'number' ? input['limit'] : DEFAULT_LIMIT)

const events = defineCommand<Services>({
  name: 'events',
  summary: 'What happened in the workspace and who asked for it, newest first',
  group: 'Workspace',
  params: {
    type: { type: 'string', summary: 'Only these: agent.started, or agent. for all of them', placeholder: 'TYPE' },
    agent: { type: 'string', summary: 'Only of this agent', complete: 'agents', placeholder: 'agent' },
    principal: {
      type: 'string',
      summary: 'Only what this one asked for: operator, local, agent:NAME',
      placeholder: 'WHO',
    },
    outcome: { type: 'string', summary: 'Only what came out so', choices: OUTCOMES },
    audit: { type: 'boolean', summary: 'Only what somebody asked for' },
    since: { type: 'string', summary: 'Only after: 10m, 2h, or a date', placeholder: 'TIME' },
    until: { type: 'string', summary: 'Only before: 10m, 2h, or a date', placeholder: 'TIME' },
    limit: { type: 'integer', summary: 'At most (default 50)', short: 'n', min: 1, max: 1000, placeholder: 'N' },
    before: { type: 'string', summary: 'Go on where an answer ended: its "next"', placeholder: 'PLACE' },
    follow: { type: 'boolean', summary: 'The last ones, oldest first, then new ones', short: 'f' },
  },
  examples: [
    { run: 'ploinky events --agent demo --since 1h', does: 'the last hour of the demo agent' },
    { run: 'ploinky events --audit -f', does: 'watch who does what' },
  ],
  access: 'session',
  permission: 'read',
  http: { method: 'GET', path: '/events/log' },
  async run(input, context) {
    const filter = await filterOf(input, context)
    if (input['follow'] === true) {
      if (context.principal === 'local') return follow(input, context)
      throw new PloinkyError('REQUEST_INVALID', 'The event log is not followed at this address', {
        hint: 'Read the stream of /api/v1/events',
      })
    }
    const cursor = input['before'] === undefined ? {} : { cursor: String(input['before']) }
    return await (await context.services()).eventLog.page({ filter, limit: limitOf(input), ...cursor })
  },
  render(data) {
    if (!('events' in (data as object))) return lineOf(data as EventRecord)
    const { events: found, next } = data as EventPage
    if (found.length === 0) return 'Nothing has happened'
    const more = next === null ? [] : [`More: ploinky events --before ${next}`]
    return [...found.map(lineOf), ...more].join('\n')
  },
})

function lineOf({ at, type, subject, principal, outcome, data }: EventRecord): string {
  const reason = data['message'] ?? data['reason'] ?? data['command'] ?? data['tool']
  const parts = [at, type, subject, principal === null ? '' : `by ${principal}`, outcome === 'ok' ? '' : outcome]
  return [...parts, typeof reason === 'string' ? reason : ''].filter((part) => part !== '').join('  ')
}

export const eventCommands: readonly Command<Services>[] = [events]
