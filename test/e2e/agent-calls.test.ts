/** Agents that call agents: what their manifests and grants allow, and nothing else, on whichever way they try. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, isContainerEngine, isAlive, waitFor, type Workspace } from '../helpers/workspace.ts'

const NODE = 'docker.io/library/node:24-alpine'
const ALPINE = 'docker.io/library/alpine:3'

/** A program of an agent: runs one call and prints what came of it. */
const CALLER = `
import { pathToFileURL } from 'node:url'
const library = new URL('client/index.mjs', pathToFileURL(process.env.AGENT_LIBRARY + '/'))
const { createAgentClient } = await import(library)
const [method, ...args] = JSON.parse(process.argv[2])
const client = createAgentClient()
try {
  const seen = []
  if (method === 'callTool') args[3] = { onProgress: (progress) => seen.push(progress.progress), ...args[3] }
  const result = await client[method](...args)
  console.log(JSON.stringify({ result, seen }))
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }))
}
await client.close()
`

/** Sends one request by the agent's socket, as any program can. */
const RAW = `
const { request } = require('node:http')
const fs = require('node:fs')
const [path, body, headers] = JSON.parse(process.argv[2])
const socketPath = process.env.PLOINKY_ROUTER_SOCKET
// Outside of containers its path may be too long.
const at = socketPath.length < 108 ? socketPath : '/proc/self/fd/' + fs.openSync(require('node:path').dirname(socketPath)) + '/router.sock'
const call = request({ socketPath: at, method: body === null ? 'GET' : 'POST', path,
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers } }, (answer) => {
  let text = ''
  answer.on('data', (part) => (text += part)).on('end', () => console.log(JSON.stringify({ status: answer.statusCode, text })))
})
call.on('error', (error) => console.log(JSON.stringify({ status: 0, text: error.code })))
call.end(body ?? undefined)
`

interface Outcome {
  result?: { content?: { text: string }[]; isError?: boolean }
  seen?: number[]
  code?: string
  message?: string
}
interface Raw {
  status: number
  text: string
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
}
const MODERN = { 'mcp-protocol-version': '2026-07-28' }
const callOf = (name: string, args: object = {}): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: META } })

describe('agents that call agents', () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'shop'] }),
    )
    // A shell finds what the call was vouched with, whatever the image has.
    const tool = (name: string, line: string) => ({
      ...{
        name,
        description: name,
        command: 'sh',
        args: ['-c', line],
        inputSchema: { x: { type: 'number', optional: true } },
      },
    })
    const tools = [
      tool('add', 'cat; echo "depth=$PLOINKY_DEPTH"'),
      tool('secret', 'echo secret'),
      tool('slow', 'sleep 30'),
    ]
    await define('b', { container: NODE }, { tools })
    await define('c', { container: ALPINE, mcp: {} }, { tools })
    await define('a', { container: NODE, calls: ['b/add', 'b/slow', 'c/add', 'e/add'] }, { tools: [] })
    await define('e', { container: NODE, startup: 'on-demand' }, { tools })
    await define('d', { container: NODE }, { tools: [] })
    for (const name of ['a', 'b', 'c', 'd', 'e']) expect((await workspace.run(['enable', 'agent', name])).code).toBe(0)
    const started = await workspace.run(['start'])
    expect([started.code, started.stderr].join(' ')).toMatch(/^0/)
    for (const name of ['a', 'd']) {
      await writeFile(join(workspace.dir, 'agents', name, 'caller.mjs'), CALLER)
      await writeFile(join(workspace.dir, 'agents', name, 'raw.cjs'), RAW)
      await chmod(join(workspace.dir, 'agents', name), 0o777)
    }
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function define(name: string, manifest: object, config: object): Promise<void> {
    const dir = join(workspace.dir, '.ploinky/repos/shop', name)
    await mkdir(join(dir, 'code'), { recursive: true })
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
    await writeFile(join(dir, 'code/mcp-config.json'), JSON.stringify(config))
  }
  const program = async (agent: string, file: string, input: unknown): Promise<unknown> => {
    const path = join(workspace.dir, 'agents', agent, file)
    const library = isContainerEngine ? '/Agent' : join(process.cwd(), 'dist/Agent')
    const argv = ['exec', agent, '--', 'env', `AGENT_LIBRARY=${library}`, 'node', path, JSON.stringify(input)]
    const { code, stdout, stderr } = await workspace.run(argv)
    if (code !== 0 || stdout.trim() === '') throw new Error(`${file} ended with ${code}: ${stderr}${stdout}`)
    return JSON.parse(stdout)
  }
  const call = async (agent: string, ...input: unknown[]) => (await program(agent, 'caller.mjs', input)) as Outcome
  const raw = async (agent: string, path: string, body: string | null, headers = {}) =>
    (await program(agent, 'raw.cjs', [path, body, headers])) as Raw
  const textOf = ({ result, ...rest }: Outcome): string =>
    result?.content?.map(({ text }) => text).join('\n') ?? JSON.stringify(result ?? rest)
  const logOf = async () => await readFile(join(workspace.dir, '.ploinky/logs/router.log'), 'utf8')

  it('what the manifest names is called, and the other agent learns by whom', async () => {
    const text = textOf(await call('a', 'callTool', 'b', 'add', { x: 4711 }))
    const payload = JSON.parse(text.split('\n')[0] ?? '') as {
      input: unknown
      metadata: { invocation: Record<string, unknown>; requestInfo: { headers: object } }
    }
    expect(payload.input).toEqual({ x: 4711 })
    expect(payload.metadata.invocation).toMatchObject({
      ...{ sub: 'agent:a', aud: 'agent:b', method: 'tools/call', tool: 'add', roles: [], depth: 1 },
    })
    expect(text).toContain('depth=1')
    expect(Object.keys(payload.metadata.requestInfo.headers)).not.toContain('x-ploinky-invocation')
  })

  it('an agent without Node of its own learns it too', async () => {
    const text = textOf(await call('a', 'callTool', 'c', 'add', { x: 1 }))
    expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({
      metadata: { invocation: { sub: 'agent:a', aud: 'agent:c', tool: 'add', depth: 1 } },
    })
    expect(text).toContain('depth=1')
  })

  it('an agent that is started by its first call is called by agents too', async () => {
    expect(textOf(await call('a', 'callTool', 'e', 'add', { x: 1 }))).toContain('"sub":"agent:a"')
  })

  it('agents whose tools are locked are called by agents too, and learn by whom', async () => {
    for (const name of ['b', 'c', 'e']) {
      await workspace.json(['mcp', 'lock', name])
      const text = textOf(await call('a', 'callTool', name, 'add', { x: 1 }))
      expect(JSON.parse(text.split('\n')[0] ?? '')).toMatchObject({
        metadata: { invocation: { sub: 'agent:a', aud: `agent:${name}`, tool: 'add', depth: 1 } },
      })
      expect(text).toContain('depth=1')
      await workspace.json(['mcp', 'unlock', name])
    }
  })

  it('another tool and another agent are refused, with what would allow them', async () => {
    expect(await call('a', 'callTool', 'b', 'secret', {})).toEqual({
      ...{ code: 'DENIED', message: expect.stringContaining('Allow it with: ploinky grant a b/secret') as string },
    })
    expect((await call('a', 'callTool', 'd', 'x', {})).code).toBe('DENIED')
    // Whether there is such an agent is none of its business.
    expect((await call('a', 'callTool', 'nobody', 'x', {})).message).toContain('may not call "nobody"')
    expect((await call('d', 'listTools', 'b')).code).toBe('DENIED')
    expect(textOf(await call('a', 'listTools', 'b'))).toContain('"name":"add"')
  })

  it('a grant holds at once, and so does its end; status, plan and grants show it', async () => {
    expect((await workspace.run(['grant', 'd', 'b/secret'])).stdout.trim()).toBe('d may call b/secret')
    expect(textOf(await call('d', 'callTool', 'b', 'secret', {}))).toContain('secret')
    expect((await call('d', 'callTool', 'b', 'add', {})).code).toBe('DENIED')
    const { agents } = await workspace.json<{ agents: { name: string; calls: object[] }[] }>(['status'])
    expect(agents.find(({ name }) => name === 'd')?.calls).toEqual([{ agent: 'b', tools: ['secret'] }])
    const plan = await workspace.json<{ calls: object[] }>(['plan', 'd'])
    expect(plan.calls).toEqual([{ agent: 'b', tools: ['secret'], from: 'ploinky grant' }])
    expect(await workspace.json<object[]>(['grants'])).toContainEqual({
      ...{ caller: 'd', agent: 'b', tools: ['secret'], from: 'workspace' },
    })
    expect((await workspace.run(['revoke', 'd', 'b/secret'])).stdout.trim()).toBe('Revoked: d')
    await waitFor('the end of the grant', async () =>
      (await call('d', 'callTool', 'b', 'secret', {})).code === 'DENIED' ? true : undefined,
    )
  })

  it('nothing but MCP is open to an agent, by its socket or with its credential', async () => {
    for (const path of ['/api/v1/status', '/dashboard/', '/services/b/', '/health', '/mcps/b/health', '/'])
      expect([path, (await raw('a', path, null)).status]).toEqual([path, 403])
    // The token of the operator does not make an agent more than it is.
    const token = await workspace.token()
    const authorization = `Bearer ${token}`
    const cookie = `ploinky_token=${token}`
    expect((await raw('a', `/api/v1/status?token=${token}`, null, { authorization, cookie })).status).toBe(403)
    const credential = await readFile(join(workspace.dir, '.ploinky/sockets/a/credential'), 'utf8')
    const headers = { authorization: `Bearer ${credential}` }
    for (const [method, path] of [
      ['GET', '/api/v1/status'],
      ['POST', '/api/v1/agents/b/stop'],
      ['GET', '/dashboard/'],
      ['GET', '/services/b/'],
    ] as const)
      expect([path, (await fetch(`${workspace.url}${path}`, { method, headers })).status]).toEqual([path, 403])
    const post = { method: 'POST', headers: { ...headers, ...MODERN, 'content-type': 'application/json' } }
    const url = `${workspace.url}/mcps/b/mcp`
    const accept = { accept: 'application/json, text/event-stream' }
    const said = (name: string) => ({ ...post.headers, ...accept, 'mcp-method': 'tools/call', 'mcp-name': name })
    const allowed = await fetch(url, { ...post, headers: said('add'), body: callOf('add') })
    expect([allowed.status, await allowed.text()]).toEqual([200, expect.stringContaining('agent:a')])
    expect((await fetch(url, { ...post, headers: said('secret'), body: callOf('secret') })).status).toBe(403)
    expect(
      (await fetch(url, { ...post, headers: { authorization: `Bearer ${credential.slice(0, -1)}` } })).status,
    ).toBe(401)
  })

  it('at /mcp an agent finds what it may call, and nothing else', async () => {
    const at = async (method: string, params: object, headers: object) => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } })
      const more = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...headers }
      return await raw('a', '/mcp', body, more)
    }
    const tool = (name: string) => at('tools/call', { name, arguments: { x: 1 } }, { 'mcp-name': name })
    const { text } = await at('tools/list', {}, {})
    for (const name of ['b__add', 'b__slow', 'c__add']) expect(text).toContain(`"${name}"`)
    for (const word of ['ploinky__', '"d__', '"a__', 'b__secret', 'c__slow']) expect(text).not.toContain(word)
    // It passes the same gate: who calls is vouched for, and how deep.
    expect((await tool('b__add')).text).toMatch(/agent:a.*depth=1/s)
    expect((await tool('c__add')).text).toMatch(/agent:a/)
    expect((await tool('b__secret')).text).toContain('You may not call this')
    expect((await tool('ploinky__status')).text).toContain('Unknown tool')
  })

  it('what two readers could take for two things is refused', async () => {
    const twice = callOf('add').replace('"name":"add"', '"name":"secret","name":"add"')
    const folded = callOf('add').replace('"name":"add"', '"Name":"secret","name":"add"')
    for (const body of [twice, folded, `[${callOf('secret')}]`, '{"jsonrpc":"2.0","METHOD":"tools/call"}', '{'])
      expect((await raw('a', '/mcps/b/mcp', body, MODERN)).status).toBe(400)
    const mismatch = await raw('a', '/mcps/b/mcp', callOf('add'), { ...MODERN, 'mcp-name': 'secret' })
    expect([mismatch.status, mismatch.text]).toEqual([400, expect.stringContaining('-32020')])
  })

  it('curl calls as the README says', async () => {
    // The image has none, so this machine's speaks by the agent's socket.
    const headers = ['content-type: application/json', 'accept: application/json, text/event-stream']
    const said = ['mcp-protocol-version: 2026-07-28', 'mcp-method: tools/call', 'mcp-name: add']
    const argv = ['-sS', '--unix-socket', 'router.sock', 'http://router/mcps/b/mcp', '-d', callOf('add', { x: 3 })]
    const { stdout } = await execa('curl', [...argv, ...[...headers, ...said].flatMap((line) => ['-H', line])], {
      cwd: join(workspace.dir, '.ploinky/sockets/a'),
    })
    expect(stdout).toContain('agent:a')
  })

  it('a chain of calls ends', async () => {
    const deep = { ...MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'add', 'x-ploinky-depth': '8' }
    const refused = await raw('a', '/mcps/b/mcp', callOf('add'), deep)
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('is it a loop?')])
    expect((await raw('a', '/mcps/b/mcp', callOf('add'), { ...deep, 'x-ploinky-depth': '7' })).status).toBe(200)
  })

  it('an agent is called through the router and in no other way', async () => {
    const routing = JSON.parse(await readFile(join(workspace.dir, '.ploinky/routing.json'), 'utf8')) as {
      routes: Record<string, { hostIp: string; hostPort: number }>
    }
    const { hostIp, hostPort } = routing.routes['b'] ?? { hostIp: '', hostPort: 0 }
    const direct = (body: string, headers = {}) =>
      new Promise<Raw>((resolve, reject) => {
        const all = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...MODERN }
        const said = { 'mcp-method': 'tools/call', 'mcp-name': 'add' }
        const options = { host: hostIp, port: hostPort, method: 'POST', path: '/mcp' }
        const sent = request({ ...options, headers: { ...all, ...said, ...headers } }, (answer) => {
          let text = ''
          answer
            .on('data', (part: Buffer) => (text += part.toString()))
            .on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
        })
        sent.once('error', reject)
        sent.end(body)
      })
    expect((await direct(callOf('add'))).status).toBe(401)
    expect((await direct(callOf('add'), { 'x-ploinky-invocation': 'e30.e30.AAAA' })).status).toBe(401)
    // One that was stolen on its way: good once, for that body and that agent.
    const keyOf = (name: string) => readFile(join(workspace.dir, '.ploinky/sockets', name, 'invocation.key'), 'utf8')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = Math.floor(Date.now() / 1000)
    const invocation = (key: string, claims: object) => {
      const all = {
        iss: 'ploinky-router',
        sub: 'agent:a',
        aud: 'agent:b',
        roles: [],
        iat: now,
        exp: now + 30,
        ...claims,
      }
      const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(all)}`
      return { 'x-ploinky-invocation': `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}` }
    }
    const body = callOf('add')
    const bound = () => ({ jti: randomUUID(), bodyHash: createHash('sha256').update(body).digest('base64url') })
    const [key, other] = [await keyOf('b'), await keyOf('c')]
    const stolen = invocation(key, bound())
    expect((await direct(callOf('add', { x: 2 }), stolen)).status).toBe(401)
    expect((await direct(body, stolen)).status).toBe(200)
    expect((await direct(body, stolen)).status).toBe(401)
    for (const wrong of [
      invocation(other, bound()),
      invocation(key, { ...bound(), aud: 'agent:c' }),
      invocation(key, { ...bound(), exp: now - 60, iat: now - 90 }),
      invocation(key, {}),
    ])
      expect((await direct(body, wrong)).status).toBe(401)
    // What a client brings along is replaced, and calls of people go on as before.
    const response = await workspace.fetch('/mcps/b/mcp', {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...MODERN },
        ...{ 'mcp-method': 'tools/call', 'mcp-name': 'add', 'x-ploinky-invocation': 'e30.e30.AAAA' },
      },
      body: callOf('add'),
    })
    expect([response.status, await response.text()]).toEqual([200, expect.stringContaining('user:operator')])
  })

  it('a call that takes too long is given up, and the log tells of calls without what was said', async () => {
    expect((await call('a', 'callTool', 'b', 'slow', {}, { timeoutMs: 1000 })).code).toBe('TIMEOUT')
    const log = await logOf()
    const lines = log.split('\n').filter((line) => line.includes('"agent calls agent"'))
    expect(lines.some((line) => line.includes('"caller":"agent:a"') && line.includes('"tool":"add"'))).toBe(true)
    expect(log).not.toContain('4711')
    const credential = await readFile(join(workspace.dir, '.ploinky/sockets/a/credential'), 'utf8')
    expect(log).not.toContain(credential.slice(-20))
  })

  it('a router that is killed is there again for agents that run', async () => {
    const pid = await workspace.routerPid()
    process.kill(pid, 'SIGKILL')
    await waitFor('the end of the router', () => (isAlive(pid) ? undefined : true))
    expect(textOf(await call('a', 'callTool', 'b', 'add', { x: 2 }))).toContain('agent:a')
    expect(await workspace.routerPid()).not.toBe(pid)
  })
})
