/** `subscriptions/listen` at an endpoint of many agents: one stream of what all of them tell. */
import { pause } from '../../../core/time.ts'
import { META } from '../../../core/mcp.ts'
import { isObject, objectOf } from '../../../core/json.ts'
import { PloinkyError } from '../../../core/error.ts'
import type { McpExchange } from '../../../http/mcp-exchange.ts'
import type { AgentAccess } from '../access.ts'
import type { Caller } from './call.ts'
import type { Eras } from './eras.ts'
import { invalidParams } from './failure.ts'
import type { Index, Lists } from './lists.ts'
import { type Json, type Message } from './message.ts'
import { type EventStream, openStream } from './respond.ts'
import { messageEvent } from '../sse.ts'
import type { View } from './view.ts'
import { type Filter, watchAgent } from './watch.ts'

const MAX_STREAMS = 1024
const MAX_URIS = 1000
/** How long agents may take to say what they will tell, before the client hears what is known by then. */
const ACK_MS = 3000
const FLAGS = {
  toolsListChanged: 'notifications/tools/list_changed',
  promptsListChanged: 'notifications/prompts/list_changed',
  resourcesListChanged: 'notifications/resources/list_changed',
} as const
type Flag = keyof typeof FLAGS
const flagNames = Object.keys(FLAGS) as Flag[]

export interface ListenOptions {
  readonly access: AgentAccess
  readonly eras: Eras
  readonly lists: Lists
  readonly index: Index
  /** `_meta` of every result of ours. */
  readonly about: Json
}

interface Wanted {
  readonly flags: readonly Flag[]
  /** By agent: its own URI -> the one that the client knows. */
  readonly uris: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** Makes the view anew: agents come and go while a client listens. */
export type MakeView = () => View

export function createListening(options: ListenOptions) {
  const open = new Set<() => void>()
  return {
    async serve(exchange: McpExchange, message: Message, given: { caller: Caller; view: MakeView }): Promise<void> {
      if (open.size >= MAX_STREAMS)
        throw new PloinkyError('RATE_LIMITED', 'Too many subscriptions are open', { hint: 'Close some and try again' })
      const filter = message.params['notifications']
      if (!isObject(filter)) throw invalidParams('"notifications" is missing')
      const wanted = await whatIsWanted(filter, { ...given, access: options.access })
      const subscription = createSubscription({ ...options, ...given, wanted, id: message.id })
      open.add(subscription.end)
      const stream = openStream(exchange)
      stream.closed.addEventListener('abort', () => open.delete(subscription.end), { once: true })
      exchange.outgoing.once('close', () => open.delete(subscription.end))
      await subscription.run(stream)
    },
    /** The router stops: clients are told, and end by themselves. */
    close: () => open.forEach((end) => end()),
    size: () => open.size,
  }
}

async function whatIsWanted(
  filter: Json,
  { view, caller, access }: { view: MakeView; caller: Caller; access: AgentAccess },
): Promise<Wanted> {
  const given = filter['resourceSubscriptions']
  const list = (Array.isArray(given) ? given : []).filter((uri) => typeof uri === 'string').slice(0, MAX_URIS)
  const uris = new Map<string, Map<string, string>>()
  for (const uri of list) {
    // One that nobody has is not honoured, which the acknowledgement says.
    const found = await view()
      .findUri('resources', uri)
      .catch(() => null)
    if (found === null || !access.mayCall(caller.principal, found.agent, `resource:${found.name}`)) continue
    const own = uris.get(found.agent) ?? new Map<string, string>()
    uris.set(found.agent, own.set(found.name, uri))
  }
  return { flags: flagNames.filter((flag) => filter[flag] === true), uris }
}

interface SubscriptionOptions extends ListenOptions {
  readonly caller: Caller
  readonly view: MakeView
  readonly wanted: Wanted
  readonly id: unknown
}

function createSubscription(options: SubscriptionOptions) {
  const { access, wanted, caller, id } = options
  const ended = new AbortController()
  const meta = { [META.subscription]: id }
  const waiting: string[] = []
  let stream: EventStream | null = null

  const tell = (method: string, params: Json = {}): void => {
    const event = messageEvent({
      jsonrpc: '2.0',
      method,
      params: { ...params, _meta: { ...objectOf(params['_meta']), ...meta } },
    })
    if (stream === null) waiting.push(event)
    else stream.write(event)
  }

  function onNotification(agent: string, method: string, params: Json): void {
    const flag = flagNames.find((name) => FLAGS[name] === method)
    if (flag !== undefined) {
      options.lists.drop(agent)
      options.index.drop(agent)
      if (wanted.flags.includes(flag)) tell(method, params)
    } else if (method === 'notifications/resources/updated') {
      const uri = wanted.uris.get(agent)?.get(String(params['uri']))
      if (uri !== undefined) tell(method, { ...params, uri })
    }
  }

  /** Watches an agent; resolves with the URIs, as the client knows them, that it will tell about. */
  function watch(agent: string, signal: AbortSignal): Promise<readonly string[]> {
    const own = wanted.uris.get(agent)
    const filter: Filter = {
      ...Object.fromEntries(wanted.flags.map((flag) => [flag, true])),
      ...(own === undefined ? {} : { resourceSubscriptions: [...own.keys()] }),
    }
    if (Object.keys(filter).length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      void watchAgent(agent, {
        ...{ access, eras: options.eras, caller: { ...caller, signal }, filter },
        onAck: ({ resourceSubscriptions: uris }) =>
          resolve((Array.isArray(uris) ? uris : []).flatMap((uri: string) => own?.get(uri) ?? [])),
        onNotification: (method, params) => onNotification(agent, method, params),
      })
    })
  }

  return {
    end: () => ended.abort(),
    async run(out: EventStream): Promise<void> {
      const signal = AbortSignal.any([out.closed, ended.signal])
      const watching = followAgents(options, signal, watch)
      const stopFollowing = access.onChange(() => {
        if (watching.refresh()) for (const flag of wanted.flags) tell(FLAGS[flag])
      })
      signal.addEventListener('abort', stopFollowing, { once: true })
      const honoured = await Promise.race([watching.begun, pause(ACK_MS, signal).then(() => watching.soFar())])
      const resourceSubscriptions = honoured.length === 0 ? {} : { resourceSubscriptions: honoured }
      const notifications = {
        ...Object.fromEntries(wanted.flags.map((flag) => [flag, true])),
        ...resourceSubscriptions,
      }
      stream = out
      tell('notifications/subscriptions/acknowledged', { notifications })
      waiting.forEach((event) => out.write(event))
      if (Object.keys(notifications).length > 0) await aborted(signal)
      else ended.abort()
      if (out.closed.aborted) return
      out.write(
        messageEvent({ jsonrpc: '2.0', id, result: { resultType: 'complete', _meta: { ...options.about, ...meta } } }),
      )
      out.end()
    },
  }
}

/** Keeps one watch for each agent that can be called, whoever comes and goes. */
function followAgents(
  { access, view }: SubscriptionOptions,
  signal: AbortSignal,
  watch: (agent: string, signal: AbortSignal) => Promise<readonly string[]>,
) {
  const watched = new Map<string, { instance: string; stop: AbortController }>()
  const honoured: string[] = []
  const begun: Promise<unknown>[] = []

  function refresh(): boolean {
    const current = view()
    const agents = new Set([...current.agents('tools'), ...current.agents('prompts'), ...current.agents('resources')])
    let isChanged = false
    for (const [agent, { instance, stop }] of watched) {
      if (agents.has(agent) && access.instance(agent) === instance && access.obstacle(agent) === null) continue
      stop.abort()
      watched.delete(agent)
      isChanged = true
    }
    for (const agent of agents) {
      if (watched.has(agent) || access.obstacle(agent) !== null) continue
      const stop = new AbortController()
      watched.set(agent, { instance: access.instance(agent), stop })
      begun.push(watch(agent, AbortSignal.any([signal, stop.signal])).then((uris) => honoured.push(...uris)))
      isChanged = true
    }
    return isChanged
  }
  refresh()
  return { refresh, begun: Promise.all(begun).then(() => honoured), soFar: () => honoured }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
