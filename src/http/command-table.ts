/** The table of commands as data, for pages that offer them: what this caller may do, and how it is said in a terminal. */
import type { Command, Param } from '../cli/command.ts'
import { isAllowed, type Principal } from '../core/principal.ts'

export interface DescribedParam extends Pick<
  Param,
  'type' | 'summary' | 'choices' | 'complete' | 'min' | 'max' | 'secret'
> {
  readonly name: string
  readonly required: boolean
  /** Given by its place in the line; the others as `--name`. */
  readonly positional: boolean
}

export interface DescribedCommand {
  readonly name: string
  readonly summary: string
  readonly description: string | null
  readonly group: string
  readonly permission: string
  readonly params: readonly DescribedParam[]
  /** Null: for a terminal only. */
  readonly http: { readonly method: string; readonly path: string } | null
  /** Ends, removes or cuts off something: a page asks first. */
  readonly destructive: boolean
}

const DESTRUCTIVE = /^(?:disable|destroy|shutdown|stop|restart|reinstall|revoke|token rotate|agent (?:stop|restart))\b/

/** Those of the command line alone have no `http`; hidden ones are left out unless they have. */
export function describeCommands<S>(commands: readonly Command<S>[], principal: Principal): DescribedCommand[] {
  return commands
    .filter(
      ({ permission, hidden, http }) => isAllowed(principal, permission) && (hidden !== true || http !== undefined),
    )
    .map((command) => ({
      name: command.name,
      summary: command.summary,
      description: command.description ?? null,
      group: command.group,
      permission: command.permission,
      params: paramsOf(command),
      http: command.access === 'session' ? (command.http ?? null) : null,
      destructive: command.http?.method === 'DELETE' || DESTRUCTIVE.test(command.name),
    }))
}

/** In the order in which they are typed. */
function paramsOf<S>({ params = {}, positionals = [] }: Command<S>): DescribedParam[] {
  const names = [...positionals, ...Object.keys(params).filter((name) => !positionals.includes(name))]
  return names.flatMap((name) => {
    const param = params[name]
    if (param === undefined) return []
    const { type, summary, choices, complete, min, max, secret } = param
    const extras = { choices, complete, min, max, secret }
    const given = Object.entries(extras).filter(([, value]) => value !== undefined)
    return [
      {
        ...{ name, type, summary, required: param.required === true, positional: positionals.includes(name) },
        ...(Object.fromEntries(given) as Partial<typeof extras>),
      } as DescribedParam,
    ]
  })
}
