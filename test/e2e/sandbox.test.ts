/** The opt-in to sandboxes, with the real bubblewrap: agents with "lite-sandbox" run there, whole, and nowhere else unasked. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bwrapRuntime } from '../../runtimes/bwrap/index.ts'
import { silentLogger } from '../../src/core/log.ts'
import { testPlatform } from '../helpers/runtime-engines.ts'
import { createWorkspace, engine, type Workspace } from '../helpers/workspace.ts'

const SANDBOXES = 'Bubblewrap sandboxes'
const RUNTIME = bwrapRuntime.create({ platform: testPlatform, log: silentLogger, stateDir: '/nonexistent' })
const detection = await RUNTIME.detect()
const isHere = engine === 'host'
if (isHere && !detection.available) it.skip(`not run: ${detection.message}`, () => {})

interface Started {
  agents: {
    agent: string
    state: string
    outcome: string
    runtime: string
    error?: { message: string; hint: string }
  }[]
}

const lite = { container: 'registry.invalid/none:1', 'lite-sandbox': true }
const idle = { ...lite, start: 'sleep 100000', readiness: { protocol: 'none' } }
const SERVER = `
import { createServer } from 'node:http'
import answer from 'answer'
const { PORT, PLOINKY_BIND, PLOINKY_PORT_7000, WORD } = process.env
const facts = { PORT, PLOINKY_BIND, PLOINKY_PORT_7000, WORD, answer }
createServer((_request, response) => response.end(JSON.stringify(facts))).listen(Number(PORT), PLOINKY_BIND)
`

let workspace: Workspace

async function define(name: string, manifest: object, files: Record<string, string> = {}): Promise<void> {
  const dir = join(workspace.dir, '.ploinky/repos/shop', name)
  await mkdir(join(dir, 'code'), { recursive: true })
  for (const [file, text] of Object.entries({ ...files, 'manifest.json': JSON.stringify(manifest) })) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
}

/** A package that is installed without a network. */
async function packed(agent: string): Promise<void> {
  const folder = join(workspace.dir, 'made/package')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{"name":"answer","version":"1.0.0","main":"index.js"}')
  await writeFile(join(folder, 'index.js'), 'module.exports = 42')
  const archive = join(workspace.dir, '.ploinky/repos/shop', agent, 'code/answer.tgz')
  await promisify(execFile)('tar', ['-czf', archive, '-C', dirname(folder), 'package'])
}

async function start(...args: string[]) {
  const { code, stdout, stderr } = await workspace.run(['start', ...args, '--json'])
  const report = (stdout === '' ? { agents: [] } : JSON.parse(stdout)) as Started
  return { code, stderr, first: report.agents[0] }
}
const inside = async (agent: string, text: string): Promise<string> => {
  const { code, stdout, stderr } = await workspace.run(['exec', agent, '--', 'sh', '-c', text])
  if (code !== 0) throw new Error(`exec ended with ${code}: ${stderr}`)
  return stdout.trim()
}
const planned = async (agent: string, env: Record<string, string> = {}): Promise<string> =>
  (await workspace.json<{ runtime: string }>(['plan', agent], { env })).runtime

async function makeWorkspace(): Promise<void> {
  workspace = await createWorkspace()
  await workspace.run(['init'])
  await mkdir(join(workspace.dir, '.ploinky/repos/shop'), { recursive: true })
  const repos = JSON.stringify({ version: 1, repos: ['builtin', 'shop'] })
  await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), repos)
}

describe.runIf(isHere && detection.available)('agents in sandboxes', () => {
  beforeAll(makeWorkspace)
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('run there when the workspace opted in, and only those that ask for it', async () => {
    await define('lite', idle)
    await define('other', { ...idle, 'lite-sandbox': false })
    expect(await planned('lite')).toBe('Host processes')
    expect((await workspace.run(['doctor'])).stdout).not.toContain(SANDBOXES)
    const state = await workspace.json<{ enabled: boolean; usable: boolean; from: string }>(['sandbox', 'enable'])
    expect(state).toMatchObject({ enabled: true, usable: true, from: '.ploinky/config.json' })
    expect((await workspace.run(['doctor'])).stdout).toContain(SANDBOXES)
    expect(await planned('lite')).toBe(SANDBOXES)
    expect(await planned('other')).toBe('Host processes')
    expect(await planned('lite', { PLOINKY_DISABLE_HOST_SANDBOX: '1' })).toBe('Host processes')
    expect((await start('lite')).first).toMatchObject({ state: 'ready', runtime: 'bwrap', outcome: 'created' })
    expect((await start('lite')).first).toMatchObject({ outcome: 'unchanged' })
    expect((await workspace.json<{ agents: string[] }>(['sandbox', 'status'])).agents).toEqual(['lite'])
    expect(await inside('lite', '[ ! -e "$PLOINKY_WORKSPACE_ROOT/.ploinky" ] && echo hidden')).toBe('hidden')
  })

  it('get packages, hooks, volumes, variables and a port of their own', async () => {
    const own = { dependencies: { answer: 'file:answer.tgz' }, type: 'module', name: 'web', version: '1.0.0' }
    await define(
      'web',
      {
        ...{ ...lite, agent: 'node server.mjs', readiness: { protocol: 'http' } },
        ...{ volumes: { 'data/x': '/x' }, env: { WORD: { default: 'open-sesame' } } },
        ...{ install: 'echo installed >>/tmp/order', postinstall: 'echo after >>/tmp/order; cp /tmp/order /x/order' },
      },
      { 'code/server.mjs': SERVER, 'code/package.json': JSON.stringify(own) },
    )
    await packed('web')
    const { first, stderr } = await start('web')
    expect([first?.state, first?.runtime, stderr].join(' ')).toMatch(/^ready bwrap/)
    const facts = (await (await workspace.fetch('/services/web/')).json()) as Record<string, string>
    expect(facts).toMatchObject({ PLOINKY_BIND: '127.0.0.1', WORD: 'open-sesame', answer: 42 })
    // The port is one of this machine's, and the program was told.
    expect(facts['PORT']).toBe(facts['PLOINKY_PORT_7000'])
    expect(facts['PORT']).not.toBe('7000')
    expect(await inside('web', 'cat /x/order; ls /node_modules')).toBe('installed\nafter\nanswer')
    await expect(inside('web', ': >/node_modules/made')).rejects.toThrow(/[Rr]ead-only/)
    const installed = await workspace.json<{ key: string; valid: boolean }[]>(['deps', 'status'])
    expect(installed).toMatchObject([{ key: expect.stringMatching(/^linux-.*-node\d+\//) as string, valid: true }])
  })

  it('start again as new as a sandbox is, and keep what was mounted', async () => {
    await inside('web', 'echo kept >/x/kept')
    expect((await workspace.run(['stop', 'web'])).code).toBe(0)
    expect((await start('web')).first).toMatchObject({ outcome: 'started', state: 'ready' })
    expect(await inside('web', 'cat /x/kept /tmp/order')).toBe('kept\ninstalled')
  })

  it('serve tools by the AgentServer, and have a program beside', async () => {
    const tool = { name: 'where', command: 'sh', args: ['-c', 'pwd; ls /home'], inputSchema: {} }
    const manifest = { ...lite, start: 'sleep 100000', agent: 'echo beside; sleep 100000' }
    await define('tools', lite, { 'code/mcp-config.json': JSON.stringify({ tools: [tool] }) })
    await define('beside', { ...manifest, readiness: { protocol: 'none' } })
    expect((await start('tools')).first).toMatchObject({ state: 'ready', runtime: 'bwrap' })
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } }
    const post = (body: object, session?: string): Promise<Response> =>
      workspace.fetch('/mcps/tools/mcp', {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          ...(session === undefined ? {} : { 'mcp-session-id': session }),
        },
        body: JSON.stringify(body),
      })
    const opened = await post({ ...call, method: 'initialize', params: initialize })
    expect(opened.status).toBe(200)
    const listed = await post(call, opened.headers.get('mcp-session-id') ?? undefined)
    expect(await listed.text()).toContain('"where"')
    expect((await start('beside')).first).toMatchObject({ state: 'ready' })
    const log = async (): Promise<string> => (await workspace.run(['logs', 'beside'])).stdout
    await expect.poll(log, { timeout: 20_000 }).toContain('beside')
  })

  it('see the whole workspace but its state, in that mode', async () => {
    await define('seeing', idle)
    await writeFile(join(workspace.dir, 'note.txt'), 'hello')
    expect((await workspace.run(['enable', 'agent', 'seeing', 'global'])).code).toBe(0)
    expect((await start('seeing')).first).toMatchObject({ state: 'ready', runtime: 'bwrap' })
    expect(await inside('seeing', 'cat "$WORKSPACE_PATH/note.txt"; ls -A "$WORKSPACE_PATH/.ploinky"')).toBe('hello')
  })

  it('are refused what a sandbox cannot give', async () => {
    await define('strong', { ...idle, containerSecurity: { privileged: true } })
    const { code, first } = await start('strong')
    expect(code).toBe(5)
    expect(first?.error?.message).toMatch(/cannot give more rights/)
    await workspace.run(['disable', 'agent', 'strong'])
  })

  it('go back when the workspace opts out', async () => {
    expect(await workspace.json(['sandbox', 'disable'])).toMatchObject({ enabled: false })
    expect(await planned('lite')).toBe('Host processes')
    expect((await start('lite')).first).toMatchObject({ runtime: 'host', state: 'ready' })
    expect((await workspace.run(['sandbox', 'status'])).stdout).toMatch(/^Sandboxes are off/)
  })
})

describe.runIf(isHere)('where no sandbox can be made', () => {
  /** Nothing is found there, so neither is bubblewrap. */
  const without = { env: { PATH: '/nonexistent', PLOINKY_SANDBOX: 'true' } }
  beforeAll(async () => {
    await makeWorkspace()
    await define('lite', idle)
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('an agent that is to run in one does not start, and says why', async () => {
    const { code, stdout } = await workspace.run(['start', 'lite', '--json'], without)
    expect(code).toBe(5)
    const { error } = (JSON.parse(stdout) as Started).agents[0] ?? {}
    expect(error?.message).toMatch(/^Agent "lite" is to run in a sandbox here: Bubblewrap sandboxes cannot be used: /)
    expect(error?.hint).toContain('ploinky sandbox disable')
    const { runtime } = await workspace.json<{ runtime: string }>(['plan', 'lite'], without)
    expect(runtime).toBe(`${SANDBOXES} (not usable now)`)
    const doctor = await workspace.run(['doctor'], without)
    expect(doctor.code).toBe(3)
    expect(doctor.stdout).toMatch(/FAIL {2}Bubblewrap sandboxes: "bwrap" is not installed/)
  })

  it('what is typed counts for more, for one start', async () => {
    const asked = ['start', 'lite', '--runtime', 'host', '--json']
    const { code, stdout } = await workspace.run(asked, { env: { PLOINKY_SANDBOX: 'true' } })
    expect(code).toBe(0)
    expect((JSON.parse(stdout) as Started).agents[0]).toMatchObject({ runtime: 'host', state: 'ready' })
  })
})
