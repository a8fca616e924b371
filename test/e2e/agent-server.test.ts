/** The server of agents on a real engine: in the container where the image has Node, through the engine's exec where not. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createWorkspace, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

const IMAGES = { plain: 'docker.io/library/alpine:3', noded: 'docker.io/library/node:24-alpine' }
const AGENTS = ['plain', 'noded'] as const
type Agent = (typeof AGENTS)[number]

const TASKS = 'io.modelcontextprotocol/tasks'
/** A child that ignores signals, and its child; both say who they are. */
const FAMILY = `sh -c 'trap "" TERM; sleep 601 & echo "$$ $!" > /tmp/"$0"; wait' "$PLOINKY_ARG_FILE" & wait`
const tools = [
  { name: 'weather', command: 'printf', args: ['%s', '{"degrees":3}'], outputSchema: { degrees: 'number' } },
  { name: 'lies', command: 'printf', args: ['%s', '{"degrees":"3"}'], outputSchema: { degrees: 'number' } },
  { name: 'family', command: 'sh', args: ['-c', FAMILY], inputSchema: { file: 'string' } },
  { name: 'job', async: true, command: 'sh', args: ['-c', FAMILY], inputSchema: { file: 'string' } },
  { name: 'quick', async: true, command: 'sh', args: ['-c', 'echo "$1"', 'sh', 'kept'] },
  { name: 'own', command: 'own.sh' },
  { name: 'secret', command: 'true', access: 'admin' },
]

interface Task {
  id: string
  status: string
  error: string | null
  result: { content: { text: string }[] } | null
}

const waitFor = <T>(check: () => Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000, interval: 200 })

describe.runIf(isContainerEngine)('the server of an agent', () => {
  let workspace: Workspace
  const code = (agent: Agent) => join(workspace.dir, '.ploinky/repos/mine', agent, 'code')
  const configure = async (agent: Agent, list: object[]) => {
    const file = join(code(agent), 'mcp-config.json')
    await writeFile(`${file}.new`, JSON.stringify({ tools: list }))
    await rename(`${file}.new`, file)
  }
  const start = async (...args: string[]) => {
    const { code: exit, stderr } = await workspace.run(['start', ...args])
    expect([exit, exit === 0 ? '' : stderr]).toEqual([0, ''])
  }

  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    for (const agent of AGENTS) {
      await mkdir(code(agent), { recursive: true })
      await configure(agent, tools)
      await writeFile(join(code(agent), 'own.sh'), '#!/bin/sh\necho "mine: $TOOL_NAME $AGENT_NAME"', { mode: 0o755 })
      await writeFile(join(code(agent), '../manifest.json'), JSON.stringify({ container: IMAGES[agent] }))
    }
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'mine'] }),
    )
    for (const agent of AGENTS) await start(agent)
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function connect(agent: Agent, mode: 'legacy' | 'auto' = 'auto'): Promise<Client> {
    const client = new Client({ name: 'e2e', version: '1' }, { versionNegotiation: { mode } })
    const headers = { authorization: `Bearer ${await workspace.token()}` }
    const url = new URL(`${workspace.url}/mcps/${agent}/mcp`)
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return client
  }
  const texts = ({ content }: { content?: unknown }) => (content as { text: string }[]).map(({ text }) => text)
  /** A request of a client that knows tasks; the official one does not yet. */
  async function modern(agent: Agent, method: string, params: Record<string, unknown>) {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': { extensions: { [TASKS]: {} } },
    }
    const response = await workspace.fetch(`/mcps/${agent}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json', accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28', 'mcp-method': method, 'mcp-name': String(params['taskId'] ?? params['name']),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
    }) // prettier-ignore
    return (await response.json()) as { result: Record<string, unknown> }
  }
  const task = async (agent: Agent, id: string): Promise<Task> => {
    const response = await workspace.fetch(`/mcps/${agent}/getTaskStatus?taskId=${id}`)
    expect(response.status).toBe(200)
    return ((await response.json()) as { task: Task }).task
  }
  const inside = async (agent: Agent, script: string): Promise<string> => {
    const { code: exit, stdout, stderr } = await workspace.run(['exec', agent, '--', 'sh', '-c', script])
    if (exit !== 0) throw new Error(`exec ended with ${exit}: ${stderr}`)
    return stdout.trim()
  }
  /** The two processes of a family, as the container counts them. */
  const family = (agent: Agent, file: string) =>
    waitFor(async () => {
      const pids = (await inside(agent, `cat /tmp/${file}`)).split(' ')
      expect(pids).toHaveLength(2)
      return pids
    })
  const alive = (agent: Agent, pids: string[]) =>
    inside(agent, `for p in ${pids.join(' ')}; do [ -d /proc/$p ] && ! grep -q "^State:.Z" /proc/$p/status && echo $p; done; true`) // prettier-ignore

  describe.each(AGENTS)('%s', (agent) => {
    it('gives structured output, and says when it is not what was promised', async () => {
      const client = await connect(agent)
      const { tools: listed } = await client.listTools()
      // The operator is an administrator, and the router says so.
      expect(listed.map(({ name }) => name)).toEqual(['weather', 'lies', 'family', 'job', 'quick', 'own', 'secret'])
      expect(listed[0]?.outputSchema).toMatchObject({ properties: { degrees: { type: 'number' } } })
      expect((await client.callTool({ name: 'weather' })).structuredContent).toEqual({ degrees: 3 })
      const wrong = await client.callTool({ name: 'lies' })
      expect([wrong.isError, texts(wrong)[0]]).toEqual([true, expect.stringContaining('"degrees" must be a number')])
      expect(texts(await client.callTool({ name: 'own' }))).toEqual([`mine: own ${agent}\n`])
      await client.close()
    })

    it('ends a cancelled call with all its children', async () => {
      const client = await connect(agent)
      const abort = new AbortController()
      const call = client.callTool({ name: 'family', arguments: { file: 'call' } }, { signal: abort.signal })
      const ended = expect(call).rejects.toThrow()
      const pids = await family(agent, 'call')
      expect((await alive(agent, pids)).split('\n')).toEqual(pids)
      abort.abort('enough')
      await ended
      await waitFor(async () => expect(await alive(agent, pids)).toBe(''))
      await client.close()
    })

    it('runs a task, tells of it, and ends a cancelled one with all its children', async () => {
      const client = await connect(agent, 'legacy')
      const [text = ''] = texts(await client.callTool({ name: 'quick' }))
      const id = /^Task 'quick' queued with id ([0-9a-f]{32})$/.exec(text)?.[1] ?? ''
      await waitFor(async () => expect(await task(agent, id)).toMatchObject({ status: 'completed', result: { content: [{ text: 'kept\n' }] } })) // prettier-ignore
      await client.close()
      const { result } = await modern(agent, 'tools/call', { name: 'job', arguments: { file: 'job' } })
      expect(result).toMatchObject({ resultType: 'task', status: 'working' })
      const taskId = String(result['taskId'])
      const pids = await family(agent, 'job')
      await modern(agent, 'tasks/cancel', { taskId })
      await waitFor(async () => expect((await modern(agent, 'tasks/get', { taskId })).result['status']).toBe('cancelled')) // prettier-ignore
      await waitFor(async () => expect(await alive(agent, pids)).toBe(''))
    })

    it('takes a changed configuration over and tells a client that is connected', async () => {
      const client = await connect(agent, 'legacy')
      let heard = 0
      client.setNotificationHandler('notifications/tools/list_changed', () => void heard++)
      // The stream for news is opened beside; it is there when the server has answered once more.
      await client.listTools()
      await waitFor(async () => {
        await configure(agent, [...tools, { name: `new${heard}${Date.now()}`, command: 'true' }])
        expect(heard).toBeGreaterThan(0)
      })
      expect((await client.listTools()).tools.some(({ name }) => name.startsWith('new'))).toBe(true)
      await configure(agent, tools)
      await client.close()
    })
  })

  it('keeps tasks over a restart of the agent, and of the router', async () => {
    const begin = async (agent: Agent, name: string) => {
      const { result } = await modern(agent, 'tools/call', { name, arguments: name === 'job' ? { file: 'lost' } : {} })
      return String(result['taskId'])
    }
    const done = { plain: await begin('plain', 'quick'), noded: await begin('noded', 'quick') }
    for (const agent of AGENTS)
      await waitFor(async () => expect((await task(agent, done[agent])).status).toBe('completed'))
    const lost = { plain: await begin('plain', 'job'), noded: await begin('noded', 'job') }
    for (const agent of AGENTS) await family(agent, 'lost')
    const pids = await family('plain', 'lost')
    // The container with Node ends as a whole; the other one lives on while the router that served it is killed.
    expect((await workspace.run(['restart', 'noded'])).code).toBe(0)
    process.kill(await workspace.routerPid(), 'SIGKILL')
    await start('plain')
    for (const agent of AGENTS) {
      await waitFor(async () => expect(await task(agent, done[agent])).toMatchObject({ status: 'completed', result: { content: [{ text: 'kept\n' }] } })) // prettier-ignore
      expect(await task(agent, lost[agent])).toMatchObject({
        status: 'failed',
        error: expect.stringMatching(/while the task was running/),
      })
    }
    // Nobody will ask for the rest of it, so it does not go on.
    await waitFor(async () => expect(await alive('plain', pids)).toBe(''))
    const kept = await readFile(join(workspace.dir, '.ploinky/tasks/plain', `${done.plain}.json`), 'utf8')
    expect(JSON.parse(kept)).toMatchObject({ state: 'completed' })
    expect(await readFile(join(workspace.dir, 'agents/noded/.tasksQueue', `${done.noded}.json`), 'utf8')).toContain('kept') // prettier-ignore
  })
})
