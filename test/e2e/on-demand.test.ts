/** Agents that start on demand: the first call starts them, lists do not, nobody's calls let them stop. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, platform, waitFor, type Workspace } from '../helpers/workspace.ts'

const IDLE_SECONDS = 3
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

interface Status {
  agents: { name: string; state: string; container: string | null; startedAt: string | null }[]
}

describe(`agents that start on demand on ${engine} with ${platform}`, () => {
  let workspace: Workspace

  beforeAll(async () => {
    workspace = await createWorkspace()
    for (const template of ['node', 'shell']) {
      await workspace.json(['init', 'agent', `lazy-${template}`, '--template', template])
      await change(`lazy-${template}`, { startup: 'on-demand', idleSeconds: IDLE_SECONDS })
    }
    await workspace.json(['start'])
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function change(agent: string, fields: Record<string, unknown>): Promise<void> {
    const file = join(workspace.dir, '.ploinky/repos/local', agent, 'manifest.json')
    const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await writeFile(file, JSON.stringify({ ...manifest, ...fields }))
  }
  async function status(agent: string): Promise<Status['agents'][number]> {
    const { agents } = await workspace.json<Status>(['status'])
    const found = agents.find(({ name }) => name === agent)
    if (found === undefined) throw new Error(`no agent ${agent}`)
    return found
  }
  const is = (agent: string, state: string) =>
    waitFor(`${agent} is ${state}`, async () => {
      const found = await status(agent)
      return found.state === state ? found : undefined
    })

  function post(agent: string, method: string, params: object = {}, headers: Record<string, string> = {}) {
    const name = (params as { name?: string }).name
    return workspace.fetch(`/mcps/${agent}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': method,
        ...(name === undefined ? {} : { 'mcp-name': name }),
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'x', method, params: { ...params, _meta: META } }),
    })
  }
  async function connect(agent: string, mode: 'legacy' | 'auto') {
    const client = new Client(
      { name: 'caller', version: '1.0.0' },
      mode === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {},
    )
    const headers = { authorization: `Bearer ${await workspace.token()}` }
    const url = new URL(`${workspace.url}/mcps/${agent}/mcp`)
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return client
  }
  const greet = async (client: Client, name: string): Promise<string> => {
    const result = await client.callTool({ name: 'greet', arguments: { name } })
    return (result as { content: { text: string }[] }).content[0]?.text ?? ''
  }

  it('a start without a name leaves them alone; the first call starts them, many at once start one', async () => {
    expect(await status('lazy-node')).toMatchObject({ state: 'stopped', startedAt: null })
    const calls = Array.from({ length: 20 }, (_, index) =>
      post('lazy-node', 'tools/call', { name: 'greet', arguments: { name: `n${index}` } }),
    )
    const texts = await Promise.all(calls.map(async (call) => (await call).text()))
    for (const [index, text] of texts.entries()) expect(text).toContain(`Hello, n${index}!`)
    const events = await readFile(join(workspace.dir, '.ploinky/logs/events.ndjson'), 'utf8')
    const woken = events.split('\n').filter((line) => line.includes('"agent.woken"') && line.includes('lazy-node'))
    expect(woken).toHaveLength(1)
  })

  it('nobody calls: it stops, and its lists are still told, in both eras', async () => {
    await is('lazy-node', 'stopped')
    const listed = (await (await post('lazy-node', 'tools/list')).json()) as {
      id: string
      result: { tools: { name: string }[] }
    }
    expect(listed.id).toBe('x')
    expect(listed.result.tools.map(({ name }) => name)).toEqual(['greet', 'count'])
    for (const mode of ['legacy', 'auto'] as const) {
      const client = await connect('lazy-node', mode)
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['greet', 'count'])
      await client.close()
    }
    expect(await status('lazy-node')).toMatchObject({ state: 'stopped' })
  })

  it('a session of a client outlives stops of the agent', async () => {
    const client = await connect('lazy-node', 'legacy')
    expect(await greet(client, 'one')).toContain('Hello, one!')
    await is('lazy-node', 'stopped')
    expect(await greet(client, 'two')).toContain('Hello, two!')
    await client.close()
    const unknown = await workspace.fetch('/mcps/lazy-node/mcp', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'mcp-session-id': 'somebody-elses' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    })
    expect(unknown.status).toBe(404)
  })

  it('who does not wait is told that it starts, and finds it later', async () => {
    await is('lazy-node', 'stopped')
    const early = await post(
      'lazy-node',
      'tools/call',
      { name: 'greet', arguments: { name: 'a' } },
      { prefer: 'wait=0' },
    )
    expect(early.status).toBe(503)
    expect(early.headers.get('retry-after')).toBe('2')
    expect(await early.json()).toMatchObject({
      error: { code: 'AGENT_NOT_READY', message: expect.stringContaining('starting') as string },
    })
    const late = await post('lazy-node', 'tools/call', { name: 'greet', arguments: { name: 'b' } })
    expect(await late.text()).toContain('Hello, b!')
  })

  it('an agent without Node starts on demand too', async () => {
    const client = await connect('lazy-shell', 'legacy')
    expect(await greet(client, 'shell')).toContain('Hello, shell!')
    await is('lazy-shell', 'stopped')
    expect(await greet(client, 'again')).toContain('Hello, again!')
    await client.close()
  })

  it('kept lists are not told of an agent whose tools are locked: it is looked at', async () => {
    await is('lazy-node', 'stopped')
    await workspace.json(['mcp', 'lock', 'lazy-node'])
    // The router hears of the lock by the file that it is kept in.
    await waitFor('a list wakes the agent', async () => {
      expect(await (await post('lazy-node', 'tools/list')).text()).toContain('"greet"')
      return (await status('lazy-node')).state === 'ready' ? true : undefined
    })
    await workspace.json(['mcp', 'unlock', 'lazy-node'])
  })

  it('a changed manifest makes the kept lists void; one that cannot start says why', async () => {
    await is('lazy-node', 'stopped')
    await change('lazy-node', { agent: 'exit 3' })
    const answer = await post('lazy-node', 'tools/list')
    expect(answer.status).toBeGreaterThanOrEqual(500)
    expect(await answer.json()).toMatchObject({ error: { code: 'AGENT_FAILED' } })
  })
})
