/** What people type wrong, and what scripts pass on: each gets a code, a sentence and a next step, and changes nothing. */
import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isHere } from '../helpers/http-router.ts'
import { createWorkspace, program, type RunOptions, type Workspace, platform } from '../helpers/workspace.ts'

interface Failure {
  code: number
  error: { code: string; message: string; details: { suggestion?: string } & Record<string, unknown> }
}

/** Runs with `--json`; gives the exit code and the error, which has to be there and in the one shape. */
async function failure(workspace: Workspace, args: readonly string[], options?: RunOptions): Promise<Failure> {
  const cut = args.indexOf('--')
  const withJson = cut < 0 ? [...args, '--json'] : [...args.slice(0, cut), '--json', ...args.slice(cut)]
  const { code, stdout, stderr } = await workspace.run(withJson, options)
  expect(stdout, `ploinky ${args.join(' ')}`).toBe('')
  const last = stderr.trimEnd().split('\n').at(-1) ?? ''
  const body = JSON.parse(last) as { error: Failure['error'] }
  expect(body.error.code).not.toBe('INTERNAL')
  return { code, error: body.error }
}

describe.runIf(isHere)('command lines', () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['enable', 'agent', 'demo'])
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  const usage: string[][] = [
    ...['0', '65536', '-1', 'http', '', '80.5', '1e3', '0x50', ' 80'].map((port) => ['start', '--port', port]),
    ['start', 'demo', '99999'],
    ...['evil host', '999.1.1.1', '::::', 'example.com', ''].map((host) => ['start', '--host', host]),
    ['start', '--runtime', 'dokcer'],
    ...['../x', '', 'a b'].map((profile) => ['start', '--profile', profile]),
    ['config', 'prot', '9000'],
    ['config', 'port', '99999'],
    ['config', 'constructor', 'x'],
    ['config', '__proto__', 'x'],
    ['config', 'toString'],
    ['logs', 'router', '--since', '99999999999999d'],
    ['logs', 'router', '--since', 'yesterday'],
    ['logs', 'router', '-n', '-1'],
    ['enable', 'agent', ''],
    ['exec', 'demo'],
    ['start', '--nonsense'],
  ]
  it('mistakes of the command line end with 2', async () => {
    for (const args of usage) {
      const { code, error } = await failure(workspace, args)
      expect([args.join(' '), code, error.code]).toEqual([args.join(' '), 2, 'USAGE_INVALID'])
      expect(error.details.suggestion, args.join(' ')).toBeTruthy()
    }
  })

  const hostile = [
    '../demo',
    '..',
    '/',
    'builtin/demo/../x',
    '-rf',
    'a b',
    '$(id)',
    '`id`',
    'x;reboot',
    'a\nb',
    '%2e%2e',
    '\u001b[2J',
    'démo',
    'constructor',
    '__proto__',
    'x'.repeat(5000),
  ]
  it('names that could escape a path, a label or a command line are not found', { timeout: 300_000 }, async () => {
    const every = [
      ['start'],
      ['enable', 'agent'],
      ['disable', 'agent'],
      ['stop'],
      ['restart'],
      ['logs'],
      ['shell'],
      ['cli'],
    ]
    const attempts = hostile.flatMap((name, index) =>
      // All commands share two look-ups; each is tried with some names, and the two with all.
      every.slice(0, index % 5 === 0 ? every.length : 2).map((args) => ({ args, name })),
    )
    for (const { args, name } of attempts) {
      const { code, error } = await failure(workspace, [...args, '--', name])
      expect([...args, name.slice(0, 20), code, error.code]).toEqual([...args, name.slice(0, 20), 4, 'AGENT_NOT_FOUND'])
      expect(error.message.length).toBeLessThan(300)
      // The suggestion is there to be run.
      expect(error.details.suggestion).toMatch(/^(?:Run: ploinky |Did you mean )[\w ./"?:-]+$/)
    }
    expect((await readdir(workspace.dir)).sort()).toEqual(['.ploinky', 'agents', 'code', 'skills'])
    expect(await readdir(join(workspace.dir, 'agents'))).toEqual(['demo'])
  })

  it('settings from the environment name the variable', async () => {
    const cases: Record<string, string>[] = [
      { PLOINKY_PORT: 'abc' },
      { PLOINKY_HOST: 'evil host' },
      { CONTAINER_RUNTIME: 'dockerr' },
      { PLOINKY_DEBUG: 'maybe' },
      { PLOINKY_READY_TIMEOUT: '-1' },
      { PLOINKY_ALLOWED_HOSTS: 'http://x' },
      { PLOINKY_BLOB_LIMIT: '1GB' },
    ]
    for (const env of cases) {
      const { code, error } = await failure(workspace, ['status'], { env })
      const [name = ''] = Object.keys(env)
      expect([code, error.code, error.message.includes(name)]).toEqual([3, 'CONFIG_INVALID', true])
      expect(error.details.suggestion).toContain(name)
    }
  })

  it('folders that are none', async () => {
    const missing = join(workspace.dir, 'nothing', 'here')
    const found = await failure(workspace, ['--workspace', missing, 'status'])
    expect([found.code, found.error.details.suggestion]).toEqual([4, `Create it: mkdir -p ${missing}`])
    expect((await failure(workspace, ['--workspace', '/etc/passwd', 'status'])).error.message).toContain('Not a folder')
    const env = { PLOINKY_WORKSPACE: '/x; reboot' }
    expect((await failure(workspace, ['status'], { env })).error.details.suggestion).toBe('Name a folder that exists')
  })

  it('a current folder that was deleted', async (context) => {
    if (platform === 'deno') context.skip('Deno itself ends before it runs a program in a folder that was deleted')
    const gone = join(workspace.dir, 'agents', 'demo', 'gone')
    await mkdir(gone)
    const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"'
    const [file, ...args] = program(['status', '--json'])
    const { stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', gone, file, ...args]).then(
      () => ({ stderr: '' }),
      (error: unknown) => error as { stderr: string },
    )
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'WORKSPACE_NOT_FOUND', message: 'The current folder no longer exists' },
    })
  })

  it('something else in the place of .ploinky', async () => {
    const cwd = join(workspace.dir, 'agents', 'demo', 'inner')
    await mkdir(cwd)
    const env = { PLOINKY_WORKSPACE: cwd }
    await writeFile(join(cwd, '.ploinky'), 'a note of mine')
    for (const args of [['init'], ['start', 'demo'], ['enable', 'agent', 'demo']]) {
      const { code, error } = await failure(workspace, args, { cwd, env })
      expect([code, error.code]).toEqual([3, 'CONFIG_INVALID'])
      expect(error.message).toContain(join(cwd, '.ploinky'))
    }
    await rm(join(cwd, '.ploinky'))
    await symlink('/nowhere/at/all', join(cwd, '.ploinky'))
    expect((await failure(workspace, ['init'], { cwd, env })).code).toBe(3)
    await rm(cwd, { recursive: true })
  })

  it('a port that a stranger has: his process is named, and nothing is started', async () => {
    const stranger = createServer((_request, response) => response.end('mine'))
    await new Promise<void>((resolve) => stranger.listen(workspace.port, '127.0.0.1', resolve))
    try {
      const { code, error } = await failure(workspace, ['start', 'demo', '--runtime', 'host'])
      expect([code, error.code]).toEqual([6, 'PORT_TAKEN'])
      expect(error.message).toContain(`process ${process.pid} (`)
      expect(error.details.suggestion).toContain('ploinky start --port')
      expect(await (await fetch(workspace.url)).text()).toBe('mine')
      const { agents } = await workspace.json<{ agents: { state: string }[] }>(['status'])
      expect(agents).toMatchObject([{ state: 'stopped' }])
    } finally {
      await new Promise((resolve) => stranger.close(resolve))
    }
  })

  it('what removes things asks first', async () => {
    for (const args of [['destroy'], ['token', 'rotate']]) {
      const { code, error } = await failure(workspace, args)
      expect([code, error.code]).toEqual([8, 'CONFIRMATION_REQUIRED'])
    }
    expect(await workspace.json(['status'])).toMatchObject({ agents: [{ name: 'demo' }] })
  })

  it('a script stops at its first bad line, with that line’s exit code', async () => {
    const { code, stderr } = await workspace.run([], { input: 'status\nenable agent nosuch\nenable agent shell\n' })
    expect([code, stderr.includes('AGENT_NOT_FOUND')]).toEqual([4, true])
    const { agents } = await workspace.json<{ agents: { name: string }[] }>(['status'])
    expect(agents.map(({ name }) => name)).toEqual(['demo'])
  })
})
