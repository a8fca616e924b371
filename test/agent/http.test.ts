import { once } from 'node:events'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect as dial } from 'node:net'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunningAgent } from './helpers.ts'
import {
  agentFolder,
  codeFolder,
  connect,
  INITIALIZE,
  isAlive,
  post,
  startAgent,
  temporaryFolder,
  until,
} from './helpers.ts'

const STUBBORN = '#!/bin/sh\ntrap "" TERM\necho $$ > "$PLOINKY_ARG_FILE"\nwhile :; do sleep 1; done\n'

const files = {
  'mcp-config.json': JSON.stringify({
    tools: [{ name: 'stubborn', command: 'stubborn.sh', inputSchema: { file: 'string' } }],
  }),
  'stubborn.sh': STUBBORN,
  'public/index.html': '<!doctype html><title>page</title>',
  'public/app.js': 'export {}',
  'public/data.bin': 'x',
  'public/sub/index.html': 'sub',
  'public/.hidden': 'hidden',
  'secret.txt': 'secret',
}

describe('the HTTP face of an agent', () => {
  let agent: RunningAgent
  let code = ''
  beforeAll(async () => {
    code = codeFolder(files)
    symlinkSync(join(code, 'secret.txt'), join(code, 'public/link.txt'))
    symlinkSync('..', join(code, 'public/up'))
    symlinkSync('app.js', join(code, 'public/alias.js'))
    agent = await startAgent(code)
  })

  test('tells its health', async () => {
    const response = await fetch(`${agent.url}/health`)
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ok: true, server: 'ploinky-agent-mcp' })
    const wrong = await fetch(`${agent.url}/health`, { method: 'POST' })
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test.each([
    ['/', 'text/html; charset=utf-8', files['public/index.html']],
    ['/index.html?x=1', 'text/html; charset=utf-8', files['public/index.html']],
    ['/app.js', 'text/javascript; charset=utf-8', 'export {}'],
    ['/alias.js', 'text/javascript; charset=utf-8', 'export {}'],
    ['/data.bin', 'application/octet-stream', 'x'],
    ['/sub/', 'text/html; charset=utf-8', 'sub'],
  ])('serves %s', async (path, type, text) => {
    const response = await fetch(agent.url + path)
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([200, type, text])
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    const etag = response.headers.get('etag') ?? ''
    const again = await fetch(agent.url + path, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
    const head = await fetch(agent.url + path, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(text.length)])
  })

  test('sends a folder without its slash to the one with it', async () => {
    const response = await fetch(`${agent.url}/sub?a=1`, { redirect: 'manual' })
    expect([response.status, response.headers.get('location')]).toEqual([308, 'sub/?a=1'])
  })

  test.each([
    '/nothing', '/link.txt', '/up/secret.txt', '/up/', '/.hidden', '/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt',
    '/sub/..%5c..%5csecret.txt', '/%00', '/%', '//etc/passwd', '/app.js/', '/app.js/x',
  ])('has nothing at %s', async (path) => {
    expect(await raw(agent, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 404 [\s\S]*\{"error":\{"code":"ROUTE_NOT_FOUND"/,
    )
  }) // prettier-ignore

  test('does not take a strange request for a reason to stop', async () => {
    for (const text of [
      'GET http://[bad HTTP/1.1\r\n\r\n',
      'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
      'nonsense\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: \x01\r\n\r\n',
    ]) {
      await raw(agent, text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    }
    expect((await fetch(`${agent.url}/health`)).status).toBe(200)
  })

  test.each<[string, unknown, Record<string, string>, number, number]>([
    ['no JSON', '{"a":', {}, 400, -32700],
    ['an empty body', '', {}, 400, -32700],
    ['nesting without end', '['.repeat(1_000_000), {}, 400, -32700],
    ['another type', '{}', { 'content-type': 'text/plain' }, 415, -32000],
    ['no session', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, {}, 400, -32000],
    ['an unknown session', { jsonrpc: '2.0', id: 1, method: 'tools/list' }, { 'mcp-session-id': 'guess' }, 404, -32001],
    ['too much', JSON.stringify({ x: 'y'.repeat(5_000_000) }), {}, 413, -32000],
    ['a wrong Accept', INITIALIZE, { accept: 'text/plain' }, 406, -32000],
  ])('refuses %s on /mcp', async (_what, body, headers, status, code_) => {
    const response = await post(`${agent.url}/mcp`, body, headers)
    const answer = await response.json()
    expect([response.status, answer.error.code, answer.jsonrpc]).toEqual([status, code_, '2.0'])
  })

  test('refuses a declared size before it is sent', async () => {
    const head =
      'POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n'
    expect(await raw(agent, head)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('lets a client that sends too much finish, so that it sees why it was refused', async () => {
    for (let round = 0; round < 10; round++) {
      let sent = 0
      const body = new ReadableStream({
        pull: (controller) => {
          if (sent++ < 30) controller.enqueue(new Uint8Array(1024 * 1024).fill(32))
          else controller.close()
        },
      })
      const init: RequestInit & { duplex: 'half' } = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        duplex: 'half',
      }
      const response = await fetch(`${agent.url}/mcp`, init)
      expect([response.status, (await response.json()).error.message]).toEqual([
        413,
        'The request is larger than 4194304 bytes',
      ])
    }
  })

  test('takes a client that leaves in the middle of its body as nothing special', async () => {
    const before = agent.log()
    const socket = dial(Number(new URL(agent.url).port), '127.0.0.1')
    socket.write('POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"')
    await once(socket, 'connect')
    socket.destroy()
    await once(socket, 'close')
    expect((await fetch(`${agent.url}/health`)).status).toBe(200)
    expect(agent.log()).toBe(before)
  })

  test('answers other methods on /mcp with 4xx', async () => {
    for (const method of ['GET', 'DELETE', 'PUT', 'PATCH']) {
      const response = await fetch(`${agent.url}/mcp`, { method, headers: { 'content-type': 'application/json' } })
      expect(Math.trunc(response.status / 100)).toBe(4)
    }
  })

  test('opens the stream of a session again at once when its client has left', async () => {
    const started = await post(`${agent.url}/mcp`, INITIALIZE)
    const session = started.headers.get('mcp-session-id') ?? ''
    await started.text()
    const listen = async (signal: AbortSignal): Promise<number> => {
      const response = await fetch(`${agent.url}/mcp`, {
        signal,
        headers: { accept: 'text/event-stream', 'mcp-session-id': session },
      })
      return response.status
    }
    const first = new AbortController()
    expect(await listen(first.signal)).toBe(200)
    const second = new AbortController()
    expect(await listen(second.signal)).toBe(409)
    first.abort()
    await until(async () => expect(await listen(second.signal)).toBe(200))
    second.abort()
  })
})

describe('a stop', () => {
  test('is quick and clean with open streams and sessions', async () => {
    const agent = await startAgent(codeFolder(files))
    const client = await connect(agent, 'legacy')
    await client.listTools()
    expect(await agent.stop()).toBe(0)
    expect(agent.log()).not.toContain('"level":"error"')
  })

  test('takes running commands along, even one that ignores SIGTERM', async () => {
    const agent = await startAgent(codeFolder(files))
    const client = await connect(agent, 'auto')
    const file = join(temporaryFolder(), 'pid')
    const ended = expect(client.callTool({ name: 'stubborn', arguments: { file } })).rejects.toThrow()
    const pid = await until(() => {
      const id = Number(readFileSync(file, 'utf8'))
      expect(id).toBeGreaterThan(0)
      return id
    })
    expect(await agent.stop()).toBe(0)
    await ended
    await until(() => expect(isAlive(pid)).toBe(false))
  })
})

describe('a start', () => {
  async function run(env: Record<string, string>, codeDir = temporaryFolder()) {
    const program = join(await agentFolder(), 'server/AgentServer.mjs')
    return spawnSync(process.execPath, [program], {
      encoding: 'utf8',
      cwd: codeDir,
      timeout: 15_000,
      env: { PATH: process.env['PATH'], PORT: '0', PLOINKY_BIND: '127.0.0.1', PLOINKY_CODE_DIR: codeDir, ...env },
    })
  }

  test('with a wrong configuration ends with 3 and names every place', async () => {
    const code = codeFolder({
      'mcp-config.json': '{"tools":[{"name":"a b"},{"name":"x","command":"sh","timeoutMs":"1"}]}',
    })
    const { status, stderr } = await run({}, code)
    expect(status).toBe(3)
    for (const path of ['tools[0].name', 'tools[0].command', 'tools[1].timeoutMs']) expect(stderr).toContain(path)
  })

  test('with a wrong port ends with 3', async () => {
    expect((await run({ PORT: '70000' })).status).toBe(3)
    expect((await run({ PORT: '80x' })).status).toBe(3)
  })

  test('on a taken port ends with 6', async () => {
    const agent = await startAgent(temporaryFolder())
    expect((await run({ PORT: new URL(agent.url).port })).status).toBe(6)
  })

  test('without a configuration offers nothing and says so', async () => {
    const agent = await startAgent(temporaryFolder())
    expect(agent.log()).toContain('No mcp-config.json')
    const client = await connect(agent, 'auto')
    expect((await client.listTools()).tools).toEqual([])
  })

  test('takes the first configuration that exists', async () => {
    const code = codeFolder({ 'mcp-config.json': '{"tools":[{"name":"second","command":"true"}]}' })
    const other = join(temporaryFolder(), 'other.json')
    writeFileSync(other, '{"tools":[{"name":"first","command":"true"}]}')
    const names = async (env: Record<string, string>): Promise<string[]> => {
      const client = await connect(await startAgent(code, env), 'auto')
      return (await client.listTools()).tools.map((tool) => tool.name)
    }
    expect(await names({ PLOINKY_AGENT_CONFIG: '/no/such/file', MCP_CONFIG_FILE: other })).toEqual(['first'])
    expect(await names({ AGENT_CONFIG_FILE: '' })).toEqual(['second'])
  })
})

/** Sends bytes as they are and answers everything that comes back. */
async function raw(agent: RunningAgent, text: string): Promise<string> {
  const socket = dial(Number(new URL(agent.url).port), '127.0.0.1')
  let answer = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk))
  socket.on('error', () => undefined)
  socket.write(text, 'latin1')
  await once(socket, 'close')
  return answer
}
