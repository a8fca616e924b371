/** Who did what: one event for each change that somebody asked for by the API or over MCP, and for each that was refused. */
import type { Command, Input } from '../../cli/command.ts'
import { afterwards } from '../../core/afterwards.ts'
import { asPloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'

/** Names of things, which may be told. Everything else that a command is given may be a secret. */
const TOLD = ['agent', 'name', 'caller', 'calls', 'source', 'repo', 'ref', 'tool']
const MAX_TOLD = 200

export interface Audited {
  readonly command: Pick<Command<never>, 'name'>
  readonly input: Input
  readonly principal: string
}

function told(input: Input): Record<string, unknown> {
  return Object.fromEntries(
    TOLD.flatMap((name) => {
      const value = input[name]
      if (value === undefined) return []
      return [[name, Array.isArray(value) ? value.slice(0, 20) : String(value).slice(0, MAX_TOLD)]]
    }),
  )
}

const subjectOf = (input: Input): string => String(input['agent'] ?? input['caller'] ?? input['name'] ?? 'workspace')

/** Passes the result on, and tells afterwards how it came out. */
export async function audited<T>(events: EventBus, { command, input, principal }: Audited, result: Promise<T>) {
  const began = performance.now()
  const tell = (type: string, data: Record<string, unknown>): void => {
    const milliseconds = Math.round(performance.now() - began)
    const about = { command: command.name, ...told(input), ...data, milliseconds }
    events.emit({ type, subject: subjectOf(input).slice(0, MAX_TOLD), principal, data: about })
  }
  try {
    const value = await result
    tell('command.done', {})
    return value
  } catch (error) {
    const { code, message } = asPloinkyError(error)
    tell('command.failed', { code, message: message.slice(0, MAX_TOLD) })
    throw error
  }
}

type Result = Promise<unknown> | AsyncIterable<unknown>

/**
 * What somebody asked for from outside. A look passes as it is. A change is audited, and counts (`settle`) before its answer
 * says so.
 */
export function answered(
  events: EventBus,
  asked: Audited & { readonly command: Pick<Command<never>, 'http'> },
  { result, settle }: { result: Result; settle(): Promise<unknown> },
): Result {
  if (asked.command.http?.method === 'GET' || !(result instanceof Promise)) return result
  return audited(events, asked, afterwards(result, settle))
}
