/** The modern era: one program for all clients, whose ids and tokens never meet; headers that must agree with the body. */
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../helpers/eventually.ts'
import {
  call,
  createBridge,
  eventsOf,
  greet,
  post,
  VERSION,
  type Bridge,
  type BridgeOptions,
  type Handler,
  type Rpc,
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
const result = (value: object) => ({ resultType: 'complete', ...value })
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId'

describe('one program for all', () => {
  it('clients with the same ids and tokens never get what is meant for others', async () => {
    const ids = new Set<unknown>()
    const waiting: (() => Promise<void>)[] = []
    await open(({ id = 0, params }, { say }) => {
      ids.add(id)
      const progressToken = params?._meta?.['progressToken']
      waiting.push(async () => {
        for (let round = 0; round < 20; round++)
          await say({
            method: 'notifications/progress',
            params: { progressToken, progress: round, message: params?.['name'] },
          })
        await say({ id, result: result({ name: params?.['name'] }) })
      })
      if (waiting.length === 8) for (const answer of waiting.splice(0)) void answer()
    })
    const seen = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const request = { id: 1, method: 'tools/call', params: { name: `t${n}`, _meta: { progressToken: 0 } } }
        const messages: Rpc[] = []
        for await (const { data } of eventsOf(await call(bridge.url, request, { user: `u${n}` })))
          messages.push(JSON.parse(data) as Rpc)
        return messages
      }),
    )
    for (const [n, messages] of seen.entries()) {
      const last = messages.pop()
      expect(last).toEqual({ jsonrpc: '2.0', id: 1, result: result({ name: `t${n}` }) })
      expect(messages.map(({ params }) => [params?.['progressToken'], params?.['message']])).toEqual(
        Array.from({ length: 20 }, () => [0, `t${n}`]),
      )
    }
    expect([ids.size, bridge.started()]).toEqual([8, 1])
  })

  it('only ids are replaced', async () => {
    const seen: string[] = []
    await open(({ id = 0 }, { raw }, line) => {
      seen.push(line)
      return raw(`{"x":12345678901234567890,"id":${JSON.stringify(id)},"jsonrpc":"2.0", "result":{"é":"\\u00e9"}}\n`)
    })
    const meta = `{"io.modelcontextprotocol/protocolVersion":"${VERSION}","io.modelcontextprotocol/clientCapabilities":{},"big":9007199254740993}`
    const sent = `{"z":1.0,"params":{"a":[1e2],"_meta":${meta}},"id":12345678901234567890,"method":"odd/method","jsonrpc":"2.0"}`
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'odd/method' }
    const response = await post(bridge.url, sent, { headers })
    expect(await response.text()).toBe(
      '{"x":12345678901234567890,"id":12345678901234567890,"jsonrpc":"2.0", "result":{"é":"\\u00e9"}}',
    )
    expect(seen[0]?.replace(/"id":"[\w-]{16}"/, '"id":12345678901234567890')).toBe(sent)
  })

  it('a subscription carries its own id back, until its client leaves; the program is told then', async () => {
    const heard: Rpc[] = []
    await open(async (message, { say }) => {
      heard.push(message)
      if (message.method !== 'subscriptions/listen') return
      const _meta = { [SUBSCRIPTION]: message.id }
      await say({ method: 'notifications/subscriptions/acknowledged', params: { _meta } })
      await say({ method: 'notifications/tools/list_changed', params: { _meta } })
    })
    const stop = new AbortController()
    const response = await call(bridge.url, { id: 'mine', method: 'subscriptions/listen' }, { signal: stop.signal })
    const events = eventsOf(response)
    for (const method of ['notifications/subscriptions/acknowledged', 'notifications/tools/list_changed']) {
      const { value } = await events.next()
      expect(JSON.parse((value as { data: string }).data)).toMatchObject({
        method,
        params: { _meta: { [SUBSCRIPTION]: 'mine' } },
      })
    }
    stop.abort()
    await eventually(() => expect(heard.at(-1)?.method).toBe('notifications/cancelled'))
    expect(heard.at(-1)?.params?.['requestId']).toBe(heard[0]?.id)
  })

  it('what belongs to no one call goes to nobody when several could be meant', async () => {
    const held: (string | number)[] = []
    await open(async ({ id = 0 }, { say }) => {
      held.push(id)
      if (held.length < 2) return
      await say({ method: 'notifications/message', params: { data: 'whose?' } })
      for (const one of held) await say({ id: one, result: result({}) })
    })
    const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' }
    const texts = await Promise.all(
      ['a', 'b'].map(async (user) =>
        (await call(bridge.url, { id: 1, method: 'x', params: { _meta } }, { user })).text(),
      ),
    )
    for (const text of texts) expect(JSON.parse(text)).toEqual({ jsonrpc: '2.0', id: 1, result: result({}) })
  })

  it('a cancellation that is posted reaches calls of the same caller only', async () => {
    const heard: Rpc[] = []
    await open((message) => void heard.push(message))
    const stop = new AbortController()
    const pending = call(bridge.url, { id: 5, method: 'x' }, { user: 'ann', signal: stop.signal })
    await eventually(() => expect(heard).toHaveLength(1))
    const cancel = (user: string) =>
      call(bridge.url, { method: 'notifications/cancelled', params: { requestId: 5 } }, { user })
    expect((await cancel('bob')).status).toBe(202)
    expect((await cancel('ann')).status).toBe(202)
    expect(await (await pending).text()).toBe('')
    await eventually(() => expect(heard.map(({ method }) => method)).toEqual(['x', 'notifications/cancelled']))
    expect(heard[1]?.params?.['requestId']).toBe(heard[0]?.id)
  })

  it('a program that asks its clients is told that it cannot', async () => {
    const heard: Rpc[] = []
    await open(async (message, { say }) => {
      heard.push(message)
      if (message.method === 'x') await say({ id: 'q', method: 'sampling/createMessage', params: {} })
      else await say({ id: heard[0]?.id ?? 0, result: result({ code: message.error?.code }) })
    })
    const answer = (await (await call(bridge.url, { id: 1, method: 'x' })).json()) as Rpc
    expect(answer).toMatchObject({ id: 1, result: { code: -32601 } })
  })
})

describe('what is checked for the program', () => {
  const wrong: [what: string, request: Omit<Rpc, 'jsonrpc'>, headers: Record<string, string>, code: number][] = [
    ['another method', { id: 1, method: 'a' }, { 'mcp-method': 'b' }, -32020],
    ['another version', { id: 1, method: 'a' }, { 'mcp-protocol-version': '2027-01-01' }, -32020],
    ['an older version', { id: 1, method: 'a' }, { 'mcp-protocol-version': '2025-11-25' }, -32020],
    ['another name', { id: 1, method: 'tools/call', params: { name: 'a' } }, { 'mcp-name': 'b' }, -32020],
    ['a broken code', { id: 1, method: 'tools/call', params: { name: 'a' } }, { 'mcp-name': '=?base64?YQ=?=' }, -32020],
    [
      'a version that the program lacks',
      { id: 1, method: 'a', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': '2099-01-01' } } },
      { 'mcp-protocol-version': '2099-01-01' },
      -32022,
    ],
    [
      'no capabilities',
      { id: 1, method: 'a', params: { _meta: { 'io.modelcontextprotocol/clientCapabilities': null } } },
      {},
      -32602,
    ],
    [
      'a version that is no text',
      { id: 1, method: 'a', params: { _meta: { 'io.modelcontextprotocol/protocolVersion': 5 } } },
      {},
      -32602,
    ],
    ['an answer', { id: 1, result: {}, params: {} }, {}, -32600],
  ]
  it.each(wrong)('%s is refused', async (_what, request, headers, code) => {
    const heard: Rpc[] = []
    await open((message) => void heard.push(message))
    const response = await call(bridge.url, request, { headers })
    expect([response.status, ((await response.json()) as Rpc).error?.code]).toEqual([400, code])
    expect(heard).toEqual([])
  })

  it.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])('%s must be there', async (missing) => {
    await open(() => {})
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'a' }
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': VERSION,
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const body = { id: 1, method: 'tools/call', params: { name: 'a', _meta } }
    const left = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== missing))
    const response = await post(bridge.url, body, { headers: left })
    expect([response.status, ((await response.json()) as Rpc).error?.code]).toEqual([400, -32020])
  })

  it('a member that two programs would read in two ways', async () => {
    await open(() => {})
    const meta = `{"io.modelcontextprotocol/protocolVersion":"${VERSION}","io.modelcontextprotocol/clientCapabilities":{}}`
    const sent = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b","name":"a","_meta":${meta}}}`
    const headers = { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'a' }
    expect((await post(bridge.url, sent, { headers })).status).toBe(400)
  })

  it('arguments that a tool wants in headers, also when the tool changes', async () => {
    let header = 'Region'
    bridge = await createBridge({
      handler: async (message, speaker) => {
        const { id = 0, method } = message
        const properties = {
          place: { type: 'string', 'x-mcp-header': header },
          n: { type: 'integer', 'x-mcp-header': 'N' },
        }
        const tools = [{ name: 'go', inputSchema: { type: 'object', properties } }]
        if (method === 'tools/list') await speaker.say({ id, result: result({ tools }) })
        else if (!(await greet(message, speaker))) await speaker.say({ id, result: result({}) })
      },
    })
    const go = async (args: object, headers: Record<string, string>) => {
      const request = { id: 1, method: 'tools/call', params: { name: 'go', arguments: args } }
      return (await call(bridge.url, request, { headers })).status
    }
    expect(await go({ place: 'Zürich' }, { 'mcp-param-region': '=?base64?WsO8cmljaA==?=' })).toBe(200)
    expect(await go({ place: 'Zürich' }, { 'mcp-param-region': 'Bern' })).toBe(400)
    expect(await go({ place: 'Bern' }, {})).toBe(400)
    expect(await go({ place: null }, {})).toBe(200)
    expect(await go({ n: 42 }, { 'mcp-param-n': '42.0' })).toBe(200)
    expect(await go({ n: 42 }, { 'mcp-param-n': '43' })).toBe(400)
    header = 'Place'
    const { id } = (await (await call(bridge.url, { id: 1, method: 'tools/list' })).json()) as Rpc
    expect(id).toBe(1)
    expect(await go({ place: 'Bern' }, { 'mcp-param-place': 'Bern' })).toBe(200)
  })

  it('errors get the status of HTTP that belongs to them', async () => {
    const codes: Record<string, number> = { a: -32601, b: -32021, c: -32602, d: -32603 }
    await open(({ id = 0, method = '' }, { say }) => say({ id, error: { code: codes[method] ?? 0, message: method } }))
    const answers = await Promise.all(
      Object.keys(codes).map(async (method) => {
        const response = await call(bridge.url, { id: 1, method })
        return [response.status, ((await response.json()) as Rpc).error?.message]
      }),
    )
    expect(answers).toEqual([
      [404, 'a'],
      [400, 'b'],
      [200, 'c'],
      [200, 'd'],
    ])
  })

  it('a program of older revisions is told of as such, and keeps no process', async () => {
    bridge = await createBridge({
      handler: ({ id, method }, { say }) => {
        if (method === 'initialize') return say({ id: id ?? 0, result: { protocolVersion: '2025-06-18' } })
        return id === undefined ? undefined : say({ id, error: { code: -32601, message: 'No' } })
      },
    })
    for (let time = 0; time < 2; time++) {
      const response = await call(bridge.url, { id: 1, method: 'server/discover' })
      expect([response.status, ((await response.json()) as Rpc).error]).toMatchObject([
        400,
        { code: -32022, data: { supported: ['2025-06-18'], requested: VERSION } },
      ])
    }
    await eventually(() => expect([bridge.running(), bridge.started()]).toEqual([0, 1]))
  })
})
