/** Servers that others publish, made an agent with one command. */
import { execFileSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, isContainerEngine, platform, type Workspace } from '../helpers/workspace.ts'

/** As small as a published server gets: one tool, on standard streams. */
const TINY_SERVER = `
import { createInterface } from 'node:readline'
const tools = [{ name: 'next', inputSchema: { type: 'object', properties: { n: { type: 'integer' } } } }]
const answers = {
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'tiny', version: '1' } }),
  'tools/list': () => ({ tools }),
  'tools/call': ({ arguments: { n } }) => ({ content: [{ type: 'text', text: String(n + 1) }] }),
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  const rest = answer ? { result: answer(params) } : { error: { code: -32601, message: 'Method not found' } }
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...rest }))
})
`

describe(`a published server as an agent on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['start', 'demo'])
  })
  afterAll(async () => {
    await workspace[Symbol.asyncDispose]()
  })
  const client = (...words: string[]) => workspace.run(['client', ...words])
  const enable = (...words: string[]) => workspace.run(['enable', 'agent', ...words])

  it('shows the whole command and asks before anything is made', async () => {
    const long = `--${'x'.repeat(500)}`
    const asked = await enable('--command', 'node server.mjs', '--name', 'mine', '--', long, 'two words')
    expect(asked.code).toBe(8)
    expect(asked.stderr).toContain(`node server.mjs ${long} "two words"`)
    expect(await readdir(join(workspace.dir, '.ploinky/repos')).catch(() => [])).not.toContain('local')
  })

  it('makes an agent that is valid and planned, once', async () => {
    const made = await enable(
      '--command',
      'node server.mjs',
      '--name',
      'mine',
      '--env',
      'KEY=$MY_KEY',
      '--yes',
      '--',
      'a b',
    )
    expect([made.code, made.stdout]).toEqual([0, expect.stringContaining('Runs: node server.mjs "a b"')])
    expect((await workspace.run(['validate', 'mine'])).stdout).toContain('0 errors, 0 warnings')
    const folder = join(workspace.dir, '.ploinky/repos/local/mine')
    expect((await readdir(folder)).sort()).toEqual(['README.md', 'manifest.json'])
    expect((await enable('--command', 'node other.mjs', '--name', 'mine', '--yes')).code).toBe(6)
    expect((await enable('--command', 'node x.mjs', '--name', 'demo', '--yes')).code).toBe(6)
    await workspace.json(['disable', 'agent', 'mine'])
  })

  it.runIf(isContainerEngine)('a command that speaks MCP on its standard streams answers like any agent', async () => {
    await workspace.json(['enable', 'agent', '--command', 'node /code/server.mjs', '--name', 'tiny', '--yes'])
    await writeFile(join(workspace.dir, '.ploinky/repos/local/tiny/server.mjs'), TINY_SERVER)
    await workspace.json(['start', 'tiny'])
    expect((await client('tool', 'next', '-p', 'n=41')).stdout).toBe('42\n')
    expect((await client('status', 'tiny')).stdout).toContain('2025-11-25 (legacy)  tiny 1  1 tools')
    await workspace.json(['disable', 'agent', 'tiny'])
  })

  it.runIf(isContainerEngine)('takes the program of an image from the engine', async () => {
    const image = 'docker.io/library/node:24-alpine'
    const words = ['--image', image, '--name', 'image-server', '--yes', '--json', '--', '--version']
    const made = JSON.parse((await enable(...words)).stdout) as { command: string[] }
    expect(made.command).toEqual(['docker-entrypoint.sh', '--version'])
    const plan = await workspace.run(['plan', 'image-server'])
    expect(plan.stdout).toContain('docker-entrypoint.sh --version')
    await workspace.json(['disable', 'agent', 'image-server'])
  })

  it.runIf(hasNpm())('fixes the version of a package of npm', async () => {
    const made = await workspace.run(['enable', 'agent', '--npm', 'ploinky-no-such-package-at-all', '--yes'])
    // Without a registry nothing is known; with one, there is no such package.
    expect([4, 5]).toContain(made.code)
    expect((await workspace.run(['enable', 'agent', '--npm', '--yes'])).code).toBe(2)
  })
})

function hasNpm(): boolean {
  try {
    return execFileSync('npm', ['--version'], { encoding: 'utf8' }) !== ''
  } catch {
    return false
  }
}
