/** News of one agent: what it tells by itself, in either era, for as long as somebody wants to know. */
import { pause } from '../../../core/time.ts'
import { isEventStream } from '../answers.ts'
import { META } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import type { AgentAccess } from '../access.ts'
import { type Caller, sendModern } from './call.ts'
import type { Eras } from './eras.ts'
import { openLink } from './link.ts'
import { type Json, LEGACY_VERSIONS } from './message.ts'
import { readEvents } from '../sse.ts'
import type { UpstreamAnswer } from '../upstream.ts'

/** What is wanted, in the words of `subscriptions/listen`. */
export interface Filter {
  readonly toolsListChanged?: boolean
  readonly promptsListChanged?: boolean
  readonly resourcesListChanged?: boolean
  readonly resourceSubscriptions?: readonly string[]
}

export interface WatchOptions {
  readonly access: AgentAccess
  readonly eras: Eras
  readonly caller: Caller
  readonly filter: Filter
  /** What the agent will tell of what is wanted; called once, also when that is nothing. */
  onAck(honoured: Filter): void
  onNotification(method: string, params: Json): void
}

const FIRST_WAIT_MS = 1000
const LONGEST_WAIT_MS = 30_000

/** Runs until the caller's signal aborts, the agent changes, or it has nothing to tell. Never rejects. */
export async function watchAgent(agent: string, options: WatchOptions): Promise<void> {
  const { access, eras, caller } = options
  const instance = access.instance(agent)
  let isAcknowledged = false
  const onAck = (honoured: Filter): void => {
    if (!isAcknowledged) options.onAck(honoured)
    isAcknowledged = true
  }
  let wait = FIRST_WAIT_MS
  while (access.tells(agent) && !caller.signal.aborted && access.instance(agent) === instance) {
    const began = performance.now()
    try {
      const era = await eras.of(agent, caller)
      const follow = era === 'modern' ? followModern : followLegacy
      if (!(await follow(agent, { ...options, onAck }))) break
    } catch {
      // Not reached, or cut off: tried again.
    }
    if (caller.signal.aborted) break
    onAck({})
    if (performance.now() - began > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS
    await pause(wait, caller.signal)
    wait = Math.min(LONGEST_WAIT_MS, wait * 2)
  }
  onAck({})
}

/** True: worth trying again. */
async function followModern(agent: string, options: WatchOptions): Promise<boolean> {
  const { access, caller, filter } = options
  const answer = await sendModern(access, agent, {
    ...{ method: 'subscriptions/listen', params: { notifications: filter }, caller },
  })
  if (!isEventStream(answer)) return false
  for await (const message of messagesOf(answer)) {
    const { method } = message
    const params = objectOf(message['params'])
    if (method === 'notifications/subscriptions/acknowledged')
      options.onAck(objectOf(params['notifications']) as Filter)
    else if (typeof method === 'string') options.onNotification(method, params)
    // The agent ends the subscription by answering it.
    else return Object.keys(filter).length > 0
  }
  return true
}

async function followLegacy(agent: string, options: WatchOptions): Promise<boolean> {
  const { access, caller, filter } = options
  const { principal, signal, requestId } = caller
  const client = {
    ...{ principal, version: LEGACY_VERSIONS[0], capabilities: {} },
    info: caller.meta[META.client] ?? { name: 'ploinky', version: '1' },
  }
  const link = await openLink(access, agent, { client, signal, requestId })
  try {
    const answer = await link.listen(null, signal)
    if (!isEventStream(answer)) return false
    const honoured: string[] = []
    for (const uri of filter.resourceSubscriptions ?? [])
      await link.request('resources/subscribe', { uri }, { signal, requestId }).then(
        () => honoured.push(uri),
        () => {},
      )
    options.onAck({ ...filter, resourceSubscriptions: honoured })
    for await (const message of messagesOf(answer))
      if (typeof message['method'] === 'string') options.onNotification(message['method'], objectOf(message['params']))
    return true
  } finally {
    link.end()
  }
}

async function* messagesOf(answer: UpstreamAnswer): AsyncGenerator<Json> {
  for await (const { data } of readEvents(answer.body)) {
    if (data === null || data === '') continue
    const message: unknown = JSON.parse(data)
    if (isObject(message)) yield message
  }
}
