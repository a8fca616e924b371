import { beforeEach, describe, expect, test } from 'vitest'
import { parseAgentConfig } from '../../src/agent/config.ts'
import type { AgentMcpServer } from '../../src/agent/server.ts'
import { createAgentMcpServer } from '../../src/agent/server.ts'
import { createSpawnRunner } from '../../src/agent/spawn-runner.ts'
import { cleanUp, INITIALIZE, isAlive, temporaryFolder, until } from './helpers.ts'

const DOCUMENT = JSON.stringify({
  tools: [
    { name: 'wait', command: 'sh', args: ['-c', 'echo "{\\"progress\\":$$}" >&2; exec sleep 300'] },
    { name: 'quick', command: 'echo', args: ['done'] },
  ],
})

function serve(
  limits: { sessions?: number; sessionIdleMs?: number; parallelRuns?: number; waitingRuns?: number },
  now?: () => number,
): AgentMcpServer {
  const { config } = parseAgentConfig(DOCUMENT, { codeDir: '/' })
  if (config === undefined) throw new Error('the document is wrong')
  const runner = createSpawnRunner({ cwd: temporaryFolder(), env: { PATH: process.env['PATH'] } })
  const server = createAgentMcpServer({
    config,
    run: runner.run,
    agent: 'sample',
    log: () => undefined,
    limits,
    ...(now === undefined ? {} : { now }),
  })
  cleanUp(() => server.close())
  return server
}

function request(method: string, session: string | null, body?: object, signal?: AbortSignal): Request {
  return new Request('http://agent/mcp', {
    method,
    headers: {
      accept: 'application/json, text/event-stream',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(session === null ? {} : { 'mcp-session-id': session }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  })
}

async function open(server: AgentMcpServer): Promise<{ status: number; session: string }> {
  const response = await server.fetch(request('POST', null, INITIALIZE))
  await response.text()
  return { status: response.status, session: response.headers.get('mcp-session-id') ?? '' }
}

const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' }
const call = (name: string, id: number): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, _meta: { progressToken: id } },
})

async function use(server: AgentMcpServer, session: string): Promise<number> {
  const response = await server.fetch(request('POST', session, list))
  await response.text()
  return response.status
}

describe('legacy sessions', () => {
  let now = 0
  beforeEach(() => {
    now = 0
  })

  test('have names of their own and end with DELETE', async () => {
    const server = serve({})
    const [a, b] = [await open(server), await open(server)]
    expect(a.session).not.toBe(b.session)
    expect(await use(server, a.session)).toBe(200)
    expect((await server.fetch(request('DELETE', a.session))).status).toBe(200)
    expect([await use(server, a.session), await use(server, b.session)]).toEqual([404, 200])
    expect(server.stats().sessions).toBe(1)
  })

  test('are limited: the one that has been quiet the longest makes room', async () => {
    const server = serve({ sessions: 2 }, () => now)
    const first = await open(server)
    now = 1
    const second = await open(server)
    now = 2
    expect(await use(server, first.session)).toBe(200)
    const third = await open(server)
    expect(server.stats().sessions).toBe(2)
    expect([
      await use(server, first.session),
      await use(server, second.session),
      await use(server, third.session),
    ]).toEqual([200, 404, 200])
  })

  test('in use are never ended for a newcomer', async () => {
    const server = serve({ sessions: 1 })
    const { session } = await open(server)
    const stream = await server.fetch(request('GET', session))
    expect(stream.status).toBe(200)
    expect((await open(server)).status).toBe(503)
    await stream.body?.cancel()
    expect((await open(server)).status).toBe(200)
  })

  test('end when nobody uses them', async () => {
    const server = serve({ sessionIdleMs: 60 }, () => now)
    const quiet = await open(server)
    const { session } = await open(server)
    const stream = await server.fetch(request('GET', session))
    now = 1000
    await until(() => expect(server.stats().sessions).toBe(1))
    expect([await use(server, quiet.session), await use(server, session)]).toEqual([404, 200])
    await stream.body?.cancel()
  })

  test('leave nothing behind when their beginning is refused', async () => {
    const server = serve({})
    const wrong = new Request('http://agent/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(INITIALIZE),
    })
    expect((await server.fetch(wrong)).status).toBe(406)
    expect(server.stats().sessions).toBe(0)
  })

  test('outlive a client that leaves in the middle of a call, which goes on', async () => {
    const server = serve({})
    const { session } = await open(server)
    const { pid, response } = await startWaiting(server, session, 5)
    await response.cancel()
    expect(isAlive(pid)).toBe(true)
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } }
    expect((await server.fetch(request('POST', session, cancelled))).status).toBe(202)
    await until(() => expect(isAlive(pid)).toBe(false))
    expect(await use(server, session)).toBe(200)
  })

  test('take their commands along when the server closes, and later requests are refused', async () => {
    const server = serve({})
    const { session } = await open(server)
    const { pid } = await startWaiting(server, session, 5)
    await server.close()
    await until(() => expect(isAlive(pid)).toBe(false))
    expect(await use(server, session)).toBe(503)
  })

  test('share the places for commands; who finds none is told so', async () => {
    const server = serve({ parallelRuns: 1, waitingRuns: 0 })
    const { session } = await open(server)
    await startWaiting(server, session, 5)
    const refused = await (await server.fetch(request('POST', session, call('quick', 6)))).text()
    expect(refused).toContain('"isError":true')
    expect(refused).toContain('The agent is busy')
    expect(server.stats().running).toBe(1)
  })

  test('answer whatever is sent with a client error, in both eras', async () => {
    const server = serve({})
    const { session } = await open(server)
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const bodies: unknown[] = [
      null,
      1,
      'x',
      [],
      [1],
      [[]],
      {},
      { jsonrpc: '2.0' },
      { jsonrpc: '1.0', id: 1, method: 'tools/list' },
      { jsonrpc: '2.0', id: {}, method: 'tools/list' },
      { jsonrpc: '2.0', id: 1, method: 5 },
      { jsonrpc: '2.0', id: 1, method: 'tools/list', params: [] },
      { jsonrpc: '2.0', id: 1, result: null },
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: { ...meta, 'io.modelcontextprotocol/protocolVersion': 'next' } },
      },
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: { 'io.modelcontextprotocol/protocolVersion': 7 } },
      },
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { _meta: meta } },
      { jsonrpc: '2.0', id: 1, method: '__proto__', params: { _meta: meta } },
      { ...INITIALIZE, params: {} },
      [INITIALIZE, INITIALIZE],
    ]
    for (const body of bodies) {
      for (const id of [null, session]) {
        const response = await server.fetch(
          new Request('http://agent/mcp', {
            method: 'POST',
            headers: {
              accept: 'application/json, text/event-stream',
              'content-type': 'application/json',
              ...(id === null ? {} : { 'mcp-session-id': id }),
            },
            body: JSON.stringify(body),
          }),
        )
        const text = await response.text()
        const isRefused = response.status >= 400 && response.status < 500
        // A stray response and an error inside of a stream are answers, too.
        expect([
          JSON.stringify(body),
          id === null,
          isRefused || response.status === 202 || text.includes('"error":{'),
        ]).toEqual([JSON.stringify(body), id === null, true])
      }
    }
    expect(await use(server, session)).toBe(200)
  })

  test('of 300 clients at once stay within the limit, and every client gets an answer', async () => {
    const server = serve({ sessions: 50 })
    const opened = await Promise.all(Array.from({ length: 300 }, () => open(server)))
    expect(opened.every(({ status, session }) => (session === '' ? status === 503 : status === 200))).toBe(true)
    expect(opened.filter((entry) => entry.status === 200).length).toBeGreaterThanOrEqual(50)
    expect(server.stats().sessions).toBeLessThanOrEqual(50)
  })
})

/** Starts the tool that waits for ever and answers its process id, which it tells as its progress. */
async function startWaiting(
  server: AgentMcpServer,
  session: string,
  id: number,
): Promise<{ pid: number; response: ReadableStreamDefaultReader<Uint8Array> }> {
  const { body } = await server.fetch(request('POST', session, call('wait', id)))
  if (body === null) throw new Error('no stream')
  const reader = body.getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`the stream ended: ${text}`)
    text += new TextDecoder().decode(value)
    const pid = /"progress":(\d+)/.exec(text)?.[1]
    if (pid !== undefined) return { pid: Number(pid), response: reader }
  }
}
