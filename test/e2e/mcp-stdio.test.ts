/** Programs on standard streams in real containers, through the built router: both eras, and nothing left behind. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../helpers/eventually.ts'
import { BARE_IMAGE, makeBareImage, removeBareImage } from '../helpers/bare-image.ts'
import { ACCEPT, initialize, type Rpc } from '../helpers/mcp-stdio.ts'
import { createWorkspace, isContainerEngine, waitFor, type Workspace } from '../helpers/workspace.ts'

const NODE = 'docker.io/library/node:24-alpine'
const ALPINE = 'docker.io/library/alpine:3'
const BODY_LIMIT = 1024 * 1024
/** Sessions that begin and end; a soak sets more. */
const SESSIONS = Number(process.env['PLOINKY_TEST_SESSIONS'] ?? 200)
const AT_ONCE = 8

/** Answers every request with its id, and leaves a process behind that it started. */
const TINY = `sleep 86400 &
while read -r line; do
  case "$line" in
    *'"id":"init"'*) echo '{"jsonrpc":"2.0","id":"init","result":{"protocolVersion":"2025-11-25","capabilities":{}}}' ;;
    *'"id":1,'*) echo '{"jsonrpc":"2.0","id":1,"result":{}}' ;;
  esac
done`

const stdio = (command: string | readonly string[]) => ({ transport: 'stdio', command })

async function define(workspace: Workspace, name: string, manifest: object): Promise<void> {
  const dir = join(workspace.dir, '.ploinky/repos/tools', name)
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest))
  if (!JSON.stringify(manifest).includes('server.mjs')) return
  await build({
    entryPoints: [fileURLToPath(new URL('../fixtures/mcp-stdio.mjs', import.meta.url))],
    outfile: join(dir, 'server.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    logLevel: 'warning',
    // A dependency is CommonJS and asks for built-in modules with require, which ES modules do not have.
    banner: {
      js: "import { createRequire as createRequire_ } from 'node:module'; const require = createRequire_(import.meta.url);",
    },
  })
}

describe.runIf(isContainerEngine)('programs on standard streams', () => {
  let workspace: Workspace
  let token = ''
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    await define(workspace, 'sdk', { container: NODE, mcp: stdio('node server.mjs') })
    await define(workspace, 'stubborn', { container: NODE, mcp: stdio('node server.mjs --stubborn') })
    await define(workspace, 'tiny', { container: ALPINE, mcp: stdio(['sh', '-c', TINY]) })
    const repos = { version: 1, repos: ['builtin', 'tools'] }
    await writeFile(join(workspace.dir, '.ploinky/enabled_repos.json'), JSON.stringify(repos))
    for (const name of ['sdk', 'stubborn', 'tiny']) await workspace.json(['enable', 'agent', `tools/${name}`])
    await workspace.json(['start'], { env: { PLOINKY_BODY_LIMIT: String(BODY_LIMIT) } })
    token = await workspace.token()
  }, 180_000)
  afterAll(() => workspace[Symbol.asyncDispose]())

  const urlOf = (agent: string): string => `${workspace.url}/mcps/${agent}/mcp`
  const authorization = (): Record<string, string> => ({ authorization: `Bearer ${token}` })

  async function connect(agent: string, era: 'legacy' | 'modern'): Promise<Client> {
    const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' }
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(
      new StreamableHTTPClientTransport(new URL(urlOf(agent)), { requestInit: { headers: authorization() } }),
    )
    return client
  }
  async function textOf(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
    const { content } = (await client.callTool({ name, arguments: args })) as { content: { text: string }[] }
    return content[0]?.text ?? ''
  }
  const inside = async (agent: string, line: string): Promise<string> =>
    (await workspace.run(['exec', agent, '--', 'sh', '-c', line])).stdout.trim()
  /** Command lines in a container, without those that look. */
  const processes = async (agent: string): Promise<string[]> => {
    const all = await inside(agent, `for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null && echo; done`)
    const lines = all.split('\n').map((line) => line.trim())
    return lines.filter((line) => line !== '' && !line.includes('cmdline'))
  }
  const programs = async (agent: string): Promise<number> =>
    (await processes(agent)).filter((line) => line.startsWith('node server.mjs')).length

  it.each(['legacy', 'modern'] as const)('the official client works: %s', async (era) => {
    const client = await connect('sdk', era)
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('echo')
    expect(await textOf(client, 'echo', { value: 'hé\n"🦀' })).toBe('hé\n"🦀')
    const steps: unknown[] = []
    const onprogress = ({ progress, message }: { progress: number; message?: string | undefined }): void =>
      void steps.push([progress, message])
    await client.callTool({ name: 'steps', arguments: { count: 3, label: era } }, { onprogress })
    expect(steps).toEqual([
      [1, era],
      [2, era],
      [3, era],
    ])
    await client.close()
  })

  it('sessions have programs of their own, the modern era shares one', async () => {
    const clients = await Promise.all([connect('sdk', 'legacy'), connect('sdk', 'legacy')])
    const shared = await Promise.all([connect('sdk', 'modern'), connect('sdk', 'modern')])
    const pids = await Promise.all([...clients, ...shared].map((client) => textOf(client, 'pid')))
    expect([new Set(pids).size, pids[2]]).toEqual([3, pids[3]])
    await Promise.all(
      shared.map(async (client, n) => {
        const labels = new Set<unknown>()
        const onprogress = ({ message }: { message?: string | undefined }): void => void labels.add(message)
        for (let round = 0; round < 20; round++) {
          const args = { count: 5, label: `client ${n}` }
          const { content } = (await client.callTool({ name: 'steps', arguments: args }, { onprogress })) as {
            content: { text: string }[]
          }
          labels.add(content[0]?.text)
        }
        expect([...labels]).toEqual([`client ${n}`])
      }),
    )
    for (const client of clients) await (client.transport as StreamableHTTPClientTransport).terminateSession()
    for (const client of [...clients, ...shared]) await client.close()
    await eventually(async () => expect(await programs('sdk')).toBeLessThanOrEqual(2))
  })

  it('one that does not serve is not called ready, and says why to everybody', async () => {
    const broken = ['sh', '-c', 'echo "Error: KEY is wrong" >&2; exit 3']
    await define(workspace, 'keyless', { container: ALPINE, mcp: stdio(broken) })
    await workspace.json(['enable', 'agent', 'tools/keyless'])
    const { code, stdout } = await workspace.run(['start', 'keyless', '--json'])
    const why = 'it ended with exit code 3: Error: KEY is wrong'
    const failed = { agent: 'keyless', state: 'failed', error: { code: 'AGENT_FAILED' } }
    expect([code, JSON.parse(stdout)]).toMatchObject([5, { agents: [failed] }])
    expect(stdout).toContain(`does not serve: ${why}`)
    await waitFor('the router to say so', async () => {
      const { agents } = await workspace.json<{ agents: { name: string; lastError: { message: string } | null }[] }>([
        'status',
      ])
      return agents.find(({ name }) => name === 'keyless')?.lastError?.message === why ? true : undefined
    })
    const asked = await workspace.run(['client', 'list', 'tools', '--agent', 'keyless'])
    expect(asked).toMatchObject({ code: 5, stderr: expect.stringContaining(`is unready: ${why}`) as string })
    await define(workspace, 'keyless', { container: ALPINE, mcp: stdio(['sh', '-c', TINY]) })
    const again = await workspace.json<{ agents: object[] }>(['start', 'keyless'])
    expect(again.agents).toMatchObject([{ agent: 'keyless', state: 'ready' }])
    await eventually(async () => expect(await inside('keyless', 'ps -o args | grep -c "[s]leep 86400"')).toBe('0'))
  })

  it.each(['legacy', 'modern'] as const)('a program that dies in the middle of calls: %s', async (era) => {
    const client = await connect('sdk', era)
    const waiting = textOf(client, 'wait', { ms: 600_000 })
    waiting.catch(() => {})
    await expect(textOf(client, 'die')).rejects.toThrow(/program of the agent is gone/)
    await expect(waiting).rejects.toThrow(/program of the agent is gone/)
    const next = era === 'modern' ? client : await connect('sdk', era)
    expect(await textOf(next, 'echo', { value: 'back' })).toBe('back')
    await Promise.all([client.close(), next.close()])
  })

  it('a message that is too large ends its session, not the router', async () => {
    const client = await connect('sdk', 'legacy')
    expect(await textOf(client, 'large', { bytes: BODY_LIMIT / 2 })).toHaveLength(BODY_LIMIT / 2)
    await expect(textOf(client, 'large', { bytes: BODY_LIMIT * 2 })).rejects.toThrow(/larger than 1048576 bytes/)
    await expect(textOf(client, 'echo', { value: 'x' })).rejects.toThrow()
    await client.close()
  })

  it('a client that does not read costs the router no memory', async () => {
    const pid = await workspace.routerPid()
    const before = residentMiB(pid)
    const session = await initialize(urlOf('sdk'), { headers: authorization() })
    const request = {
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { name: 'steps', arguments: { count: 2000, label: 'x'.repeat(64 * 1024) }, _meta: { progressToken: 1 } },
    }
    const response = await fetch(urlOf('sdk'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: ACCEPT, 'mcp-session-id': session, ...authorization() },
      body: JSON.stringify(request),
    })
    const seen: number[] = []
    await waitFor('memory that stands still', async () => {
      seen.push(residentMiB(pid))
      await new Promise((resolve) => setTimeout(resolve, 500))
      return seen.length >= 6 ? true : undefined
    })
    // 125 MiB are on their way.
    expect(Math.max(...seen) - before).toBeLessThan(60)
    let size = 0
    for await (const chunk of response.body ?? []) size += (chunk as Uint8Array).length
    expect(size).toBeGreaterThan(2000 * 64 * 1024)
  })

  it(`${SESSIONS} sessions leave nothing behind`, { timeout: 60_000 + SESSIONS * 1000 }, async () => {
    const before = await processes('tiny')
    let next = 0
    const answers = new Map<number, number>()
    const one = async (): Promise<void> => {
      const session = await initialize(urlOf('tiny'), { headers: authorization() })
      const headers = {
        'content-type': 'application/json',
        accept: ACCEPT,
        'mcp-session-id': session,
        ...authorization(),
      }
      const body = '{"jsonrpc":"2.0","id":1,"method":"x"}'
      const { id } = (await (await fetch(urlOf('tiny'), { method: 'POST', headers, body })).json()) as Rpc
      const { status } = await fetch(urlOf('tiny'), { method: 'DELETE', headers })
      if (id === 1) answers.set(status, (answers.get(status) ?? 0) + 1)
    }
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next++ < SESSIONS) await one()
      }),
    ).catch(async (cause: unknown) => {
      throw new Error(`${String(cause)}\n${await workspace.routerErrors()}`, { cause })
    })
    expect([...answers]).toEqual([[200, SESSIONS]])
    await eventually(async () => expect(await processes('tiny')).toEqual(before))
  })

  it('a router that is killed: programs end with their input, and the next one ends those that do not', async () => {
    const clients = [await connect('sdk', 'legacy'), await connect('stubborn', 'legacy')]
    const child = await textOf(clients[1] as Client, 'child')
    expect(await inside('stubborn', `[ -d /proc/${child} ] && echo there`)).toBe('there')
    const pid = await workspace.routerPid()
    process.kill(pid, 'SIGKILL')
    await waitFor('another router', async () => {
      const now = await workspace.routerPid().catch(() => pid)
      return now !== pid && (await fetch(`${workspace.url}/health`).catch(() => null))?.ok === true ? true : undefined
    })
    await eventually(async () => expect(await programs('sdk')).toBe(0))
    expect(await programs('stubborn')).toBe(1)
    for (const client of clients) await expect(textOf(client, 'echo', { value: 'x' })).rejects.toThrow()
    const client = await connect('stubborn', 'legacy')
    expect(await textOf(client, 'echo', { value: 'again' })).toBe('again')
    expect(await programs('stubborn')).toBe(1)
    expect(await inside('stubborn', `[ -d /proc/${child} ] || echo gone`)).toBe('gone')
    await (client.transport as StreamableHTTPClientTransport).terminateSession()
    await eventually(async () => expect(await programs('stubborn')).toBe(0))
  })

  it('an image without a shell: its own program waits, sessions run beside it', async ({ skip }) => {
    if (!makeBareImage()) skip('no static busybox here: its package is called busybox-static')
    try {
      const mcp = stdio(['/busybox', 'sh', '-c', TINY.replace('sleep 86400 &', '')])
      await define(workspace, 'bare', { container: BARE_IMAGE, start: '/busybox cat', mcp })
      await workspace.json(['enable', 'agent', 'tools/bare'])
      await workspace.json(['start', 'bare'])
      const session = await initialize(urlOf('bare'), { headers: authorization() })
      const headers = { 'mcp-session-id': session, ...authorization() }
      expect((await fetch(urlOf('bare'), { method: 'DELETE', headers })).status).toBe(200)
    } finally {
      await workspace.run(['disable', 'agent', 'bare'])
      removeBareImage()
    }
  })

  it('what programs write to standard error is in the log of the agent', async () => {
    const { stdout } = await workspace.run(['logs', 'sdk'])
    expect(stdout).toContain('the fixture is up')
  })
})

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib) / 1024
}
