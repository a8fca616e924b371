/**
 * What an agent whose tools are locked may not slip past the lock. A list of tools is asked for with `tools/list` and looked at
 * there; clients take an answer by its id alone, whatever stream or request it comes with, so a list in any other answer is kept
 * from them: on the stream of GET, beside the answer to another call, in an array of messages.
 */
import { CODES } from '../../core/mcp.ts'
import { PloinkyError } from '../../core/error.ts'
import { isObject, parseJson } from '../../core/json.ts'
import { textOf } from './ask.ts'
import { changeEvent, readEvents } from './sse.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** Of an answer that is no stream of events, in bytes; it is read whole. */
const MAX_BYTES = 32 * 1024 * 1024

type Id = string | number | undefined

/** Answers are read here: one in an encoding that nobody asked for could say anything. */
export function assertReadable(agent: string, { headers, body }: UpstreamAnswer): void {
  const encoding = (headers.get('content-encoding') ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity') return
  void body[Symbol.asyncIterator]().return?.(undefined)
  throw new PloinkyError(
    'UPSTREAM_UNREACHABLE',
    `Agent "${agent}" answers in the encoding ${JSON.stringify(encoding.slice(0, 40))}, which was not asked for`,
    { hint: 'Its tools are locked, so its answers are read: let it answer without encoding' },
  )
}

/** The answer without lists of tools; `id` is that of the request that it answers. */
export function screened(answer: UpstreamAnswer, id: Id): UpstreamAnswer {
  // As the official clients tell them apart.
  const type = (answer.headers.get('content-type') ?? '').toLowerCase()
  if (type.includes('text/event-stream')) return { ...answer, body: screenedEvents(answer.body, id) }
  return type.includes('application/json') ? { ...answer, body: screenedText(answer, id) } : answer
}

const isList = (message: unknown): boolean =>
  isObject(message) && isObject(message['result']) && Object.hasOwn(message['result'], 'tools')

/** Null: nothing may be told. */
function screenedMessage(text: string, id: Id): string | null {
  const json = parseJson(text)
  if (!json.ok) return text
  const messages: unknown[] = Array.isArray(json.value) ? json.value : [json.value]
  if (!messages.some(isList)) return text
  const isAnswer = messages.some((message) => isList(message) && (message as { id?: unknown }).id === id)
  // Who waits for it must not wait for ever.
  if (id !== undefined && isAnswer) return JSON.stringify({ jsonrpc: '2.0', id, error: REFUSED })
  return null
}

const REFUSED = {
  code: CODES.invalidParams,
  message: 'The tools of this agent are locked, and were not asked for here',
}

async function* screenedEvents(body: AsyncIterable<Uint8Array>, id: Id): AsyncGenerator<Uint8Array> {
  for await (const event of readEvents(body)) {
    const { raw, data } = event
    const told = data === null ? null : screenedMessage(data, id)
    if (data !== null && told === null) continue
    const text = told === null || told === data ? raw : changeEvent(event, { data: told })
    yield Buffer.from(`${text}\n\n`)
  }
}

async function* screenedText(answer: UpstreamAnswer, id: Id): AsyncGenerator<Uint8Array> {
  const text = await textOf(answer, MAX_BYTES)
  if (text !== '') yield Buffer.from(screenedMessage(text, id) ?? '')
}
