/** Reads the answer to one request: a JSON body, or a stream of events that ends with it. */
import type { IncomingMessage } from 'node:http'
import { isObject } from '../../core/json.ts'
import { AgentClientError } from './error.ts'
import type { Progress } from './types.ts'

/** More than a router or an agent sends in one message. */
const MAX_BYTES = 64 * 1024 * 1024

export interface RpcAnswer {
  readonly id?: unknown
  readonly result?: Record<string, unknown>
  readonly error?: { code?: number; message?: string; data?: unknown }
}

/** Pieces of text as they come. A connection that breaks is told as such: nobody knows what became of the call. */
async function* texts(incoming: IncomingMessage): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let size = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > MAX_BYTES) throw new AgentClientError('PROTOCOL_ERROR', `The answer is larger than ${MAX_BYTES} bytes`)
      yield decoder.decode(chunk, { stream: true })
    }
  } catch (error) {
    if (error instanceof AgentClientError) throw error
    throw new AgentClientError('CONNECTION_LOST', 'The answer broke off', { cause: error })
  }
}

export async function readText(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of texts(incoming)) text += part
  return text
}

/** Data of each event. */
async function* events(incoming: IncomingMessage): AsyncGenerator<string> {
  let rest = ''
  let data: string[] = []
  for await (const part of texts(incoming)) {
    const lines = (rest + part).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5))
      if (line !== '') continue
      if (data.length > 0) yield data.join('\n')
      data = []
    }
  }
}

function parse(text: string, status: number | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch {
    // Told below.
  }
  throw new AgentClientError('PROTOCOL_ERROR', `The answer is not a JSON-RPC message (HTTP ${status})`, { status })
}

/** The answer to request `id`; progress on the way goes to `onProgress`. */
export async function readAnswer(
  incoming: IncomingMessage,
  id: number,
  onProgress: ((progress: Progress) => void) | undefined,
): Promise<RpcAnswer> {
  const status = incoming.statusCode
  const type = incoming.headers['content-type'] ?? ''
  if (!type.startsWith('text/event-stream')) return toAnswer(parse(await readText(incoming), status), status)
  for await (const data of events(incoming)) {
    if (data.trim() === '') continue
    const message = parse(data, status)
    if (message['method'] === 'notifications/progress' && isObject(message['params'])) {
      const { progress, total, message: text } = message['params']
      if (typeof progress === 'number')
        onProgress?.({
          progress,
          ...(typeof total === 'number' ? { total } : {}),
          ...(typeof text === 'string' ? { message: text } : {}),
        })
    }
    if (message['id'] === id && !('method' in message)) {
      incoming.destroy()
      return toAnswer(message, status)
    }
  }
  throw new AgentClientError('CONNECTION_LOST', 'The answer broke off', { status })
}

function toAnswer(message: Record<string, unknown>, status: number | undefined): RpcAnswer {
  const { error } = message
  // Of the router itself: one shape, with a code in words.
  if (isObject(error) && typeof error['code'] === 'string') {
    const details = isObject(error['details']) ? error['details'] : {}
    const hint = typeof details['suggestion'] === 'string' ? `. ${details['suggestion']}` : ''
    throw new AgentClientError(error['code'], `${String(error['message'])}${hint}`, { status, data: details })
  }
  return message as RpcAnswer
}
