/** `sessions` and `session end`: which browsers are signed in. */
import { columns, minute } from '../../core/columns.ts'
import { type Command, defineCommand } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import type { SessionView } from './sessions.ts'

const list = defineCommand<Services>({
  name: 'sessions',
  summary: 'Browsers that are signed in',
  group: 'Router',
  access: 'session',
  permission: 'admin',
  http: { method: 'GET', path: '/sessions' },
  fromRouter: '/api/v1/sessions',
  run: async (_input, context) => (await context.services()).sessions.list(context.session ?? null),
  render(data) {
    const views = data as readonly SessionView[]
    if (views.length === 0) return 'No browser is signed in\nNext: ploinky open'
    const rows = [
      ['SESSION', 'BROWSER', 'ADDRESS', 'SIGNED IN', 'LAST USED'],
      ...views.map(({ session, browser, address, openedAt, lastUsedAt }) => [
        ...[session, browser, address, minute(openedAt), minute(lastUsedAt)],
      ]),
    ]
    return columns(rows)
  },
})

const end = defineCommand<Services>({
  name: 'session end',
  summary: 'Sign a browser out',
  description:
    'It counts at once: what the browser has open, terminals too, is cut off. The programs in terminals go on.',
  group: 'Router',
  positionals: ['session'],
  params: {
    session: {
      type: 'string',
      summary: 'Id of a session (the beginning will do), of: ploinky sessions',
      placeholder: 'session',
    },
    others: { type: 'boolean', summary: 'All but the one that asks; in a terminal: all' },
  },
  examples: [
    { run: 'ploinky session end 4fb1', does: 'the browser of that session must sign in again' },
    { run: 'ploinky session end --others', does: 'all browsers' },
  ],
  access: 'session',
  permission: 'admin',
  http: { method: 'DELETE', path: '/sessions' },
  async run(input, context) {
    const { sessions, client } = await context.services()
    const [session, others] = [input['session'], input['others'] === true]
    if ((session === undefined) !== others)
      throw new PloinkyError('USAGE_INVALID', 'Say which session ends: one by its id, or --others', {
        hint: 'Run: ploinky sessions',
      })
    const current = context.session ?? null
    const which = others ? { allBut: current } : { session: String(session) }
    const ended = await sessions.end(which, { principal: context.principal, current })
    if (context.principal === 'local') await client.reload()
    return ended
  },
  render: (data) => `Ended: ${(data as readonly SessionView[]).map(({ session }) => session).join(', ') || 'none'}`,
})

export const sessionCommands: readonly Command<Services>[] = [list, end]
