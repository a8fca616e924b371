/** Sessions of the legacy era: one program each, messages unchanged, each on the stream that it belongs to. */
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../helpers/eventually.ts'
import {
  createBridge,
  eventsOf,
  greet,
  headersOf,
  initialize,
  post,
  type Bridge,
  type BridgeOptions,
  type Handler,
  type Speaker,
} from '../../../helpers/mcp-stdio.ts'

let bridge: Bridge
afterEach(() => bridge[Symbol.asyncDispose]())
const open = async (handler: Handler, options: Omit<BridgeOptions, 'handler'> = {}): Promise<void> => {
  bridge = await createBridge({
    ...options,
    handler: async (message, speaker, line) => {
      if (!(await greet(message, speaker))) await handler(message, speaker, line)
    },
  })
}
const listen = (session: string, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(bridge.url, {
    headers: headersOf({ session, headers: { accept: 'text/event-stream', ...headers } }),
    signal: signal ?? null,
  })
const end = (session: string, user?: string): Promise<Response> =>
  fetch(bridge.url, { method: 'DELETE', headers: headersOf({ session, ...(user === undefined ? {} : { user }) }) })

describe('a session', () => {
  it('has a program of its own, belongs to its owner, and ends', async () => {
    await open(({ id = 0 }, { say, number }) => say({ id, result: { number } }))
    const [first, second] = [await initialize(bridge.url), await initialize(bridge.url)]
    const ask = async (session: string, user?: string) => {
      const response = await post(
        bridge.url,
        { id: 1, method: 'x' },
        { session, ...(user === undefined ? {} : { user }) },
      )
      return [response.status, ((await response.json()) as { result?: { number: number } }).result?.number]
    }
    expect(await ask(first)).toEqual([200, 1])
    expect(await ask(second)).toEqual([200, 2])
    expect(await ask(first, 'bob')).toEqual([404, undefined])
    expect((await end(first, 'bob')).status).toBe(404)
    expect((await listen('made-up')).status).toBe(404)
    expect((await end(first)).status).toBe(200)
    expect(await ask(first)).toEqual([404, undefined])
    expect((await end(first)).status).toBe(404)
    expect(await ask(second)).toEqual([200, 2])
    await eventually(() => expect(bridge.running()).toBe(1))
  })

  it('without an id, with a version of the other era, or with something that is no message, is refused', async () => {
    await open(({ id = 0 }, { say }) => say({ id, result: {} }))
    const session = await initialize(bridge.url)
    const status = async (body: object | string, headers: Record<string, string> = {}, named = true) =>
      (await post(bridge.url, body, { headers, ...(named ? { session } : {}) })).status
    expect(await status({ id: 1, method: 'x' }, {}, false)).toBe(400)
    expect(await status({ id: 1, method: 'x' }, { 'mcp-protocol-version': '2025-06-18' })).toBe(200)
    expect(await status({ id: 1, method: 'x' }, { 'mcp-protocol-version': 'new' })).toBe(400)
    expect(await status('{"jsonrpc":"2.0"')).toBe(400)
    expect(await status('{"id":1,"method":"x"}')).toBe(400)
    expect(await status('[{"jsonrpc":"2.0","id":1,"method":"x"}]')).toBe(400)
    expect(await status({ id: 1, method: 'x' }, { 'content-type': 'text/plain' })).toBe(415)
    expect(await status({ id: 1, method: 'x' }, { accept: 'text/html' })).toBe(406)
    expect(await status(`"${'x'.repeat(1024 * 1024)}"`)).toBe(413)
    expect((await fetch(bridge.url, { method: 'PUT' })).status).toBe(405)
    expect((await fetch(bridge.url, { headers: { accept: 'text/event-stream' } })).status).toBe(405)
  })

  it('does not begin when the program refuses', async () => {
    bridge = await createBridge({
      handler: ({ id = 0 }, { say }) => say({ id, error: { code: -32602, message: 'No' } }),
    })
    const response = await post(bridge.url, { id: 1, method: 'initialize', params: {} })
    expect(response.headers.get('mcp-session-id')).toBeNull()
    expect(await response.json()).toMatchObject({ id: 1, error: { message: 'No' } })
    await eventually(() => expect(bridge.running()).toBe(0))
  })

  it('is one of a limited number', async () => {
    await open(() => {}, { pids: 32 })
    const first = await initialize(bridge.url)
    await initialize(bridge.url)
    const refused = await post(bridge.url, { id: 1, method: 'initialize', params: {} })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30'])
    expect(await refused.json()).toMatchObject({ id: 1, error: { code: -32000 } })
    await end(first)
    await initialize(bridge.url)
  })

  it('ends when nobody used it for its idle time', async () => {
    await open(() => {}, { idleSeconds: 0 })
    await initialize(bridge.url)
    await eventually(() => expect(bridge.running()).toBe(0))
  })
})

describe('messages', () => {
  it('pass unchanged in both directions', async () => {
    const seen: string[] = []
    const odd =
      '{"result": {"n":12345678901234567890,"x":1.0,"_meta":{"?":null}},\t"jsonrpc":"2.0","id":"1", "more":[]}'
    await open((_message, { raw }, line) => {
      seen.push(line)
      return raw(`${odd}\r\n`)
    })
    const session = await initialize(bridge.url)
    const sent = '{"id":"1","jsonrpc":"2.0", "method":"any/thing","params":{"a":9007199254740993,"é":"\\u00e9"},"z":0}'
    const response = await post(bridge.url, sent, { session })
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['application/json', odd])
    expect(seen).toEqual([sent])
    await (await post(bridge.url, '{"jsonrpc":"2.0",\n"id":"1",\n"method":"x"}', { session })).text()
    expect(seen[1]).toBe('{"jsonrpc":"2.0", "id":"1", "method":"x"}')
  })

  it('of two calls at once each go to their own; ids 1 and "1" are two', async () => {
    const held: (string | number)[] = []
    await open(async ({ id = 0 }, { say }) => {
      held.push(id)
      if (held.length < 2) return
      for (const one of held.toReversed()) await say({ id: one, result: { one } })
    })
    const session = await initialize(bridge.url)
    const answers = await Promise.all(
      [1, '1'].map(async (id) => (await post(bridge.url, { id, method: 'x' }, { session })).json()),
    )
    expect(answers).toEqual([1, '1'].map((id) => ({ jsonrpc: '2.0', id, result: { one: id } })))
  })

  it('an id that is under way is refused', async () => {
    await open(() => {})
    const session = await initialize(bridge.url)
    const stop = new AbortController()
    const first = post(bridge.url, { id: 1, method: 'x' }, { session, signal: stop.signal })
    await eventually(async () => {
      const second = await post(bridge.url, { id: 1, method: 'x' }, { session, signal: AbortSignal.timeout(2000) })
      expect(second.status).toBe(400)
    })
    stop.abort()
    await expect(first).rejects.toThrow()
  })

  it('progress, logs and questions come before the answer, on the stream of their call', async () => {
    let ask: Speaker | null = null
    await open(async (message, speaker) => {
      const { id = 0, method, params } = message
      if (method === 'tools/call') {
        ask = speaker
        await speaker.say({
          method: 'notifications/progress',
          params: { progressToken: params?._meta?.['progressToken'], progress: 1 },
        })
        await speaker.say({ id: 'q1', method: 'sampling/createMessage', params: {} })
        return
      }
      if (method === undefined) await ask?.say({ id: 7, result: { heard: message.result ?? null, id } })
    })
    const session = await initialize(bridge.url)
    const params = { name: 'x', _meta: { progressToken: 'p' } }
    const events = eventsOf(await post(bridge.url, { id: 7, method: 'tools/call', params }, { session }))
    const next = async () =>
      JSON.parse(((await events.next()).value as { data: string }).data) as { method?: string; id?: unknown }
    expect(await next()).toMatchObject({ method: 'notifications/progress' })
    const question = await next()
    expect(question).toMatchObject({ id: 'q1', method: 'sampling/createMessage' })
    const told = await post(bridge.url, { id: 'q1', result: { text: 'hi' } }, { session })
    expect([told.status, await told.text()]).toEqual([202, ''])
    expect(await next()).toEqual({ jsonrpc: '2.0', id: 7, result: { heard: { text: 'hi' }, id: 'q1' } })
    expect((await events.next()).done).toBe(true)
  })

  it('of two calls with progress never cross', async () => {
    const calls: { id: string | number; token: unknown }[] = []
    await open(async ({ id = 0, params }, { say }) => {
      calls.push({ id, token: params?._meta?.['progressToken'] })
      if (calls.length < 2) return
      for (let round = 0; round < 20; round++)
        for (const { token } of calls)
          await say({ method: 'notifications/progress', params: { progressToken: token, progress: round } })
      for (const one of calls) await say({ id: one.id, result: { token: one.token } })
    })
    const session = await initialize(bridge.url)
    const tokensOf = async (id: number): Promise<unknown[]> => {
      const params = { _meta: { progressToken: `p${id}` } }
      const tokens: unknown[] = []
      for await (const { data } of eventsOf(
        await post(bridge.url, { id, method: 'tools/call', params }, { session }),
      )) {
        const message = JSON.parse(data) as { params?: { progressToken: unknown }; result?: { token: unknown } }
        tokens.push(message.params?.progressToken ?? message.result?.token)
      }
      return tokens
    }
    const [one, two] = await Promise.all([tokensOf(1), tokensOf(2)])
    expect(one).toEqual(Array.from({ length: 21 }, () => 'p1'))
    expect(two).toEqual(Array.from({ length: 21 }, () => 'p2'))
  })
})

describe('the stream of a session', () => {
  it('brings what belongs to no call, also what came before it was opened, and goes on where it broke off', async () => {
    let speaker: Speaker | null = null
    await open((_message, given) => void (speaker = given))
    const session = await initialize(bridge.url)
    const say = async (n: number): Promise<void> => speaker?.say({ method: 'notifications/message', params: { n } })
    expect((await post(bridge.url, { method: 'notifications/x' }, { session })).status).toBe(202)
    await eventually(() => expect(speaker).not.toBeNull())
    await say(1)
    const stop = new AbortController()
    const stream = await listen(session, {}, stop.signal)
    expect(stream.headers.get('content-type')).toBe('text/event-stream')
    const events = eventsOf(stream)
    const first = await nextMessage(events)
    await say(2)
    const second = await nextMessage(events)
    expect([first.n, second.n]).toEqual([1, 2])
    stop.abort()
    await events.next().catch(() => {})
    await say(3)
    const again = eventsOf(await listen(session, { 'last-event-id': first.id ?? '' }))
    expect([(await nextMessage(again)).n, (await nextMessage(again)).n]).toEqual([2, 3])
    expect((await listen(session, { 'last-event-id': '0-999999' })).status).toBe(400)
    expect((await listen(session, { 'last-event-id': 'odd' })).status).toBe(400)
  })

  it('gives the answer to a call whose connection broke; going away is no cancellation', async () => {
    const heard: string[] = []
    let answer = async (): Promise<void> => {}
    await open(async ({ method = '' }, given) => {
      heard.push(method)
      answer = () => given.say({ id: 1, result: { done: true } })
      await given.say({ method: 'notifications/message', params: { n: 1 } })
    })
    const session = await initialize(bridge.url)
    const stop = new AbortController()
    const events = eventsOf(await post(bridge.url, { id: 1, method: 'slow' }, { session, signal: stop.signal }))
    const { id } = await nextMessage(events)
    stop.abort()
    await events.next().catch(() => {})
    await answer()
    const stream = eventsOf(await listen(session, { 'last-event-id': id ?? '' }))
    await eventually(async () => {
      const { value } = await stream.next()
      expect(JSON.parse((value as { data: string }).data)).toMatchObject({ id: 1, result: { done: true } })
    })
    expect((await stream.next()).done).toBe(true)
    expect(heard).toEqual(['slow'])
  })
})

/** The next event that carries something; places to go on from do not. */
async function nextMessage(events: ReturnType<typeof eventsOf>): Promise<{ n: unknown; id: string | null }> {
  for (;;) {
    const { value, done } = await events.next()
    if (done === true) throw new Error('the stream ended')
    if (value.data === '') continue
    const { params } = JSON.parse(value.data) as { params?: { n?: unknown } }
    return { n: params?.n, id: value.id }
  }
}
