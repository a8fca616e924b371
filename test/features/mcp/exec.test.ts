/** The router's half: the same server, whose commands go through a runtime's exec. Real engines: test/e2e/agent-server.test.ts. */
import { spawn } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ExecOptions, ExecSession, RuntimeAdapter } from '../../../runtimes/adapter.ts'
import type { Logger } from '../../../src/core/log.ts'
import { createExecMcp } from '../../../src/features/mcp/exec.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let dir: string
const open: { close(): Promise<void> }[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-exec-mcp-'))
  await mkdir(join(dir, 'code'))
})
afterEach(async () => {
  for (const mcp of open.splice(0)) await mcp.close()
  await rm(dir, { recursive: true, force: true })
})

/** The part of a runtime that is used: a program on this machine, which sees the code folder as /code. */
const adapter = {
  exec: async (_name: string, argv: readonly string[], options: ExecOptions = {}): Promise<ExecSession> => {
    const local = (path: string): string => path.replace(/^\/code(?=\/|$)/, join(dir, 'code'))
    const [file = '', ...args] = argv.map(local)
    const env = { PATH: process.env['PATH'], ...(options.env as Record<string, string>) }
    const child = spawn(file, args, { cwd: local(options.cwd ?? '/code'), env, detached: true })
    child.stdin.on('error', () => {})
    child.stdin.end(options.stdin)
    const exit = new Promise<number>((resolve) => {
      child.once('error', () => resolve(127))
      child.once('close', (code) => resolve(code ?? 137))
    })
    const kill = async (): Promise<void> => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
      await exit
    }
    return { stdout: child.stdout, stderr: child.stderr, exit, kill }
  },
} as unknown as RuntimeAdapter

function serve(folder = 'tasks') {
  const errors: string[] = []
  const log = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (message: string, fields: object) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    child: (): Logger => log,
  } as unknown as Logger
  const mcp = createExecMcp({
    fs: createFileSystem(),
    log,
    version: '1.0.0',
    tasksDir: (agent) => join(dir, folder, agent),
    target: async () => ({ adapter, container: 'c', codeDir: join(dir, 'code') }),
  })
  open.push(mcp)
  return { mcp, errors }
}

async function configure(config: object | string): Promise<void> {
  const file = join(dir, 'code/mcp-config.json')
  await writeFile(`${file}.new`, typeof config === 'string' ? config : JSON.stringify(config))
  await rename(`${file}.new`, file)
}

type Mcp = ReturnType<typeof serve>['mcp']
const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}
interface Block {
  text: string
}
const OPERATOR = { sub: 'user:operator', roles: ['admin'] }

interface Answer {
  result?: { tools?: { name: string }[]; content?: Block[]; taskId?: string; status?: string; isError?: boolean }
  error?: { message: string }
}

async function send(mcp: Mcp, body: object, headers: Record<string, string>): Promise<Response> {
  return await mcp.handle(
    'sample',
    new Request('http://router/mcps/sample/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }),
    }),
    OPERATOR,
  )
}

async function ask(mcp: Mcp, method: string, params: { name?: string; taskId?: string; arguments?: object } = {}) {
  const name = params.taskId ?? params.name
  const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...(name ? { 'mcp-name': name } : {}) }
  const response = await send(mcp, { method, params: { ...params, _meta: meta } }, headers)
  return (await response.json()) as Answer
}
const names = async (mcp: Mcp) => (await ask(mcp, 'tools/list')).result?.tools?.map(({ name }) => name)
const until = <T>(check: () => Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 15_000, interval: 20 })

describe('tools through exec', () => {
  it('are found in the code folder before PATH, as in a container', async () => {
    await writeFile(join(dir, 'code/own.sh'), '#!/bin/sh\necho "own $TOOL_NAME"')
    await chmod(join(dir, 'code/own.sh'), 0o755)
    await mkdir(join(dir, 'code/echo'))
    await configure({
      tools: [
        { name: 'own', command: 'own.sh' },
        { name: 'path', command: 'echo', args: ['path'] },
      ],
    })
    const { mcp } = serve()
    const texts = async (name: string) => (await ask(mcp, 'tools/call', { name })).result?.content?.[0]?.text
    expect([await texts('own'), await texts('path')]).toEqual(['own own\n', 'path\n'])
  })

  it('change with the configuration; sessions live on and are told', async () => {
    await configure({ tools: [{ name: 'one', command: 'echo' }] })
    const { mcp, errors } = serve()
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
    const opened = await send(mcp, { method: 'initialize', params: initialize }, {})
    await opened.text()
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    const headers = { ...session, accept: 'text/event-stream' }
    const stream = await mcp.handle('sample', new Request('http://router/mcps/sample/mcp', { headers }), OPERATOR)
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
    await configure({ tools: [{ name: 'two', command: 'echo' }] })
    // Nobody asks for anything: the news comes by itself.
    let heard = ''
    while (!heard.includes('notifications/tools/list_changed')) heard += (await reader?.read())?.value ?? 'the end'
    expect(await (await send(mcp, { method: 'tools/list' }, session)).text()).toContain('"two"')
    await reader?.cancel()
    await configure('{"tools": [{}]}')
    await until(async () => expect(errors.join()).toContain('the one before stays'))
    expect(errors.join()).toContain('tools[0].name')
    expect(await names(mcp)).toEqual(['two'])
    await rm(join(dir, 'code/mcp-config.json'))
    expect(await names(mcp)).toEqual(['two'])
    await configure({ tools: [{ name: 'three', command: 'echo' }] })
    expect(await names(mcp)).toEqual(['three'])
    expect((await send(mcp, { method: 'tools/list' }, session)).status).toBe(200)
  })

  it('that are wrong from the beginning are an error, until they are corrected', async () => {
    await configure('{')
    const { mcp } = serve()
    await expect(names(mcp)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    await configure({ tools: [] })
    expect(await names(mcp)).toEqual([])
  })

  it('keep their tasks in the workspace, over a restart of the router', async () => {
    await configure({
      tools: [
        { name: 'done', async: true, command: 'sh', args: ['-c', 'echo "out $1"; echo log >&2', 'sh', 'kept'] },
        { name: 'wait', async: true, command: 'sleep', args: ['600'] },
      ],
    })
    const first = serve().mcp
    const start = async (name: string) => (await ask(first, 'tools/call', { name })).result?.taskId ?? ''
    const [done, lost] = [await start('done'), await start('wait')]
    const state = async (mcp: Mcp, taskId: string) => (await ask(mcp, 'tasks/get', { taskId })).result?.status
    await until(async () => expect(await state(first, done)).toBe('completed'))
    // Beside them, for a moment, is what a record is written to first.
    const records = [`${done}.json`, `${lost}.json`].toSorted()
    await until(async () => expect((await readdir(join(dir, 'tasks/sample'))).toSorted()).toEqual(records))
    expect(JSON.parse(await readFile(join(dir, 'tasks/sample', `${lost}.json`), 'utf8'))).toMatchObject({ id: lost })
    // What a killed router leaves: its records as they are, and the programs that it began.
    await cp(join(dir, 'tasks'), join(dir, 'later'), { recursive: true })
    const second = serve('later').mcp
    expect([await state(second, done), await state(second, lost)]).toEqual(['completed', 'failed'])
    await until(async () => expect(await state(first, lost)).toBe('completed'))
    expect((await ask(first, 'tasks/get', { taskId: lost })).result).toMatchObject({ result: { isError: true } })
    const status = await second.handle(
      'sample',
      new Request(`http://router/mcps/sample/getTaskStatus?taskId=${done}`),
      OPERATOR,
    )
    expect(await status.json()).toMatchObject({
      task: { toolName: 'done', status: 'completed', logTail: 'out kept\nlog\n', result: { content: [{ text: 'out kept\n' }, {}] } },
    }) // prettier-ignore
  })
})
