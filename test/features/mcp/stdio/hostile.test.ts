/** Programs and clients that misbehave: each pays for itself, and memory stays bounded. */
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../../helpers/eventually.ts'
import {
  call,
  createBridge,
  eventsOf,
  greet,
  headersOf,
  initialize,
  post,
  VERSION,
  type Bridge,
  type BridgeOptions,
  type Handler,
  type Rpc,
} from '../../../helpers/mcp-stdio.ts'

const KIB = 1024
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
const errorOf = async (response: Response): Promise<Rpc['error']> => ((await response.json()) as Rpc).error

describe('a program', () => {
  it('that prints other things is still understood; they are logged, but not all of them', async () => {
    await open(async ({ id = 0 }, { say, raw }) => {
      await raw('Server is up\n{not json}\n"text"\n[1]\n{"a":1}\n\n')
      await raw('noise\u001b[31m\n'.repeat(1000))
      await say({ id, result: { fine: true } })
    })
    const session = await initialize(bridge.url)
    const response = await post(bridge.url, { id: 1, method: 'x' }, { session })
    expect(await response.json()).toMatchObject({ result: { fine: true } })
    const lines = bridge.logged.filter(({ msg }) => msg.includes('no message'))
    expect(lines.map(({ text }) => text)).toContain('Server is up')
    expect(lines.length).toBeLessThanOrEqual(20)
    expect(JSON.stringify(lines)).not.toContain('\\u001b')
  })

  it('that is gone in the middle of calls: each is answered, in both eras, and later calls find another', async () => {
    await open(async ({ id = 0, method }, { process: program, say }) => {
      if (method === 'die') program.exit(3)
      else if (method === 'live') await say({ id, result: {} })
    })
    const session = await initialize(bridge.url)
    const pending = [1, 2].map((id) => post(bridge.url, { id, method: 'wait' }, { session }))
    const modern = [1, 2].map((id) => call(bridge.url, { id, method: 'wait' }))
    await eventually(() => expect(bridge.running()).toBe(2))
    const last = [post(bridge.url, { id: 3, method: 'die' }, { session }), call(bridge.url, { id: 3, method: 'die' })]
    for (const response of await Promise.all([...pending, ...modern, ...last]))
      expect(await errorOf(response)).toMatchObject({
        code: -32603,
        message: expect.stringContaining('code 3') as string,
      })
    expect((await post(bridge.url, { id: 4, method: 'live' }, { session })).status).toBe(404)
    expect((await call(bridge.url, { id: 4, method: 'live' })).status).toBe(200)
  })

  it('that cannot be run is told of at once', async () => {
    bridge = await createBridge({ handler: (_message, { process: program }) => program.exit(127) })
    const response = await post(bridge.url, { id: 1, method: 'initialize', params: {} })
    expect(response.headers.get('mcp-session-id')).toBeNull()
    expect((await errorOf(response))?.message).toContain('cannot be run')
    expect((await call(bridge.url, { id: 1, method: 'x' })).status).toBe(503)
  })

  it('that sends a line without an end is ended', async () => {
    await open(
      async (_message, { raw }) => {
        for (let n = 0; n < 100; n++) await raw(`{"x":"${'x'.repeat(KIB)}`)
      },
      { bodyLimit: 64 * KIB },
    )
    const session = await initialize(bridge.url)
    const response = await post(bridge.url, { id: 1, method: 'x' }, { session })
    expect((await errorOf(response))?.message).toContain(`larger than ${64 * KIB} bytes`)
    await eventually(() => expect(bridge.running()).toBe(0))
  })

  it('that answers what was never asked, or twice, or in two ways, confuses nobody', async () => {
    await open(async ({ id = 0 }, { say, raw }) => {
      await say({ id: 'made up', result: {} })
      await say({ id, result: { n: 1 } })
      await say({ id, result: { n: 2 } })
      await raw(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"id":"b","result":{}}\n`)
    })
    const answers = await Promise.all(
      [1, 2, 3].map(async (id) => ((await (await call(bridge.url, { id, method: 'x' })).json()) as Rpc).result),
    )
    expect(answers).toEqual([{ n: 1 }, { n: 1 }, { n: 1 }])
  })

  it('that does not read holds its clients back: their messages stay on the wire', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let heard = 0
    const handler: Handler = async ({ id = 0 }, { say }) => {
      heard += 1
      await held
      await say({ id, result: {} })
    }
    await open(handler, { bodyLimit: 32 * KIB * KIB })
    const session = await initialize(bridge.url)
    const body = (id: number, size: number) => ({ id, method: 'x', params: { pad: 'x'.repeat(size) } })
    const first = [1, 2, 3, 4].map((id) => post(bridge.url, body(id, 700 * KIB), { session }))
    await eventually(() => expect(heard).toBe(1))
    // The queue is full by now: what comes next is not read from its connection. It is more than the system keeps for a reader.
    const late = await half(bridge.url, session, JSON.stringify({ jsonrpc: '2.0', ...body(5, 20 * KIB * KIB) }))
    await still(() => KIB * KIB * 30 - late.unsent())
    expect(late.unsent()).toBeGreaterThan(0)
    release()
    for (const response of await Promise.all(first)) expect(response.status).toBe(200)
    await eventually(() => expect(late.received()).toContain('"id":5,"result"'))
    late.close()
  })
})

describe('a client', () => {
  it('that does not read its stream holds its own program back', async () => {
    let sent = 0
    await open(async ({ id = 0 }, { say }) => {
      for (; sent < 400; sent++) await say({ method: 'notifications/message', params: { data: 'x'.repeat(64 * KIB) } })
      await say({ id, result: {} })
    })
    const session = await initialize(bridge.url)
    const response = await post(bridge.url, { id: 1, method: 'x' }, { session })
    const settled = await still(() => sent)
    expect(settled).toBeLessThan(300)
    const messages: Rpc[] = []
    for await (const { data } of eventsOf(response)) messages.push(JSON.parse(data) as Rpc)
    expect([sent, messages.length]).toEqual([400, 401])
  })

  it('that sends a message with a member that others would read differently gets nothing of theirs', async () => {
    const heard: string[] = []
    await open(async ({ id = 0, method }, { say }, line) => {
      heard.push(line)
      if (method === 'y') await say({ id, result: {} })
    })
    const stop = new AbortController()
    const pending = call(bridge.url, { id: 1, method: 'wait' }, { signal: stop.signal })
    await eventually(() => expect(heard).toHaveLength(1))
    const { id } = JSON.parse(heard[0] ?? '') as Rpc
    const meta = `{"io.modelcontextprotocol/protocolVersion":"${VERSION}","io.modelcontextprotocol/clientCapabilities":{}}`
    const sent = `{"jsonrpc":"2.0","id":2,"\\u0069d":${JSON.stringify(id)},"method":"y","params":{"_meta":${meta}}}`
    const response = await post(bridge.url, sent, { headers: { 'mcp-protocol-version': VERSION, 'mcp-method': 'y' } })
    expect([response.status, heard.length]).toEqual([400, 1])
    stop.abort()
    await expect(pending).rejects.toThrow()
  })
})

/** The value when it has not changed for a while. */
async function still(value: () => number): Promise<number> {
  for (;;) {
    const before = value()
    await new Promise((resolve) => setTimeout(resolve, 500))
    if (before > 0 && value() === before) return before
  }
}

/** A request over a socket of its own, which tells what could not be sent yet. */
async function half(url: string, session: string, body: string) {
  const { hostname, port, pathname } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => (received += text))
  const headers = Object.entries(headersOf({ session })).map(([name, value]) => `${name}: ${value}`)
  const head = [`POST ${pathname} HTTP/1.1`, `host: ${hostname}`, ...headers, `content-length: ${body.length}`]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  await new Promise((resolve) => socket.once('connect', resolve))
  return { unsent: () => socket.writableLength, received: () => received, close: () => socket.destroy() }
}
