/** Agents as clients see them: the command line, and a client that starts a server on stdio. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createWorkspace,
  engine,
  isAlive,
  platform,
  program,
  spawnProgram,
  waitFor,
  type Workspace,
} from '../helpers/workspace.ts'

interface Result {
  content: { text: string }[]
  isError?: boolean
}

describe(`clients on ${engine} with ${platform}`, () => {
  let workspace: Workspace
  let home: string
  beforeAll(async () => {
    workspace = await createWorkspace()
    home = await mkdtemp(join(tmpdir(), 'ploinky-home-'))
    await workspace.json(['start', 'demo'])
  })
  afterAll(async () => {
    await workspace[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  const client = (...words: string[]) => workspace.run(['client', ...words])

  describe('ploinky client', () => {
    it('lists what an agent offers', async () => {
      const tools = await workspace.json<{ offered: { agent: string; items: { name: string }[] }[] }>([
        ...['client', 'list', 'tools'],
      ])
      expect(tools.offered.map(({ agent }) => agent)).toEqual(['demo'])
      expect(tools.offered[0]?.items.map(({ name }) => name)).toContain('add')
      expect((await client('list', 'tools', '--agent', 'demo')).stdout).toMatch(/^demo\n {2}echo text +\S/)
      expect((await client('list', 'resources')).stdout).toContain('demo://about')
      expect((await client('list', 'prompts')).stdout).toContain('introduce audience')
      const status = await workspace.json<object[]>(['client', 'status'])
      expect(status).toMatchObject([
        { agent: 'demo', reachable: true, era: 'modern', protocolVersion: '2026-07-28', tools: 5, error: null },
      ])
    })

    it('calls a tool with the types that it asks for, wherever the arguments come from', async () => {
      expect((await client('tool', 'add', '-a', 'demo', '-p', 'a=1', '-p', 'b=2.5')).stdout).toBe('3.5\n')
      expect((await client('tool', 'echo', '-p', 'text=12 "x"')).stdout).toBe('12 "x"\n')
      const piped = await workspace.run(['client', 'tool', 'add', '--input', '-'], { input: '{"a":40,"b":2}' })
      expect([piped.code, piped.stdout]).toEqual([0, '42\n'])
      const result = await workspace.json<Result>(['client', 'tool', 'echo', '--input', '{"text":"ă"}'])
      expect(result.content[0]?.text).toContain('ă')
    })

    it('tells progress on stderr, and the result alone on stdout', async () => {
      const slow = await client('tool', 'slow', '-p', 'seconds=1')
      expect([slow.code, slow.stdout]).toEqual([0, 'Worked for 1 seconds\n'])
      expect(slow.stderr).toContain('Step 1 of 10 (1/10)')
    })

    it.each([
      [['tool', 'fail', '-p', 'message=boo'], 9, 'boo'],
      [['tool', 'add', '-p', 'a=x', '-p', 'b=1'], 2, 'expected number'],
      [['tool', 'add', '-p', 'a=1'], 2, 'needs "b"'],
      [['tool', 'ad', '-a', 'demo'], 4, 'Did you mean "add"'],
      [['tool', 'no-such-tool'], 4, 'No running agent has'],
      [['tool', 'add', '-a', 'nobody'], 4, 'AGENT_NOT_FOUND'],
      [['resource', 'demo://nothing', '-a', 'demo'], 4, 'no such resource'],
      [['prompt', 'introduc', '-a', 'demo'], 4, 'Did you mean "introduce"'],
      [['tool', 'slow', '-p', 'seconds=30', '--timeout', '1'], 7, 'TIMEOUT'],
      [['status', 'nobody'], 4, 'not enabled'],
    ])('%j ends with %i', async (words, code, text) => {
      const result = await client(...words)
      expect([result.code, result.stdout]).toEqual([code, ''])
      expect(result.stderr).toContain(text)
    })

    it('a failed tool is a whole result with --json, and its exit code stays', async () => {
      const failed = await workspace.run(['client', 'tool', 'fail', '--json'])
      expect(failed.code).toBe(9)
      expect(JSON.parse(failed.stdout)).toMatchObject({ isError: true, content: [{ type: 'text' }] })
    })

    it('reads resources and prompts', async () => {
      expect(JSON.parse((await client('resource', 'demo://about', '-a', 'demo')).stdout)).toMatchObject({
        agent: 'demo',
      })
      expect((await client('prompt', 'introduce', '-a', 'demo', '-p', 'audience=children')).stdout).toMatch(
        /^user: Introduce .* to children/,
      )
    })

    it('Ctrl-C ends the call in the agent, too', async () => {
      const child = spawnProgram(['client', 'tool', 'slow', '-p', 'seconds=60'], {
        cwd: workspace.dir,
        env: { PLOINKY_PORT: String(workspace.port) },
      })
      let stderr = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve([code, signal])))
      await waitFor('the call works', () => (stderr.includes('Step 1') ? true : undefined))
      const working = () => workspace.run(['exec', 'demo', '--', 'ps', '-eo', 'args'])
      expect((await working()).stdout).toContain('slow.mjs')
      child.kill('SIGINT')
      expect(await ended, stderr).toEqual([130, null])
      await waitFor('its program is gone', async () =>
        (await working()).stdout.includes('slow.mjs') ? undefined : true,
      )
    })

    it('two agents with the same tool: the choice is the caller’s; a stopped one is told apart', async () => {
      await workspace.json(['enable', 'agent', 'demo', '--as', 'second'])
      await workspace.json(['start', 'second'])
      const ambiguous = await client('tool', 'echo', '-p', 'text=x')
      expect(ambiguous.code).toBe(6)
      expect(ambiguous.stderr).toContain('demo, second')
      expect((await client('tool', 'echo', '-a', 'second', '-p', 'text=x')).stdout).toBe('x\n')
      await workspace.run(['stop', 'second'])
      const all = await workspace.run(['client', 'status', '--json'])
      expect([all.code, JSON.parse(all.stdout)]).toMatchObject([
        0,
        [
          { agent: 'demo', reachable: true },
          { agent: 'second', reachable: false, error: { code: 'AGENT_NOT_RUNNING' } },
        ],
      ])
      expect((await client('status', 'second')).code).toBe(5)
      expect((await client('tool', 'echo', '-a', 'second', '-p', 'text=x')).code).toBe(5)
      expect((await client('tool', 'echo', '-p', 'text=x')).stdout).toBe('x\n')
      await workspace.json(['disable', 'agent', 'second'])
    })
  })

  describe('ploinky mcp stdio', () => {
    async function connect(mode: 'auto' | 'legacy') {
      const [file, ...args] = program(['--workspace', workspace.dir, 'mcp', 'stdio', '--agent', 'demo'])
      const transport = new StdioClientTransport({ command: file, args, stderr: 'pipe' })
      let said = ''
      transport.stderr?.on('data', (chunk: Buffer) => (said += String(chunk)))
      const made = new Client({ name: 'stdio', version: '1.0.0' }, { versionNegotiation: { mode } })
      await made.connect(transport)
      return { mcp: made, transport, said: () => said }
    }

    it.each(['auto', 'legacy'] as const)('%s: tools, progress, cancellation, resources, prompts', async (mode) => {
      const { mcp, transport } = await connect(mode)
      expect(mcp.getProtocolEra()).toBe(mode === 'auto' ? 'modern' : 'legacy')
      expect((await mcp.listTools()).tools.map(({ name }) => name)).toContain('slow')
      const steps: number[] = []
      const slow = await mcp.callTool(
        { name: 'slow', arguments: { seconds: 0.5 } },
        { onprogress: ({ progress }) => steps.push(progress) },
      )
      expect(slow).toMatchObject({ content: [{ text: 'Worked for 0.5 seconds\n' }] })
      expect(steps.length).toBeGreaterThan(0)
      const abort = new AbortController()
      const cancelled = mcp.callTool(
        { name: 'slow', arguments: { seconds: 60 } },
        { signal: abort.signal, onprogress: () => abort.abort() },
      )
      await expect(cancelled).rejects.toThrow()
      const many = await Promise.all(
        Array.from({ length: 8 }, (_, index) => mcp.callTool({ name: 'echo', arguments: { text: `ă ${index}` } })),
      )
      expect(many.map((result) => (result as Result).content[0]?.text)).toEqual(many.map((_, index) => `ă ${index}`))
      expect((await mcp.readResource({ uri: 'demo://about' })).contents).toHaveLength(1)
      expect((await mcp.getPrompt({ name: 'introduce', arguments: { audience: 'you' } })).messages).toHaveLength(1)
      await expect(mcp.getPrompt({ name: 'nothing' })).rejects.toThrow()
      const { pid } = transport
      await mcp.close()
      await waitFor('the bridge ends with its client', () => {
        try {
          process.kill(pid ?? 0, 0)
          return undefined
        } catch {
          return true
        }
      })
    })

    it('an agent and a router that were started again keep their clients', async () => {
      const [modern, legacy] = [await connect('auto'), await connect('legacy')]
      const echo = async ({ mcp }: { mcp: Client }) =>
        ((await mcp.callTool({ name: 'echo', arguments: { text: 'still' } })) as Result).content[0]?.text
      expect([await echo(modern), await echo(legacy)]).toEqual(['still', 'still'])
      await workspace.json(['restart', 'demo'])
      expect([await echo(modern), await echo(legacy)]).toEqual(['still', 'still'])
      expect(legacy.said()).toContain('a new one was made')
      const before = await workspace.routerPid()
      process.kill(before, 'SIGKILL')
      // What it may still have received is rightly not sent again.
      await waitFor('the router is gone', () => (isAlive(before) ? undefined : true))
      expect([await echo(modern), await echo(legacy)]).toEqual(['still', 'still'])
      expect(await workspace.routerPid()).not.toBe(before)
      await modern.mcp.close()
      await legacy.mcp.close()
    })

    it('lines in, lines out; what is no message is answered, and the end of the input ends it', async () => {
      const call = {
        ...{ jsonrpc: '2.0', id: 'one', method: 'tools/call' },
        params: {
          ...{ name: 'echo', arguments: { text: 'from a script' } },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'script', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }
      const result = await workspace.run(['mcp', 'stdio', '--agent', 'demo'], {
        input: `not json\n\n${JSON.stringify(call)}\n`,
      })
      const lines = result.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      expect([result.code, lines]).toMatchObject([
        0,
        [
          { id: null, error: { code: -32700 } },
          { id: 'one', result: { content: [{ text: 'from a script' }] } },
        ],
      ])
      const unknown = await workspace.run(['mcp', 'stdio', '--agent', 'nobody'], { input: `${JSON.stringify(call)}\n` })
      expect(JSON.parse(unknown.stdout)).toMatchObject({ id: 'one', error: { data: { code: 'AGENT_NOT_FOUND' } } })
    })
  })

  describe('ploinky mcp config', () => {
    const config = (...words: string[]) =>
      workspace.run(['mcp', 'config', ...words], { env: { HOME: home, XDG_CONFIG_HOME: undefined } })

    it('writes a file that starts the agent’s tools, keeps what was there, and holds no secret', async () => {
      const file = join(home, '.cursor/mcp.json')
      await mkdir(join(home, '.cursor'))
      await writeFile(file, '{\n  // mine\n  "mcpServers": { "other": { "command": "x" } }\n}\n', { mode: 0o640 })
      const dry = await config('cursor', '--agent', 'demo', '--install', '--dry-run')
      expect(dry.stdout).toContain('+    "ploinky-demo": {')
      expect(await readFile(file, 'utf8')).not.toContain('ploinky')
      expect((await config('cursor', '--agent', 'demo', '--install')).code).toBe(0)
      const text = await readFile(file, 'utf8')
      expect(text).toContain('// mine')
      expect(text).not.toContain(await workspace.token())
      const [backup] = (await readdir(join(home, '.cursor'))).filter((name) => name.startsWith('mcp.json.bak-'))
      expect(await readFile(join(home, '.cursor', backup ?? ''), 'utf8')).toContain('"other"')
      expect((await config('cursor', '--agent', 'demo', '--install')).stdout).toContain('has it already')

      const { mcpServers } = JSON.parse(text.replace('// mine', '')) as {
        mcpServers: Record<string, { command: string; args: string[] }>
      }
      const entry = mcpServers['ploinky-demo'] ?? { command: '', args: [] }
      const mcp = new Client({ name: 'cursor', version: '1.0.0' })
      await mcp.connect(new StdioClientTransport({ ...entry, cwd: home, stderr: 'ignore' }))
      expect((await mcp.listTools()).tools.map(({ name }) => name)).toContain('echo')
      await mcp.close()
    })

    it('a file of the project names no path of this machine and no token', async () => {
      expect((await config('vscode', '--project', '--http', '--install')).code).toBe(0)
      const text = await readFile(join(workspace.dir, '.vscode/mcp.json'), 'utf8')
      expect(text).toContain('${input:ploinky-token}')
      expect(text).not.toContain(await workspace.token())
      expect((await config('cursor', '--project', '--install')).code).toBe(0)
      expect(await readFile(join(workspace.dir, '.cursor/mcp.json'), 'utf8')).not.toContain(workspace.dir)
      expect((await config('windsurf', '--project')).code).toBe(5)
    })

    it('a file that cannot be read stays as it is', async () => {
      await writeFile(join(home, '.claude.json'), '{ broken')
      expect((await config('claude-code', '--install')).code).toBe(3)
      expect(await readFile(join(home, '.claude.json'), 'utf8')).toBe('{ broken')
    })
  })

  it('without a router every command says so', async () => {
    await workspace.json(['stop'])
    for (const words of [['status'], ['list', 'tools'], ['tool', 'echo'], ['resource', 'x://y', '-a', 'demo']]) {
      const result = await client(...words)
      expect([result.code, result.stderr]).toEqual([5, expect.stringContaining('ROUTER_NOT_RUNNING')])
    }
  })
})
