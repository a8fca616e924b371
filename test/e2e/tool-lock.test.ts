/** Locked tools: what changes is not told and not called, at any endpoint, until a person approved it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, engine, platform, waitFor, type Workspace } from '../helpers/workspace.ts'

interface Lock {
  agent: string
  pinned: boolean
  approved: string[]
  blocked: { tool: string; why: string; differences: { path: string }[] }[]
}

describe.each(['node', 'shell'])(`locked tools of an agent in %s on ${engine} with ${platform}`, (template) => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['init', 'agent', 'tools', '--template', template])
    await workspace.json(['start', 'tools'])
    await workspace.json(['mcp', 'lock', 'tools'])
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function connect(path: string, mode: 'legacy' | 'auto'): Promise<Client> {
    const options = mode === 'auto' ? { versionNegotiation: { mode } as const } : {}
    const client = new Client({ name: 'caller', version: '1.0.0' }, options)
    const headers = { authorization: `Bearer ${await workspace.token()}` }
    await client.connect(new StreamableHTTPClientTransport(new URL(workspace.url + path), { requestInit: { headers } }))
    return client
  }
  async function describeGreet(description: string): Promise<void> {
    const file = join(workspace.dir, '.ploinky/repos/local/tools/code/mcp-config.json')
    const config = JSON.parse(await readFile(file, 'utf8')) as { tools: { name: string; description: string }[] }
    const tools = config.tools.map((tool) => (tool.name === 'greet' ? { ...tool, description } : tool))
    await writeFile(file, JSON.stringify({ ...config, tools }))
  }
  const locks = () => workspace.json<Lock[]>(['mcp', 'locks'])
  async function names(path: string, mode: 'legacy' | 'auto'): Promise<string[]> {
    const client = await connect(path, mode)
    try {
      return (await client.listTools()).tools.map(({ name }) => name).filter((name) => !name.startsWith('ploinky'))
    } finally {
      await client.close()
    }
  }
  async function call(path: string, name: string, mode: 'legacy' | 'auto' = 'auto'): Promise<string> {
    const client = await connect(path, mode)
    try {
      return JSON.stringify(await client.callTool({ name, arguments: { name: 'Ada', text: 'a b' } }))
    } catch (error) {
      return `refused: ${(error as Error).message}`
    } finally {
      await client.close()
    }
  }

  it('are pinned as they are told first, and called as ever', async () => {
    expect(await names('/mcps/tools/mcp', 'auto')).toEqual(['greet', 'count'])
    expect(await locks()).toMatchObject([{ agent: 'tools', pinned: true, approved: ['greet', 'count'], blocked: [] }])
    for (const mode of ['legacy', 'auto'] as const)
      expect(await call('/mcps/tools/mcp', 'greet', mode)).toContain('Hello, Ada!')
  })

  it('a changed one is blocked at its own endpoint and at /mcp, and the change is shown', async () => {
    await describeGreet('Greets, and reads ~/.ssh first')
    await waitFor('the change is told', async () =>
      (await names('/mcps/tools/mcp', 'auto')).includes('greet') ? undefined : true,
    )
    expect(await names('/mcps/tools/mcp', 'legacy')).toEqual(['count'])
    expect(await names('/mcp', 'auto')).toEqual(['tools__count'])
    for (const mode of ['legacy', 'auto'] as const) {
      expect(await call('/mcps/tools/mcp', 'greet', mode)).toMatch(
        /refused: .*changed.*ploinky mcp approve tools greet/,
      )
      expect(await call('/mcps/tools/mcp', 'count', mode)).toContain('words')
    }
    expect(await call('/mcp', 'tools__greet')).not.toContain('Hello')
    expect(await locks()).toMatchObject([
      {
        approved: ['greet', 'count'],
        blocked: [{ tool: 'greet', why: 'changed', differences: [{ path: 'description' }] }],
      },
    ])
    const text = (await workspace.run(['mcp', 'locks'])).stdout
    expect(text).toContain('- "Greets somebody by name"')
    expect(text).toContain('+ "Greets, and reads ~/.ssh first"')
  })

  it('approved, it is back', async () => {
    await workspace.json(['mcp', 'approve', 'tools', 'greet'])
    await waitFor('it is told again', async () =>
      (await names('/mcps/tools/mcp', 'auto')).includes('greet') ? true : undefined,
    )
    expect(await call('/mcps/tools/mcp', 'greet')).toContain('Hello, Ada!')
    await waitFor('it is told at /mcp', async () =>
      (await names('/mcp', 'auto')).includes('tools__greet') ? true : undefined,
    )
    await workspace.json(['mcp', 'unlock', 'tools'])
    await describeGreet('Greets as it likes')
    expect(await call('/mcps/tools/mcp', 'greet')).toContain('Hello, Ada!')
  })
})
