/** Agents without tasks whose long calls are tasks all the same: their results outlive clients, agents and the router. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lastResult, TASKS_EXTENSION, TASKS_META } from '../helpers/mcp-tasks.ts'
import { createWorkspace, engine, platform, waitFor, type Workspace } from '../helpers/workspace.ts'

type Json = Record<string, unknown>

const NODE = 'docker.io/library/node:24-alpine'
/** An MCP server over HTTP with one tool, that takes as long as it is told, and no word of tasks. */
const SERVER = `import { createServer } from 'node:http'
let calls = 0
createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece))
  request.on('end', async () => {
    if (request.method !== 'POST') return response.end('ok')
    const { id, method, params } = JSON.parse(text)
    const say = (answer) => response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
    response.setHeader('content-type', 'application/json')
    if (method === 'server/discover') return say({ result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } })
    if (method === 'tools/list') return say({ result: { resultType: 'complete', tools: [{ name: 'wait', inputSchema: { type: 'object' } }] } })
    if (method !== 'tools/call') return say({ error: { code: -32601, message: 'Method not found' } })
    const structuredContent = { calls: (calls += 1) }
    await new Promise((resolve) => setTimeout(resolve, params.arguments.ms))
    say({ result: { resultType: 'complete', content: [{ type: 'text', text: 'waited' }], structuredContent } })
  })
}).listen(Number(process.env.PORT ?? 7000), process.env.PLOINKY_BIND ?? '0.0.0.0')
`
const TASKED = { taskAfterSeconds: 0.4 }
const AGENTS = {
  served: { agent: 'exec node server.mjs', mcp: TASKED, readiness: { protocol: 'http' } },
  program: { mcp: { transport: 'stdio', command: 'node server.mjs', ...TASKED } },
  lazy: {
    ...{ agent: 'exec node server.mjs', mcp: TASKED, readiness: { protocol: 'http' } },
    ...{ startup: 'on-demand', idleSeconds: 2 },
  },
}

async function writeAgents(workspace: Workspace): Promise<void> {
  for (const [name, manifest] of Object.entries(AGENTS)) {
    const dir = join(workspace.dir, '.ploinky/repos/tools', name)
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'manifest.json'), JSON.stringify({ container: NODE, ...manifest }))
    if (name === 'program')
      await build({
        entryPoints: [fileURLToPath(new URL('../fixtures/mcp-stdio.mjs', import.meta.url))],
        outfile: join(dir, 'server.mjs'),
        ...{ bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' },
        // A dependency is CommonJS and asks for built-in modules with require, which ES modules do not have.
        banner: { js: "import { createRequire as r_ } from 'node:module'; const require = r_(import.meta.url);" },
      })
    else await writeFile(join(dir, 'server.mjs'), SERVER)
  }
  const repos = { version: 1, repos: ['builtin', 'tools'] }
  await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
}

describe(`long calls of agents without tasks on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    await writeAgents(workspace)
    for (const name of Object.keys(AGENTS)) await workspace.json(['enable', 'agent', `tools/${name}`])
    await workspace.json(['start'])
  }, 180_000)
  afterAll(() => workspace[Symbol.asyncDispose](), 120_000)

  async function ask(agent: string, method: string, params: Json): Promise<Json> {
    const named = params['taskId'] ?? params['name']
    const answer = await workspace.fetch(`/mcps/${agent}/mcp`, {
      method: 'POST',
      headers: {
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
        ...(typeof named === 'string' ? { 'mcp-name': named } : {}),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: TASKS_META } }),
    })
    const text = await answer.text()
    const result = lastResult(text)
    if (result === undefined) throw new Error(`${agent} ${method}: ${answer.status} ${text}`)
    return result
  }
  const wait = (agent: string, ms: number): Promise<Json> =>
    ask(agent, 'tools/call', { name: 'wait', arguments: { ms } })
  const ended = (agent: string, taskId: unknown): Promise<Json> =>
    waitFor(`the end of a task of ${agent}`, async () => {
      const task = await ask(agent, 'tasks/get', { taskId })
      return task['status'] === 'working' ? undefined : task
    })
  const stateOf = async (agent: string): Promise<string | undefined> => {
    const { agents } = await workspace.json<{ agents: { name: string; state: string }[] }>(['status'])
    return agents.find(({ name }) => name === agent)?.state
  }

  it.each(['served', 'program'])(
    '%s: quick ones are answered, long ones are tasks that can be ended',
    async (agent) => {
      const { capabilities } = await ask(agent, 'server/discover', {})
      expect((capabilities as Json)['extensions']).toHaveProperty(TASKS_EXTENSION)
      expect(await wait(agent, 1)).toMatchObject({ content: [{ text: 'waited' }] })
      const handle = await wait(agent, 2500)
      expect(handle).toMatchObject({ resultType: 'task', status: 'working' })
      expect(await ended(agent, handle['taskId'])).toMatchObject({
        ...{ status: 'completed', result: { content: [{ text: 'waited' }] } },
      })
      expect(await workspace.json(['tasks', agent])).toEqual([
        expect.objectContaining({
          agent,
          id: handle['taskId'],
          tool: 'wait',
          state: 'completed',
          owner: 'user:operator',
        }),
      ])
      const { taskId } = await wait(agent, 600_000)
      expect(await ask(agent, 'tasks/cancel', { taskId })).toEqual({ resultType: 'complete' })
      expect(await ended(agent, taskId)).toMatchObject({ status: 'cancelled' })
      // One each: what was cancelled is not begun anew.
      if (agent === 'served') expect(await wait(agent, 1)).toMatchObject({ structuredContent: { calls: 4 } })
    },
  )

  it('lazy: a task keeps its agent awake, and its result is told when the agent has stopped', async () => {
    const { taskId } = await wait('lazy', 5000)
    expect(await ended('lazy', taskId)).toMatchObject({ status: 'completed' })
    await waitFor('the agent stopped', async () => ((await stateOf('lazy')) === 'stopped' ? true : undefined))
    expect(await ask('lazy', 'tasks/get', { taskId })).toMatchObject({ status: 'completed' })
    expect(await stateOf('lazy')).toBe('stopped')
  })

  it('a router that is killed loses no result, and does not say that a lost call still runs', async () => {
    const [done, lost] = [await wait('served', 800), await wait('served', 600_000)]
    await ended('served', done['taskId'])
    const pid = await workspace.routerPid()
    process.kill(pid, 'SIGKILL')
    await waitFor('another router', async () =>
      (await workspace.routerPid().catch(() => pid)) === pid ? undefined : true,
    )
    await waitFor('its answer', async () => {
      const answer = await workspace.fetch('/health').catch(() => null)
      return answer?.ok === true ? true : undefined
    })
    expect(await ended('served', done['taskId'])).toMatchObject({ status: 'completed' })
    expect(await ended('served', lost['taskId'])).toMatchObject({ status: 'failed' })
  })
})
