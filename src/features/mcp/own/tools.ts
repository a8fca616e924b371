/** Our own commands as tools: those of the API, by the role of the caller. */
import type { Command, Input } from '../../../cli/command.ts'
import type { Principal } from '../../../core/principal.ts'
import { inputSchemaOf } from '../../../http/command-schema.ts'

export interface OwnTool<S> {
  readonly name: string
  readonly command: Command<S>
  readonly definition: {
    readonly name: string
    readonly title: string
    readonly description: string
    readonly inputSchema: { readonly type: 'object' }
    readonly annotations: Readonly<Record<string, boolean>>
  }
}

/** Runs a command for a caller; `progress` hears what it is doing. */
export type RunCommand<S> = (
  command: Command<S>,
  input: Input,
  call: { principal: Principal; signal: AbortSignal; progress: (text: string) => void },
) => Promise<unknown> | AsyncIterable<unknown>

/** They take or show values of secrets, or are decisions of a person: nothing for a model. */
const KEPT_OUT = new Set(['var', 'vars', 'expose', 'allow', 'token rotate', 'config', 'mcp config'])

/** `agent start` is `start`: which agent is an argument. */
const toolName = (command: string): string =>
  command
    .split(' ')
    .filter((word) => word !== 'agent')
    .join('_')
    .replace(/[^A-Za-z0-9_-]/g, '_')

export function ownTools<S>(commands: readonly Command<S>[]): OwnTool<S>[] {
  const tools = commands.flatMap((command): OwnTool<S>[] => {
    const { http, access, summary, description } = command
    if (http === undefined || access !== 'session' || KEPT_OUT.has(command.name)) return []
    const name = toolName(command.name)
    const isRead = http.method === 'GET'
    const annotations = {
      readOnlyHint: isRead,
      ...(isRead ? {} : { destructiveHint: http.method === 'DELETE' || /(?:^|_)(?:stop|restart)$/.test(name) }),
      openWorldHint: false,
    }
    const text = description === undefined ? summary : `${summary}. ${description}`
    const definition = { name, title: summary, description: text, inputSchema: inputSchemaOf(command), annotations }
    return [{ name, command, definition }]
  })
  return tools.filter(({ name }, index) => tools.findIndex((tool) => tool.name === name) === index)
}
