/** Variables as people set them: what is shown, what is never shown, and what reaches an agent. */
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { errorOf } from '../helpers/raw-http.ts'
import { createWorkspace, program, waitFor, type Workspace } from '../helpers/workspace.ts'

/** Of this run alone: the same test may run at once on other engines of this machine, and looks at all command lines. */
const VALUE = `hunter2-${randomUUID()}`

/** Every command line of this machine that holds the value. */
function commandLinesWith(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      return line.includes(text) ? [line] : []
    } catch {
      // It ended meanwhile.
      return []
    }
  })
}

describe.runIf(isHere)('the commands', () => {
  let workspace: Workspace
  const out = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await workspace.run(args, input === undefined ? {} : { input })
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }
  const fails = async (args: readonly string[], input = ''): Promise<{ code: number; stderr: string }> => {
    const { code, stdout, stderr } = await workspace.run(args, { input })
    expect([args, stdout]).toEqual([args, ''])
    return { code, stderr }
  }
  beforeAll(async () => {
    workspace = await createWorkspace()
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('var, vars: a value is shown when it is asked for, and not before', async () => {
    expect(await out(['var', 'A', VALUE])).toBe('Set: A\n')
    expect(await out(['vars'])).toBe('NAME  FROM\nA     .ploinky/.secrets\n')
    expect(await out(['vars', '--json'])).toBe('[{"name":"A","from":".ploinky/.secrets"}]\n')
    expect(await out(['vars', '--show'])).toContain(VALUE)
    expect(JSON.parse(await out(['vars', '--show', '--json']))).toEqual([
      { name: 'A', value: VALUE, from: '.ploinky/.secrets' },
    ])
    expect((await stat(join(workspace.dir, '.ploinky/.secrets'))).mode & 0o777).toBe(0o600)
  })

  it('NAME=value, $OTHER, --stdin and --unset', async () => {
    await out(['var', 'B=a=b'])
    await out(['var', 'C', '$B'])
    await out(['var', 'D', '--stdin'], '$B\n')
    await out(['var', 'E', '--stdin'], '')
    expect(await out(['echo', '$C'])).toBe('a=b\n')
    expect(await out(['echo', 'C'])).toBe('C=$B\n  is a=b\n  from C -> B: .ploinky/.secrets\n')
    expect(await out(['echo', '$D'])).toBe('$B\n')
    expect(await out(['echo', '$E', '--json'])).toContain('"value":""')
    expect(await out(['var', 'E', '--unset'])).toBe('Removed: E\n')
    expect(await out(['var', 'E', '--unset', '--json'])).toBe('{"name":"E","outcome":"unchanged"}\n')
  })

  it('says where a value comes from: the environment and the nearest .env', async () => {
    await writeFile(join(workspace.dir, '.env'), '# mine\nexport F="f"\n', { mode: 0o600 })
    expect(await out(['vars', 'F'])).toContain(`${workspace.dir}/.env line 2`)
    const { stdout } = await workspace.run(['vars', 'FROM_*', '--show', '--json'], { env: { FROM_HERE: 'x' } })
    expect(JSON.parse(stdout)).toEqual([{ name: 'FROM_HERE', value: 'x', from: 'environment' }])
  })

  it('mistakes have a code and a next step, and tell no value', async () => {
    await out(['var', 'LOOP', '$LOOP2'])
    await out(['var', 'LOOP2', '$LOOP'])
    const cases: [string[], number, string][] = [
      [['echo', 'LOOP'], 3, '"LOOP" refers to itself: LOOP -> LOOP2 -> LOOP'],
      [['echo', 'NONE_OF_IT'], 3, 'Run: ploinky var NONE_OF_IT <value>'],
      [['echo', 'PLOINKY_OPERATOR_TOKEN'], 2, 'reserved'],
      [['var', 'PLOINKY_OPERATOR_TOKEN', VALUE], 2, 'reserved'],
      [['var', 'a-b', VALUE], 2, 'Not the name of a variable'],
      [['var', 'G'], 2, 'No value is given'],
      [['var', 'G', VALUE, '--stdin'], 2, 'both given'],
      [['var', 'G', VALUE, '--unset'], 2, 'both given'],
      [['var', 'G', `${VALUE}\nH=1`], 2, 'line break'],
      [['expose', 'G', VALUE], 2, '--agent'],
      [['expose', 'G', VALUE, 'nobody'], 4, 'AGENT_NOT_FOUND'],
    ]
    for (const [args, code, text] of cases) {
      const failed = await fails(args)
      expect([args, failed.code]).toEqual([args, code])
      expect(failed.stderr).toContain(text)
      expect(failed.stderr).not.toContain(VALUE)
    }
  })

  it('a script does not lose its lines to --stdin', async () => {
    const { code, stderr } = await workspace.run([], { input: 'var S --stdin\nvar A stolen\n' })
    expect([code, stderr.includes('read as a script')]).toEqual([2, true])
    expect(await out(['echo', '$A'])).toBe(`${VALUE}\n`)
  })

  it('expose: listed, taken back, kept in the workspace and not in the repository', async () => {
    await out(['enable', 'agent', 'demo'])
    expect(await out(['expose', 'X', '$A', 'demo'])).toBe('Exposed: X to demo from A\n')
    expect(await out(['expose', 'Y', 'plain', 'demo'])).toBe('Exposed: Y to demo\n')
    expect(JSON.parse(await out(['expose', '--json']))).toEqual([
      { agent: 'demo', name: 'X', from: 'A' },
      { agent: 'demo', name: 'Y', from: null },
    ])
    expect(await out(['expose', 'Y', '--agent', 'demo', '--remove'])).toBe('No longer exposed: Y to demo\n')
    expect(await out(['expose', 'Y', '--agent', 'demo', '--remove'])).toBe('Not exposed: Y to demo\n')
    const document = JSON.parse(await readFile(join(workspace.dir, '.ploinky/exposed.json'), 'utf8')) as object
    expect(document).toEqual({
      version: 1,
      exposed: { demo: { definition: 'builtin/demo', variables: { X: 'A' } } },
    })
  })

  it.runIf(spawnSync('script', ['--version']).status === 0)('asks on a terminal, and shows nothing of it', async () => {
    const words = program(['var', 'ASKED'])
    const command = words.map((word) => `'${word}'`).join(' ')
    const child = spawn('script', ['-qec', command, '/dev/null'], { cwd: workspace.dir })
    let screen = ''
    child.stdout.on('data', (data: Buffer) => (screen += data.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    // The prompt is written before the terminal stops to echo; what follows it is typed when it does.
    await waitFor('the question', () => (screen.includes('not shown') ? true : undefined))
    await waitFor('a terminal that does not echo', () => {
      const tty = spawnSync('ps', ['-o', 'tty=', '--ppid', String(child.pid)])
        .stdout.toString()
        .trim()
        .split('\n')[0]
      const { stdout } = spawnSync('stty', ['-F', `/dev/${tty?.trim()}`, '-a'])
      return stdout.toString().includes('-echo ') ? true : undefined
    })
    child.stdin.write(`${VALUE}x\u007f\r`)
    expect(await ended).toBe(0)
    expect(screen).not.toContain(VALUE)
    expect(await out(['echo', '$ASKED'])).toBe(`${VALUE}\n`)
  })
})

describe.runIf(isHere)('an agent that asks for a variable', () => {
  let router: TestRouter
  const api = (target: string, method = 'GET', body?: object) =>
    router.operator({
      target: `/api/v1${target}`,
      method,
      ...(body === undefined ? {} : { headers: [['content-type', 'application/json']], body: JSON.stringify(body) }),
    })

  beforeAll(async () => {
    router = await createRouter()
    const { dir } = router.workspace
    await mkdir(join(dir, '.ploinky/repos/mine/asker/code'), { recursive: true })
    const env = [{ name: 'TOKEN_OF_MINE', varName: 'MINE', required: true }]
    await writeFile(join(dir, '.ploinky/repos/mine/asker/manifest.json'), JSON.stringify({ env }))
    await writeFile(
      join(dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'mine'] }),
    )
  })
  afterAll(() => router[Symbol.asyncDispose]())

  it('gets it; no command line, log or error ever holds it', { timeout: 300_000 }, async () => {
    const { workspace } = router
    const seen = new Set<string>()
    const look = setInterval(() => commandLinesWith(VALUE).forEach((line) => seen.add(line)), 20)
    try {
      await workspace.run(['var', 'MINE', '--stdin'], { input: `${VALUE}\n` })
      const started = await workspace.run(['start', 'asker', '--runtime', 'host', '--debug'])
      expect([started.code, started.stdout.includes(VALUE), started.stderr.includes(VALUE)]).toEqual([0, false, false])
      const { stdout } = await workspace.run(['exec', 'asker', '--', 'printenv', 'TOKEN_OF_MINE'])
      expect(stdout).toBe(`${VALUE}\n`)
    } finally {
      clearInterval(look)
    }
    expect([...seen]).toEqual([])
    const logs = join(workspace.dir, '.ploinky/logs')
    for (const name of await readdir(logs)) expect(await readFile(join(logs, name), 'utf8')).not.toContain(VALUE)
  })

  it('over HTTP names and sources are read, values never; an admin may set', async () => {
    const { workspace } = router
    const list = await api('/variables')
    expect([list.status, JSON.parse(list.body)]).toEqual([200, [{ name: 'MINE', from: '.ploinky/.secrets' }]])
    const shown = await api('/variables?show=true')
    expect([shown.status, errorOf(shown).code]).toEqual([403, 'DENIED'])
    expect(list.body + shown.body).not.toContain(VALUE)
    expect((await api('/variables/SET', 'PUT', { value: 'over-http' })).body).toBe('{"name":"SET","outcome":"set"}')
    expect((await workspace.run(['echo', '$SET'])).stdout).toBe('over-http\n')
    for (const body of [{}, { stdin: true }, { value: 7, more: 1 }])
      expect([body, (await api('/variables/SET', 'PUT', body)).status]).toEqual([body, 400])
    expect((await api('/variables/PLOINKY_OPERATOR_TOKEN', 'PUT', { value: 'x'.repeat(40) })).status).toBe(400)
    expect((await api('/variables/SET', 'PUT', { unset: true })).body).toBe('{"name":"SET","outcome":"removed"}')
    const stranger = await router.ask({ target: '/api/v1/variables' })
    expect(stranger.status).toBe(401)
    expect(await router.log()).not.toContain('over-http')
    await router.isWell()
  })
})
