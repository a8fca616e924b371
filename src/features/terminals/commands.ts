/** `terminals`, `attach` and `terminal …`: sessions of the router, from a terminal or over HTTP. */
import { columns } from '../../core/columns.ts'
import { type Command, type CommandContext, defineCommand, type Input, type Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'
import { recordingCommands } from './recording-commands.ts'
import type { NewShare, ShareView } from './service.ts'
import type { TtyView } from './protocol.ts'

const SESSION: Param = {
  type: 'string',
  summary: 'Id of a terminal (the beginning will do), or its name',
  required: true,
  placeholder: 'session',
}
const DAY_SECONDS = 86_400
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: DAY_SECONDS }
const LONGEST_SHARE_SECONDS = 30 * DAY_SECONDS

const text = (input: Input, name: string): string => String(input[name] ?? '')
const optional = (input: Input, name: string): string | null => (input[name] === undefined ? null : text(input, name))

/** `90s`, `30m`, `1h` or `2d`, in seconds. */
export function parseDuration(words: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(words) ?? []
  const seconds = Number(amount) * (UNITS[unit] ?? 0)
  if (seconds >= 1 && seconds <= LONGEST_SHARE_SECONDS) return seconds
  throw new PloinkyError('USAGE_INVALID', `Invalid time ${JSON.stringify(words.slice(0, 40))}`, {
    hint: 'Use 90s, 30m, 1h or 2d, up to 30d',
  })
}

const list = defineCommand<Services>({
  name: 'terminals',
  summary: 'Open terminals of agents',
  group: 'Use an agent',
  access: 'session',
  permission: 'operate',
  http: { method: 'GET', path: '/terminals' },
  run: async (_input, context) => (await context.services()).terminals.list(),
  render(data) {
    const views = data as readonly TtyView[]
    if (views.length === 0) return 'No terminal is open\nNext: ploinky terminal new demo'
    const rows = views.map(({ id, agent, name, command, peers, recording }) => [
      ...[id, agent, name, command, `${peers.length} looking${recording ? ', recorded' : ''}`],
    ])
    return columns(rows)
  },
})

async function attachTo(context: CommandContext<Services>, target: { session: string; agent?: string }) {
  const services = await context.services()
  const { attach } = await import('./attach.ts')
  return await attach(services, { ...target, signal: context.signal })
}

const exitCode = (data: unknown): number => (data as { exitCode?: number | null }).exitCode ?? 0

const attach = defineCommand<Services>({
  name: 'attach',
  summary: 'Join an open terminal from this one',
  description:
    'Everybody who has joined sees the same. Ctrl-] and then d leaves it open and goes. The exit code is that of the program when it ends meanwhile.',
  group: 'Use an agent',
  positionals: ['session'],
  params: { session: SESSION },
  examples: [{ run: 'ploinky attach build', does: 'the terminal that is called "build"' }],
  access: 'local',
  permission: 'operate',
  run: (input, context) => attachTo(context, { session: text(input, 'session') }),
  render: (data) => ((data as { detached?: boolean }).detached === true ? 'Detached: the terminal goes on' : ''),
  exitCode,
})

const create = defineCommand<Services>({
  name: 'terminal new',
  summary: 'Open a terminal that goes on when nobody looks at it',
  description:
    'Runs the interactive program of the agent unless told otherwise, and joins it; with --detached it is only opened.',
  group: 'Use an agent',
  positionals: ['agent'],
  params: {
    agent: {
      type: 'string',
      summary: 'Name of a running agent',
      required: true,
      complete: 'agents',
      placeholder: 'agent',
    },
    command: {
      type: 'string',
      summary: 'cli (default), shell, or a program that terminalCommands allows',
      placeholder: 'NAME',
    },
    name: { type: 'string', summary: 'What it is called in lists', placeholder: 'NAME' },
    detached: { type: 'boolean', summary: 'Do not join it' },
  },
  examples: [{ run: 'ploinky terminal new demo --command shell --name build', does: 'a shell to come back to' }],
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/terminals' },
  async run(input, context) {
    const { terminals, platform } = await context.services()
    const isHere = context.principal === 'local' && input['detached'] !== true
    if (isHere) (await import('./attach.ts')).requireTerminal(platform)
    const command = optional(input, 'command')
    const view = await terminals.open(
      { agent: text(input, 'agent'), command, name: optional(input, 'name') },
      context.principal,
    )
    return isHere ? await attachTo(context, { session: view.id, agent: view.agent }) : view
  },
  render: (data) => {
    const { id, detached } = data as Partial<TtyView> & { detached?: boolean }
    if (id !== undefined) return `Open: ${id}\nNext: ploinky attach ${id}`
    return detached === true ? 'Detached: the terminal goes on' : ''
  },
  exitCode,
})

const end = defineCommand<Services>({
  name: 'terminal end',
  summary: 'End a terminal and all that runs in it',
  group: 'Use an agent',
  positionals: ['session'],
  params: { session: SESSION },
  access: 'session',
  permission: 'operate',
  http: { method: 'DELETE', path: '/terminals/{session}' },
  run: async (input, context) => (await context.services()).terminals.end(text(input, 'session'), context.principal),
  render: (data) => `Ended: ${(data as TtyView).name}`,
})

const rename = defineCommand<Services>({
  name: 'terminal rename',
  summary: 'Give a terminal another name',
  group: 'Use an agent',
  positionals: ['session', 'name'],
  params: { session: SESSION, name: { type: 'string', summary: 'The new name', required: true, placeholder: 'name' } },
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/terminals/{session}/name' },
  run: async (input, context) =>
    (await context.services()).terminals.rename(text(input, 'session'), text(input, 'name').slice(0, 80)),
  render: (data) => `Renamed: ${(data as TtyView).name}`,
})

const share = defineCommand<Services>({
  name: 'terminal share',
  summary: 'Make a link to a terminal for somebody without a sign-in',
  description:
    'The link is shown once. It opens this terminal and nothing else, until it expires, is taken back, or the terminal ends.',
  group: 'Use an agent',
  positionals: ['session'],
  params: {
    session: SESSION,
    role: { type: 'string', summary: 'viewer (default) sees, editor types too', choices: ['viewer', 'editor'] },
    expires: { type: 'string', summary: 'Time that it lasts: 30m, 1h (default), 2d', placeholder: 'TIME' },
  },
  examples: [{ run: 'ploinky terminal share build --role editor --expires 30m', does: 'a colleague can type' }],
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/terminals/{session}/shares' },
  async run(input, context) {
    const { terminals, client, router } = await context.services()
    const role = text(input, 'role') === 'editor' ? 'editor' : 'viewer'
    const options = { role, seconds: parseDuration(optional(input, 'expires') ?? '1h') } as const
    const made = await terminals.share(text(input, 'session'), options, context.principal)
    const info = await router.info()
    return info === null ? made : { ...made, url: `${client.baseUrl(info)}${made.path}` }
  },
  render: (data) => {
    const { url, path, role, expiresAt } = data as NewShare & { url?: string }
    return `${url ?? path}\nRole ${role}, until ${expiresAt}`
  },
})

const shares = defineCommand<Services>({
  name: 'terminal shares',
  summary: 'Links to a terminal that are open',
  group: 'Use an agent',
  positionals: ['session'],
  params: { session: SESSION },
  access: 'session',
  permission: 'operate',
  http: { method: 'GET', path: '/terminals/{session}/shares' },
  run: async (input, context) => (await context.services()).terminals.shares(text(input, 'session')),
})

const unshare = defineCommand<Services>({
  name: 'terminal unshare',
  summary: 'Take back the links to a terminal, and end the connections that came by them',
  group: 'Use an agent',
  positionals: ['session'],
  params: {
    session: SESSION,
    share: { type: 'string', summary: 'Only this one, of: terminal shares', placeholder: 'ID' },
  },
  access: 'session',
  permission: 'operate',
  http: { method: 'DELETE', path: '/terminals/{session}/shares' },
  run: async (input, context) =>
    (await context.services()).terminals.unshare(text(input, 'session'), optional(input, 'share'), context.principal),
  render: (data) => `Taken back: ${(data as readonly ShareView[]).length}`,
})

const record = defineCommand<Services>({
  name: 'terminal record',
  summary: 'Record what a terminal shows, or stop it',
  description: 'What is typed is not recorded, but what the program shows of it is.',
  group: 'Use an agent',
  positionals: ['session', 'state'],
  params: {
    session: SESSION,
    state: { type: 'string', summary: 'on (default) or off', choices: ['on', 'off'], placeholder: 'on|off' },
  },
  access: 'session',
  permission: 'operate',
  http: { method: 'POST', path: '/terminals/{session}/recording' },
  run: async (input, context) =>
    (await context.services()).terminals.record(text(input, 'session'), input['state'] !== 'off', context.principal),
  render: (data) => {
    const { name, recording } = data as TtyView
    return recording ? `Records: ${name}` : `Recorded: ${name}\nNext: ploinky terminal recordings`
  },
})

export const terminalCommands: readonly Command<Services>[] = [
  ...[list, attach, create, end, rename, share, shares, unshare, record],
  ...recordingCommands,
]
