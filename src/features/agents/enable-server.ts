/** `enable agent` for MCP servers that others publish: what the command line says, handed to the feature that makes agents. */
import type { CommandContext, Input, Param } from '../../cli/command.ts'
import { PloinkyError } from '../../core/error.ts'
import type { Services } from '../../services.ts'

const text = (input: Input, name: string): string => String(input[name] ?? '')
const rest = (input: Input, name: string): readonly string[] =>
  Array.isArray(input[name]) ? (input[name] as readonly string[]) : []

/** Parameters of `enable agent` for servers that others publish. */
export const SERVER_PARAMS: Readonly<Record<string, Param>> = {
  npm: { type: 'string', summary: 'Make an agent of a package of npm', placeholder: 'PACKAGE[@VERSION]' },
  pypi: { type: 'string', summary: 'Make an agent of a package of PyPI', placeholder: 'PACKAGE[==VERSION]' },
  image: { type: 'string', summary: 'Make an agent of an image', placeholder: 'REFERENCE' },
  command: { type: 'string', summary: 'Make an agent of a command (with --image: in that image)', placeholder: 'LINE' },
  http: { type: 'port', summary: 'It serves MCP over HTTP on this port; without it on stdin and stdout' },
  env: { type: 'rest', summary: "NAME, NAME=value or 'NAME=$VARIABLE'; again for more", placeholder: 'NAME[=VALUE]' },
  bin: { type: 'string', summary: 'Which program of the package', placeholder: 'NAME' },
  name: { type: 'string', summary: 'Name of the agent that is made', placeholder: 'NAME' },
}
const SOURCES = ['npm', 'pypi', 'image', 'command']

/** Whether a server of others is meant; USAGE_INVALID for what only such a one can be given. */
export function isServer(input: Input): boolean {
  if (SOURCES.some((name) => input[name] !== undefined)) return true
  const alone = Object.keys(SERVER_PARAMS).find((name) => input[name] !== undefined)
  if (alone === undefined) return false
  throw new PloinkyError('USAGE_INVALID', `"--${alone}" belongs to one of --npm, --pypi, --image and --command`, {
    hint: alone === 'name' ? 'For an agent of a repository: --as NAME' : 'Run: ploinky help enable agent',
  })
}

export async function enableServer(input: Input, context: CommandContext<Services>) {
  // What another may run on this machine is decided at this machine.
  if (context.principal !== 'local') {
    throw new PloinkyError('DENIED', 'Agents are made of published servers by the command line only', {
      hint: 'Run on the machine of the workspace: ploinky enable agent --npm PACKAGE',
    })
  }
  const [services, { enableServer: enable }] = await Promise.all([context.services(), import('../scaffold/index.ts')])
  await services.workspace.init()
  const optional = (name: string): string | null => (input[name] === undefined ? null : text(input, name))
  const words = {
    ...{ npm: optional('npm'), pypi: optional('pypi'), image: optional('image'), command: optional('command') },
    // Nothing is named but the source: all words are the server's own arguments.
    args: [...(input['agent'] === undefined ? [] : [text(input, 'agent')]), ...rest(input, 'words')],
    ...{ env: rest(input, 'env'), http: typeof input['http'] === 'number' ? input['http'] : null },
    ...{ bin: optional('bin'), name: optional('name') ?? optional('as') },
  }
  return await enable(services, words, {
    signal: context.signal,
    progress: (line) => context.out.progress(line, 'server'),
    confirm: context.confirm,
  })
}
