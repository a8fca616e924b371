/** The main job, as a new user does it: start, call, look, break, start again, stop, destroy. Nothing is left behind. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkspace,
  engine,
  isAlive,
  isContainerEngine,
  platform,
  program,
  runtimeName,
  waitFor,
  type Workspace,
} from '../helpers/workspace.ts'

const exec = promisify(execFile)

interface StartJson {
  agents: { agent: string; state: string; outcome: string; runtime: string }[]
  router: { pid: number; port: number }
  url: string
  login: string
}
interface StatusJson {
  workspace: { id: string }
  router: { running: boolean }
  agents: { name: string; state: string; startedAt: string; container: string }[]
}

async function client(workspace: Workspace, agent: string): Promise<Client> {
  const made = new Client({ name: 'journey', version: '1.0.0' })
  const headers = { authorization: `Bearer ${await workspace.token()}` }
  await made.connect(
    new StreamableHTTPClientTransport(new URL(`${workspace.url}/mcps/${agent}/mcp`), { requestInit: { headers } }),
  )
  return made
}

const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? ''

function portIsOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve((socket.destroy(), true)))
    socket.once('error', () => resolve(false))
  })
}

/** Containers of the workspace, by the engine's own word. */
async function containers(id: string): Promise<string[]> {
  if (!isContainerEngine) return []
  const { stdout } = await exec(runtimeName, ['ps', '-aq', '--filter', `label=ploinky.workspace=${id}`])
  return stdout.split('\n').filter(Boolean)
}

describe(`the main job on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  let id = ''
  let started: StartJson

  beforeAll(async () => {
    workspace = await createWorkspace()
    started = await workspace.json<StartJson>(['start', 'demo'])
    id = (await workspace.json<StatusJson>(['status'])).workspace.id
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('starts the agent and the router, and says where they are', () => {
    expect(started.agents).toMatchObject([{ agent: 'demo', state: 'ready', outcome: 'created', runtime: runtimeName }])
    expect(started.url).toBe(workspace.url)
    expect(started.login.startsWith(`${workspace.url}/dashboard/?token=`)).toBe(true)
  })

  it.skipIf(process.platform !== 'linux')('leaves the router to the same program, in the background', async () => {
    const line = await readFile(`/proc/${started.router.pid}/cmdline`, 'utf8')
    const [script = ''] = program([]).slice(-1)
    expect(script).toMatch(platform === 'node' ? /\/dist\/ploinky\.cjs$/ : /\/src\/cli\/bin\.ts$/)
    // Deno names its main module by address.
    expect(line.split('\0').map((word) => word.replace(/^file:\/\//, ''))).toContain(script)
  })

  it('answers the official MCP client', async () => {
    const mcp = await client(workspace, 'demo')
    const { tools } = await mcp.listTools()
    expect(tools.map(({ name }) => name).sort()).toEqual(['add', 'echo', 'fail', 'slow', 'time'])
    expect(textOf(await mcp.callTool({ name: 'echo', arguments: { text: 'grüße "x" $HOME' } }))).toContain(
      'grüße "x" $HOME',
    )
    expect(await mcp.callTool({ name: 'fail', arguments: {} })).toMatchObject({ isError: true })
    const progress: number[] = []
    await mcp.callTool(
      { name: 'slow', arguments: { seconds: 1 } },
      { onprogress: ({ progress: value }) => progress.push(value) },
    )
    expect(progress.length).toBeGreaterThan(0)
    expect((await mcp.listResources()).resources.length).toBeGreaterThan(0)
    expect((await mcp.listPrompts()).prompts.length).toBeGreaterThan(0)
    await mcp.close()
  })

  it('serves the page of the agent and the files of the static agent', async () => {
    const page = await workspace.fetch('/services/demo/')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toContain('text/html')
    const file = await workspace.fetch('/app.js')
    expect(file.headers.get('etag')).toBeTruthy()
    const part = await workspace.fetch('/app.js', { headers: { range: 'bytes=0-9' } })
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10])
    expect((await workspace.fetch('/manifest.json')).status).toBe(404)
  })

  it('runs the shell agent, whose image has no Node, as a full agent', async () => {
    const result = await workspace.json<StartJson>(['start', 'shell'])
    expect(result.agents).toMatchObject([{ agent: 'shell', state: 'ready' }])
    const mcp = await client(workspace, 'shell')
    const { tools } = await mcp.listTools()
    expect(tools.map(({ name }) => name)).toContain('run')
    expect(textOf(await mcp.callTool({ name: 'run', arguments: { command: 'printf %s "a b" && exit 0' } }))).toContain(
      'a b',
    )
    await mcp.close()
  })

  it('gives a shell, the program of the agent and its exit codes', async () => {
    const shell = await workspace.run(['shell', 'demo'], { input: 'echo "in $AGENT_NAME"; exit 3\n' })
    expect([shell.code, shell.stdout]).toEqual([3, 'in demo\n'])
    const chat = await workspace.run(['cli', 'demo'], { input: 'add 2 40\nexit\n' })
    expect([chat.code, chat.stdout.includes('42')]).toEqual([0, true])
    const argument = 'a b; $(touch x) "q"'
    const printed = await workspace.run(['exec', 'demo', '--', 'printf', '%s', argument])
    expect([printed.code, printed.stdout]).toEqual([0, argument])
    expect((await workspace.run(['exec', 'demo', '--', 'sh', '-c', 'exit 42'])).code).toBe(42)
  })

  it('shows the logs of the agent and of the router', async () => {
    const agent = await workspace.run(['logs', 'demo', '-n', '50'])
    expect(agent.stdout).toContain('listening')
    const router = await workspace.run(['logs', 'router'])
    expect(router.stdout).toContain('router listens')
    expect(`${agent.stdout}${router.stdout}`).not.toContain(await workspace.token())
  })

  it('adopts the running agents after the router was killed, and restarts none', async () => {
    const before = await workspace.json<StatusJson>(['status'])
    const call = workspace
      .fetch('/services/demo/', { method: 'GET' })
      .then((response) => response.status)
      .catch(() => 'cut')
    const pid = await workspace.routerPid()
    process.kill(pid, 'SIGKILL')
    await waitFor('the router is gone', () => (isAlive(pid) ? undefined : true))
    expect([200, 'cut']).toContain(await call)
    const again = await workspace.json<StartJson>(['start'])
    expect(again.agents.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged'])
    const after = await workspace.json<StatusJson>(['status'])
    expect(after.agents.map(({ name, startedAt }) => [name, startedAt])).toEqual(
      before.agents.map(({ name, startedAt }) => [name, startedAt]),
    )
    expect((await workspace.fetch('/services/demo/')).status).toBe(200)
  })

  it('refuses a second router, naming the first', async () => {
    const second = await workspace.run(['router-serve'])
    expect(second.code).toBe(6)
    expect(second.stderr).toContain(`process ${await workspace.routerPid()}`)
  })

  it('lets two starts at once both succeed without starting anything twice', async () => {
    const both = await Promise.all([workspace.json<StartJson>(['start']), workspace.json<StartJson>(['start'])])
    for (const result of both)
      expect(result.agents.every(({ state, outcome }) => state === 'ready' && outcome === 'unchanged')).toBe(true)
    if (isContainerEngine) expect(await containers(id)).toHaveLength(2)
  })

  it('restarts an agent through the API of the dashboard', async () => {
    const before = (await workspace.json<StatusJson>(['status'])).agents.find(({ name }) => name === 'demo')
    const response = await workspace.fetch('/api/v1/agents/demo/restart', { method: 'POST' })
    expect(await response.json()).toMatchObject({ agent: 'demo', state: 'ready' })
    const after = (await workspace.json<StatusJson>(['status'])).agents.find(({ name }) => name === 'demo')
    expect(after?.startedAt).not.toBe(before?.startedAt)
    await waitFor('the new place of the agent is routed', async () =>
      (await workspace.fetch('/services/demo/')).status === 200 ? true : undefined,
    )
  })

  it('stops: agents end by SIGTERM, not by the kill', async () => {
    await workspace.json(['stop'])
    expect(await portIsOpen(workspace.port)).toBe(false)
    const status = await workspace.json<StatusJson>(['status'])
    expect(status.router.running).toBe(false)
    expect(status.agents.map(({ state }) => state)).toEqual(['stopped', 'stopped'])
    for (const container of await containers(id)) {
      const { stdout } = await exec(runtimeName, ['inspect', '--format', '{{.State.ExitCode}}', container])
      expect(Number(stdout)).not.toBe(137)
    }
  })

  it('starts again from stopped, and is destroyed without a trace', async () => {
    const again = await workspace.json<StartJson>(['start'])
    expect(again.agents.every(({ state }) => state === 'ready')).toBe(true)
    const refused = await workspace.run(['destroy'])
    expect([refused.code, existsSync(`${workspace.dir}/.ploinky`)]).toEqual([8, true])
    const pid = await workspace.routerPid()
    const gone = await workspace.run(['destroy', '--yes'])
    expect([gone.code, gone.stderr.includes('error')]).toEqual([0, false])
    expect(await readdir(workspace.dir)).toEqual([])
    expect(await containers(id)).toEqual([])
    expect([isAlive(pid), await portIsOpen(workspace.port)]).toEqual([false, false])
  })
})
