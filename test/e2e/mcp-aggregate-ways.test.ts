/** Agents behind `/mcp` that are no HTTP servers which run already: programs on standard streams, and those that a call starts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect, defineMcpAgents, textOf } from '../helpers/mcp-agents.ts'
import { createWorkspace, type Workspace } from '../helpers/workspace.ts'

/** One line in, one line out; era of sessions only. */
const PROGRAM = `import { createInterface } from 'node:readline'
const tools = [{ name: 'count', inputSchema: { type: 'object' } }]
let calls = 0
const results = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'lines', version: '1' } }),
  'tools/list': () => ({ tools }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'call ' + (calls += 1) + 'x'.repeat(100000) }] }),
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  const result = results[method]?.(params)
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...(result ? { result } : { error: { code: -32601, message: method } }) }))
})
`

describe('/mcp reaches', () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['init'])
    const dir = join(workspace.dir, '.ploinky/repos/wire/lines')
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'program.mjs'), PROGRAM)
    const mcp = { transport: 'stdio', command: ['node', 'program.mjs'] }
    const manifest = { about: 'lines', container: 'docker.io/library/node:24-alpine', mcp }
    await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
    await defineMcpAgents(workspace, { lazy: 'both' }, { lazy: { startup: 'on-demand', idleSeconds: 600 } })
    await workspace.json(['enable', 'agent', 'wire/lines'])
    await workspace.json(['start', 'lines'])
    // The router knows of it, and does not start it.
    expect(await stateOf('lazy')).not.toBe('ready')
  }, 240_000)
  afterAll(() => workspace[Symbol.asyncDispose]())

  async function stateOf(agent: string): Promise<string | undefined> {
    const { agents } = await workspace.json<{ agents: { name: string; state: string }[] }>(['status'])
    return agents.find(({ name }) => name === agent)?.state
  }

  it.each(['modern', 'legacy'] as const)('a program on standard streams, for a client of the %s era', async (era) => {
    const client = await connect(workspace, '/mcp', { era })
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('lines__count')
    // Of an answer that is larger than any buffer on the way, nothing is lost.
    expect(textOf(await client.callTool({ name: 'lines__count', arguments: {} }))).toMatch(/^call \d+x{100000}$/)
    await client.close()
  })

  it.each(['modern', 'legacy'] as const)('an agent that the call starts, for a client of the %s era', async (era) => {
    const client = await connect(workspace, '/mcp', { era })
    const result = await client.callTool({ name: 'lazy__echo', arguments: { text: 'awake' } }, { timeout: 60_000 })
    expect(textOf(result)).toBe('lazy: awake')
    expect(await stateOf('lazy')).toBe('ready')
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('lazy__only_lazy')
    await client.close()
    await workspace.json(['stop', 'lazy'])
  })
})
