/** The answer of an agent to one call: what comes before its end, and its end. */
import { isObject, parseObject } from '../../../core/json.ts'
import { CODES } from '../../../core/mcp.ts'
import { TaskError } from '../../../agent/tasks.ts'
import { isEventStream } from '../answers.ts'
import { textOf } from '../ask.ts'
import { readEvents } from '../sse.ts'
import type { UpstreamAnswer } from '../upstream.ts'

type Json = Record<string, unknown>

/** What ends a call, as it came and as it reads. */
export interface CallEnd {
  readonly answer: UpstreamAnswer
  /** Of the message; of the whole body, where that is no event stream. */
  readonly text: string
  /** Null: no JSON. */
  readonly message: Json | null
}

export interface AnswerListener {
  /** A stream began: it may be long. */
  opened(answer: UpstreamAnswer): void
  /** An event that is not the end, with its text; null: nothing that can be read. */
  event(raw: string, message: Json | null): Promise<void> | void
}

/** @throws Error an agent that breaks off */
export async function readEnd(
  id: string | number,
  answer: UpstreamAnswer,
  { opened, event }: AnswerListener,
): Promise<CallEnd> {
  if (!isEventStream(answer)) {
    const text = await textOf(answer)
    return { answer, text, message: parseObject(text) }
  }
  opened(answer)
  for await (const { raw, data } of readEvents(answer.body)) {
    const message = data === null ? null : parseObject(data)
    if (data !== null && message?.['id'] === id && message['method'] === undefined)
      return { answer, text: data, message }
    await event(raw, message)
  }
  throw new Error('The agent ended its answer before the result')
}

/** The result in a message. @throws TaskError the error in it */
export function resultOf({ message, answer: { status } }: CallEnd): Json {
  const { result, error } = message ?? {}
  if (isObject(result)) return result
  const { code, message: text } = isObject(error) ? error : {}
  throw new TaskError(
    Number.isInteger(code) ? (code as number) : CODES.internal,
    typeof text === 'string' ? text : `The agent answered HTTP ${status} with neither a result nor an error`,
  )
}
