/** A new agent from a template starts at once: its tools answer, its chat program talks, and it outlives the workspace. */
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, isContainerEngine, platform, type Workspace } from '../helpers/workspace.ts'

function hasPython(): boolean {
  try {
    return execFileSync('python3', ['-c', 'print(1)'], { encoding: 'utf8' }) === '1\n'
  } catch {
    return false
  }
}

/** Its image is not among those of the test machine. */
const templates = ['node', 'shell', ...(!isContainerEngine && hasPython() ? ['python'] : [])]

interface Created {
  agent: string
  path: string
  files: string[]
}

describe(`agents from templates on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function client(agent: string): Promise<Client> {
    const made = new Client({ name: 'scaffold', version: '1.0.0' })
    const headers = { authorization: `Bearer ${await workspace.token()}` }
    const url = new URL(`${workspace.url}/mcps/${agent}/mcp`)
    await made.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return made
  }
  const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? ''

  it.each(templates)('%s: made, started, called and talked to', async (template) => {
    const name = `new-${template}`
    const created = await workspace.json<Created>(['init', 'agent', name, '--template', template])
    expect(created.path).toBe(join(workspace.dir, '.ploinky/repos/local', name))
    expect(created.files).toContain('README.md')
    const started = await workspace.json<{ agents: unknown[] }>(['start', name])
    expect(started.agents).toMatchObject([{ agent: name, state: 'ready', warnings: [] }])

    const mcp = await client(name)
    expect((await mcp.listTools()).tools.map((tool) => tool.name)).toEqual(['greet', 'count'])
    const greeting = await mcp.callTool({ name: 'greet', arguments: { name: 'Zoë "$HOME" %s' } })
    expect(textOf(greeting)).toBe(`Hello, Zoë "$HOME" %s! I am ${name}.\n`)
    const count = async (text: string) => await mcp.callTool({ name: 'count', arguments: { text } })
    expect(JSON.parse(textOf(await count('a b\nc d e\n')))).toEqual({ lines: 2, words: 5 })
    expect(JSON.parse(textOf(await count('*')))).toEqual({ lines: 1, words: 1 })
    expect(await count(' ')).toMatchObject({
      isError: true,
      content: [{ text: 'empty_text: There is nothing to count' }],
    })
    await mcp.close()

    const chat = await workspace.run(['cli', name], { input: 'hello\nexit\nnever\n' })
    expect(chat.stdout.split('\n')).toEqual([
      `Hello, I am ${name}. Say something; "exit" leaves.`,
      'You said: hello',
      'Goodbye.',
      '',
    ])
    expect(chat.code).toBe(0)
  })

  it('without tools it starts as well', async () => {
    await workspace.json<Created>(['init', 'agent', 'chatty', '--with', 'chat'])
    const started = await workspace.json<{ agents: unknown[] }>(['start', 'chatty'])
    expect(started.agents).toMatchObject([{ agent: 'chatty', state: 'ready' }])
    expect((await workspace.run(['cli', 'chatty'], { input: 'exit\n' })).stdout).toContain('Goodbye.')
  })

  it('overwrites nothing, and says what to do instead', async () => {
    const file = join(workspace.dir, '.ploinky/repos/local/new-node/code/chat.mjs')
    await writeFile(file, 'mine')
    const again = await workspace.run(['init', 'agent', 'new-node', '--template', 'shell'])
    expect([again.code, again.stderr]).toEqual([6, expect.stringContaining('exists already')])
    expect(await readFile(file, 'utf8')).toBe('mine')
    await mkdir(join(workspace.dir, '.ploinky/repos/local/empty'))
    expect((await workspace.run(['init', 'agent', 'empty'])).code).toBe(6)
    expect((await workspace.run(['init', 'agent', 'demo'])).stderr).toContain('in repository "builtin"')
    for (const name of ['../up', '.hidden', 'a/b', '', 'con'])
      expect((await workspace.run(['init', 'agent', '--', name])).code).toBe(2)
  })

  it('destroy keeps agents of your own, unless it is told to take them', async () => {
    const repos = join(workspace.dir, '.ploinky/repos')
    const destroyed = await workspace.json<{ kept: string[] }>(['destroy', '--yes'])
    expect(destroyed.kept).toContain(join(repos, 'local'))
    expect((await readdir(join(workspace.dir, '.ploinky'))).sort()).toEqual(['.gitignore', 'repos'])
    expect(await readFile(join(repos, 'local/new-node/code/chat.mjs'), 'utf8')).toBe('mine')
    // And they can be worked with again.
    await workspace.json(['init', 'agent', 'later'])
    expect((await workspace.json<{ ref: string }>(['enable', 'agent', 'new-shell'])).ref).toBe('local/new-shell')
    await workspace.json(['destroy', '--yes', '--data'])
    expect(await readdir(workspace.dir)).not.toContain('.ploinky')
  })
})
