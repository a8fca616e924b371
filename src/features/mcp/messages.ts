/** JSON-RPC as far as the router looks at it: one object, its method and id. */
import { FIRST_MODERN, META } from '../../core/mcp.ts'
import { parseJson, isObject } from '../../core/json.ts'

export interface RpcMessage {
  readonly method: string | null
  /** Absent: a notification. */
  readonly id: string | number | undefined
  readonly params: Readonly<Record<string, unknown>>
}

/** Null: not one JSON-RPC message (broken, or a batch); whoever speaks MCP tells what is wrong with it. */
export function readMessage(text: string): RpcMessage | null {
  const json = parseJson(text)
  if (!json.ok || !isObject(json.value)) return null
  const { method, id, params } = json.value
  return {
    method: typeof method === 'string' ? method : null,
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    params: isObject(params) ? params : {},
  }
}

/** The era is chosen from the request itself; an `initialize` without a version in `_meta` is always an older one. */
export function isStateless(message: RpcMessage, header: string | undefined): boolean {
  const meta = message.params['_meta']
  const version = isObject(meta) ? meta[META.version] : undefined
  if (typeof version === 'string') return version >= FIRST_MODERN
  return message.method !== 'initialize' && header !== undefined && header >= FIRST_MODERN
}

/** `_meta` of a request that the router makes itself. */
export const ownMeta = (version: string): Record<string, unknown> => ({
  [META.version]: FIRST_MODERN,
  [META.client]: { name: 'ploinky', version },
  [META.capabilities]: {},
})

/** The result with this id in an answer: a JSON body, or a message of an event stream; null when there is none. */
export function resultIn(contentType: string, text: string, id: string | number): Record<string, unknown> | null {
  const texts = contentType.startsWith('text/event-stream') ? eventData(text) : [text]
  for (const item of texts) {
    const json = parseJson(item)
    if (json.ok && isObject(json.value) && json.value['id'] === id && isObject(json.value['result']))
      return json.value['result']
  }
  return null
}

/** Data of each event of a complete stream. */
function eventData(text: string): string[] {
  return text.split(/\r?\n\r?\n/).flatMap((event) => {
    const data = event
      .split(/\r?\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).replace(/^ /, ''))
    return data.length === 0 ? [] : [data.join('\n')]
  })
}
