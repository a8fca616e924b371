import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseAgentConfig } from '../../src/agent/config.ts'
import type { AgentMcpServer } from '../../src/agent/server.ts'
import { createAgentMcpServer } from '../../src/agent/server.ts'
import { createSpawnRunner } from '../../src/agent/spawn-runner.ts'
import { isAlive } from '../helpers/workspace.ts'
import { agentFolder, builtin, cleanUp, post, temporaryFolder, until } from './helpers.ts'

/** The shells that this machine has of those that images bring: dash on Debian, busybox on Alpine. */
const shells = [['/bin/sh'], ['/bin/dash'], ['/bin/busybox', 'sh'], ['/bin/bash', '--posix']].filter(([program = '']) =>
  existsSync(program),
)

describe.each(['demo', 'shell'])('the built-in agent "%s"', (agent) => {
  test('has a manifest and a configuration without a single complaint', () => {
    const manifest = JSON.parse(readFileSync(join(builtin(agent), 'manifest.json'), 'utf8'))
    expect(manifest).toMatchObject({
      about: expect.any(String),
      container: expect.stringMatching(/^docker\.io\//),
      cli: expect.any(String),
    })
    const code = join(builtin(agent), 'code')
    const text = readFileSync(join(code, 'mcp-config.json'), 'utf8')
    const { config, errors, warnings } = parseAgentConfig(text, { codeDir: code })
    expect([errors, warnings]).toEqual([[], []])
    for (const { argv } of [...(config?.tools ?? []), ...(config?.resources ?? [])]) {
      expect(existsSync(join(code, argv[1] ?? ''))).toBe(true)
    }
  })
})

describe.each(shells)('the tools of the shell agent under %s %s', (...shell) => {
  let server: AgentMcpServer
  const files = temporaryFolder()

  beforeAll(() => {
    const code = join(builtin('shell'), 'code')
    const { config } = parseAgentConfig(readFileSync(join(code, 'mcp-config.json'), 'utf8'), { codeDir: code })
    if (config === undefined) throw new Error('the configuration is wrong')
    const bin = binaries(shell)
    const runner = createSpawnRunner({ cwd: files, env: { PATH: bin } })
    server = createAgentMcpServer({ config, run: runner.run, agent: 'shell', log: () => undefined })
    cleanUp(() => server.close())
  })

  async function call(name: string, args: object): Promise<{ texts: string[]; isError: boolean }> {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const response = await server.fetch(
      new Request('http://agent/mcp', {
        method: 'POST',
        headers: {
          'content-type': 'application/json', accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: meta } }),
      }),
    ) // prettier-ignore
    const { result } = await response.json()
    return { texts: result.content.map((block: { text: string }) => block.text), isError: result.isError === true }
  }

  test('run a command line as it is written', async () => {
    expect((await call('run', { command: 'echo "a  b" | tr a-z A-Z; pwd' })).texts).toEqual(['A  B\n/\n'])
    expect((await call('run', { command: 'pwd', directory: files })).texts).toEqual([`${files}\n`])
    expect((await call('run', { command: 'printf %s "Grüße 👍"' })).texts).toEqual(['Grüße 👍'])
    expect((await call('run', { command: 'cat' })).texts).toEqual(['(no output)'])
  })

  test('report the exit code without losing the output', async () => {
    const result = await call('run', { command: 'echo out; echo err >&2; exit 3' })
    expect(result).toEqual({ texts: ['out\n', 'stderr:\nerr\nexit code 3'], isError: false })
  })

  test('stop a command that takes too long', async () => {
    const { texts } = await call('run', { command: 'echo begun; sleep 100', timeout: 1 })
    expect(texts[0]).toBe('begun\n')
    expect(texts[1]).toMatch(/^stderr:\n(.*\n)?exit code (124|143) \(a command is stopped after 1 seconds\)$/)
  })

  test('list and read files whatever they are called', async () => {
    const strange = join(files, '-n $(touch pwned) "x".txt')
    mkdirSync(join(files, '-la'), { recursive: true })
    writeFileSync(strange, 'one\ntwo €\n')
    expect((await call('list_files', { path: files })).texts[0]).toContain('-n $(touch pwned) "x".txt')
    expect((await call('list_files', { path: join(files, '-la') })).isError).toBe(false)
    expect((await call('read_file', { path: strange })).texts).toEqual(['one\ntwo €\n'])
    expect((await call('read_file', { path: strange, bytes: 3 })).texts).toEqual(['one'])
    expect(readdirSync(files)).not.toContain('pwned')
  })

  test('refuse what is not there', async () => {
    expect((await call('read_file', { path: '/no/such/file' })).isError).toBe(true)
    expect((await call('list_files', { path: '/no/such/folder' })).isError).toBe(true)
    expect(await call('read_file', { path: files })).toEqual({
      texts: [`"${files}" is a directory; use list_files`],
      isError: true,
    })
    expect((await call('run', { command: 'true', directory: '/no/such/folder' })).isError).toBe(true)
  })

  test('tell about the system', async () => {
    const { texts } = await call('system_info', {})
    expect(texts).toHaveLength(1)
    expect(texts[0]).toMatch(/^system: +\S[\s\S]*\nkernel: +Linux [\s\S]*\nuser: +\S+ \(\d+:\d+\)\n/)
  })
})

describe('the chat of the demo agent', () => {
  const program = join(builtin('demo'), 'code/chat.mjs')

  test('answers piped lines and ends with its input', () => {
    const { status, stdout } = spawnSync(process.execPath, [program], {
      encoding: 'utf8',
      input: 'help\necho  a  b\nadd 2 3\nadd x\nconstructor\nÜber 👍',
    })
    expect(status).toBe(0)
    expect(stdout.split('\n')[0]).toMatch(/^Hello, I am the demo agent/)
    expect(stdout).toContain('\na  b\n5\nTry "add 2 3".\nYou said: constructor\nYou said: Über 👍\nGoodbye.\n')
  })

  test('ends at "exit", whatever follows', () => {
    const { status, stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8', input: 'exit\necho never\n' })
    expect([status, stdout.endsWith('Goodbye.\n'), stdout.includes('never')]).toEqual([0, true, false])
  })

  test('answers while its input stays open', async () => {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk))
    child.stdin.write('time\n')
    await until(() => expect(out).toMatch(/\nIt is \d{4}-.*Z\.\n/))
    child.stdin.write('exit\n')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('the page of the demo agent', () => {
  const folder = join(builtin('demo'), 'code/public')
  const html = readFileSync(join(folder, 'index.html'), 'utf8')

  test('has nothing inline and nothing from elsewhere, so that a strict policy allows it', () => {
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:/i)
    const links = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map((found) => found[1] ?? '')
    expect(links.length).toBeGreaterThan(3)
    for (const link of links) expect(existsSync(join(folder, link))).toBe(true)
    for (const file of ['app.js', 'mcp.js']) {
      expect(readFileSync(join(folder, file), 'utf8')).not.toMatch(/innerHTML|insertAdjacentHTML|eval\(|https?:\/\//)
    }
  })
})

describe.each(shells)('the launcher under %s %s', (program = '', ...options) => {
  test('without Node in the image says so, stays, and ends at SIGTERM', async () => {
    const script = join(await agentFolder(), 'server/AgentServer.sh')
    const child = spawn(program, [...options, script], {
      env: { PATH: binaries([program, ...options]) },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    cleanUp(() => void child.kill('SIGKILL'))
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
    await until(() => expect(err).toMatch(/^AgentServer: this image has no "node" of version 18 or later; .*\n$/))
    // The message comes before the signal handler is set, so the wait for its sleep makes sure that it is.
    await until(() => expect(childrenOf(child.pid)).toHaveLength(1))
    const [sleeper = 0] = childrenOf(child.pid)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    await until(() => expect(isAlive(sleeper)).toBe(false))
  })

  test.each(['v8.17.0', 'v17.9.1'])('with Node %s, which is too old, does without', async (version) => {
    const path = binaries([program, ...options])
    const node = join(temporaryFolder(), 'node')
    writeFileSync(node, `#!/bin/sh\n[ "$1" = --version ] && echo ${version}\n`, { mode: 0o755 })
    const script = join(await agentFolder(), 'server/AgentServer.sh')
    const child = spawn(program, [...options, script], {
      env: { PATH: `${dirname(node)}:${path}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    cleanUp(() => void child.kill('SIGKILL'))
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
    await until(() => expect(err).toContain('18 or later'))
    await until(() => expect(childrenOf(child.pid)).toHaveLength(1))
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('with Node becomes the server', async () => {
    const folder = await agentFolder()
    const env = { PATH: process.env['PATH'], PORT: '0', PLOINKY_BIND: '127.0.0.1', PLOINKY_CODE_DIR: temporaryFolder() }
    const child = spawn(program, [...options, join(folder, 'server/AgentServer.sh')], {
      env,
      cwd: env.PLOINKY_CODE_DIR,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    cleanUp(() => void child.kill('SIGKILL'))
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk))
    await until(() => expect(err).toContain('Agent is listening'))
    const port = /"port":(\d+)/.exec(err)?.[1]
    expect((await post(`http://127.0.0.1:${port}/mcp`, {})).status).toBe(400)
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('of the default command line repeats until "exit" or the end', async () => {
    const script = join(await agentFolder(), 'default_cli.sh')
    const run = (input: string) => spawnSync(program, [...options, script], { encoding: 'utf8', input })
    expect(run('hi \\n $x\nexit\nmore\n')).toMatchObject({ status: 0, stdout: 'Ploinky default CLI\n> hi \\n $x\n> ' })
    expect(run('-n\nlast')).toMatchObject({ status: 0, stdout: 'Ploinky default CLI\n> -n\n> last\n> \n' })
  })
})

/** A PATH on which "sh" is the shell under test and there is no Node, as in a small image. */
function binaries([shell = '', applet]: string[]): string {
  const folder = temporaryFolder()
  const isBusybox = applet === 'sh'
  const names = ['cat', 'cut', 'df', 'head', 'id', 'ls', 'pwd', 'sed', 'sleep', 'timeout', 'touch', 'tr', 'uname']
  for (const name of names) {
    const real = isBusybox
      ? shell
      : ['/usr/bin', '/bin'].map((place) => join(place, name)).find((path) => existsSync(path))
    if (real !== undefined) symlinkSync(real, join(folder, name))
  }
  symlinkSync(shell, join(folder, 'sh'))
  return folder
}

function childrenOf(pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}
