/** State files that were torn, edited by hand or replaced, met by the real program with and without a running router. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { createWorkspace, isAlive, spawnProgram, waitFor, type Workspace } from '../helpers/workspace.ts'

const BROKEN = [
  '',
  '{',
  '[]',
  'null',
  '{"version":1}',
  '{"version":0,"agents":{},"static":null}',
  '\u0000\u0000\u0000\u0000',
  'hello',
]
const errorIn = (stderr: string) =>
  (
    JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as {
      error: { code: string; message: string; details: Record<string, unknown> }
    }
  ).error

describe.runIf(isHere)('without a router', () => {
  let workspace: Workspace
  const path = (name: string): string => join(workspace.dir, '.ploinky', name)
  const names = async (): Promise<string[]> => (await readdir(path(''))).filter((name) => name.includes('.broken-'))

  beforeEach(async () => {
    workspace = await createWorkspace()
    await workspace.json(['enable', 'agent', 'demo'])
  })
  afterEach(() => workspace[Symbol.asyncDispose]())

  it('a broken registry is recovered, kept aside and reported on stderr, every time', async () => {
    for (const text of BROKEN) {
      await writeFile(path('agents'), text)
      const { code, stdout, stderr } = await workspace.run(['status', '--json'])
      expect([text, code]).toEqual([text, 0])
      expect(JSON.parse(stdout)).toMatchObject({ agents: [{ name: 'demo' }] })
      expect(stderr).toMatch(
        /^warning: \.ploinky\/agents could not be read \(.+\); it was recovered from its backup and kept as \.ploinky\/agents\.broken-/m,
      )
      const kept = /agents\.broken-[\w-]+/.exec(stderr)?.[0] ?? ''
      expect(await readFile(path(kept), 'utf8')).toBe(text)
    }
    expect(await names()).toHaveLength(BROKEN.length)
    const again = await workspace.run(['status', '--json'])
    expect(again.stderr).toBe('')
    const { stdout } = await workspace.run(['doctor', '--json'])
    const checks = JSON.parse(stdout) as { check: string; result: string; hint: string }[]
    expect(checks.filter(({ check }) => check === 'kept aside')).toHaveLength(BROKEN.length)
  })

  it('without a backup it is an error that names the place, and nothing is overwritten', async () => {
    await rm(path('backup'), { recursive: true })
    const mine = '{\n  "version": 1,\n  "agents": {"demo": }\n}'
    await writeFile(path('agents'), mine)
    for (const args of [
      ['status'],
      ['enable', 'agent', 'shell'],
      ['disable', 'agent', 'demo'],
      ['start'],
      ['stop'],
      ['list', 'agents'],
    ]) {
      const { code, stderr } = await workspace.run([...args, '--json'])
      expect([args[0], code, errorIn(stderr).code]).toEqual([args[0], 3, 'STATE_INVALID'])
      expect(errorIn(stderr).message).toContain('line 3, column 22')
      expect(errorIn(stderr).details['suggestion']).toBe('Repair or delete ".ploinky/agents", then run: ploinky doctor')
    }
    const { code, stdout } = await workspace.run(['doctor', '--json'])
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toContainEqual(expect.objectContaining({ check: 'agents', result: 'failed' }))
    expect(await readFile(path('agents'), 'utf8')).toBe(mine)
    // As the error says: repaired, and all is well.
    await rm(path('agents'))
    expect(await workspace.json(['status'])).toMatchObject({ agents: [] })
  })

  it('a newer version is left alone by every command', async () => {
    for (const name of ['agents', 'config.json', 'enabled_repos.json']) {
      const text = '{"version": 2, "of": "the future"}'
      const before = await readFile(path(name), 'utf8').catch(() => null)
      await writeFile(path(name), text)
      const { code, stderr } = await workspace.run(['start', 'demo', '--runtime', 'host', '--json'])
      expect([name, code]).toEqual([name, 3])
      expect(stderr).toContain('STATE_VERSION')
      expect(await readFile(path(name), 'utf8')).toBe(text)
      await (before === null ? rm(path(name)) : writeFile(path(name), before))
    }
  })

  it('a folder, or a link that leads nowhere, in its place', async () => {
    await rename(path('agents'), path('moved'))
    await mkdir(path('agents'))
    expect(await workspace.json(['status'])).toMatchObject({ agents: [{ name: 'demo' }] })
    await rm(path('agents'))
    await symlink('/nowhere', path('agents'))
    expect(await workspace.json(['status'])).toMatchObject({ agents: [{ name: 'demo' }] })
    await rm(path('agents'))
    expect(await workspace.json(['status'])).toMatchObject({ agents: [{ name: 'demo' }] })
  })

  it('.secrets that cannot be read, and a profile that is none', async () => {
    await workspace.token()
    await rename(path('.secrets'), path('secrets'))
    await mkdir(path('.secrets'))
    const folder = await workspace.run(['token', '--json'])
    expect([folder.code, errorIn(folder.stderr).code]).toEqual([3, 'CONFIG_INVALID'])
    expect(errorIn(folder.stderr).message).toContain('.secrets')
    await rm(path('.secrets'), { recursive: true })
    await rename(path('secrets'), path('.secrets'))
    await writeFile(path('profile'), '../../etc')
    const profile = await workspace.run(['status', '--json'])
    expect([profile.code, errorIn(profile.stderr).message.includes('.ploinky/profile')]).toEqual([3, true])
  })

  it('a router file that names a stranger’s process does not harm it', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
    const ended = new Promise<void>((resolve) => stranger.once('exit', () => resolve()))
    try {
      await new Promise((resolve) => stranger.once('spawn', resolve))
      const pid = stranger.pid ?? 0
      const ticks = (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).split(' ')[21]
      const names = { host: '127.0.0.1', port: workspace.port, version: '0.1.0', startedAt: 'x' }
      const files = [
        { ...names, pid },
        { ...names, pid, startTicks: null },
        { ...names, pid, startTicks: '1' },
        { pid: 1, ...names },
        { pid: -1, ...names },
      ]
      for (const file of files) {
        await writeFile(path('running/router.json'), JSON.stringify(file))
        await writeFile(path('running/router.pid'), `${pid}\n`)
        expect(await workspace.json(['status'])).toMatchObject({ router: { running: false } })
        expect(await workspace.json(['stop'])).toMatchObject({ router: 'not running' })
        expect(isAlive(pid)).toBe(true)
      }
      expect(ticks).not.toBe('1')
    } finally {
      stranger.kill('SIGKILL')
      await ended
    }
  })

  it('commands that are killed in the middle lose nothing and block nobody', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 6; round++) {
      const child = spawnProgram(['config', 'readyTimeout', String(100 + round)], { cwd: workspace.dir })
      const ended = new Promise((resolve) => child.once('close', resolve))
      // At another moment each time: when the file's folder is first touched, or a little later.
      const before = (await stat(path(''))).mtimeMs
      await Promise.race([
        ended,
        waitFor('a first change', async () => ((await stat(path(''))).mtimeMs === before ? undefined : true)),
      ])
      child.kill('SIGKILL')
      await ended
      const { code, stderr } = await workspace.run(['status', '--json'])
      expect([code, stderr]).toEqual([0, ''])
    }
    await workspace.json(['config', 'readyTimeout', '77'])
    expect(await workspace.json(['config', 'readyTimeout'])).toEqual({ readyTimeout: 77 })
    expect((await readdir(path(''))).filter((name) => name.startsWith('.config'))).toEqual([])
  })

  it('many commands at once lose no change', { timeout: 120_000 }, async () => {
    await Promise.all(
      [
        ['enable', 'agent', 'shell'],
        ['config', 'port', '4321'],
        ['config', 'readyTimeout', '55'],
        ['config', 'blobLimit', '1000'],
        ['token'],
        ['token'],
      ].map((args) => workspace.json(args)),
    )
    const env = { PLOINKY_PORT: '' }
    expect(await workspace.json(['config'], { env })).toMatchObject({ port: 4321, readyTimeout: 55, blobLimit: 1000 })
    expect(await workspace.json(['status'])).toMatchObject({ agents: [{ name: 'demo' }, { name: 'shell' }] })
  })
})

describe.runIf(isHere)('with a running router', () => {
  let router: TestRouter
  const path = (name: string): string => join(router.workspace.dir, '.ploinky', name)
  beforeAll(async () => {
    router = await createRouter()
  })
  afterAll(() => router[Symbol.asyncDispose]())
  afterEach(() => router.isWell())

  it('broken routes do not take a working agent down, and are reported in its log', async () => {
    for (const text of BROKEN) {
      await writeFile(path('routing.json'), text)
      expect((await router.operator({ method: 'POST', target: '/api/v1/routes/reload' })).status).toBe(204)
      expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
    }
    expect(await router.log()).toContain('routing.json could not be read')
    await rm(path('backup/routing.json'))
    await writeFile(path('routing.json'), '{')
    expect((await router.operator({ method: 'POST', target: '/api/v1/routes/reload' })).status).toBe(204)
    expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
    expect(await router.log()).toContain('routing not reloaded')
    // Written anew by the next start, once the broken one is out of the way.
    await rm(path('routing.json'))
    await router.workspace.json(['start', 'demo', '--runtime', 'host'])
    expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
  })

  it('a forged or torn router file is put right, and the router found again', async () => {
    const good = await readFile(path('running/router.json'), 'utf8')
    for (const text of [
      '',
      '{"pid":',
      '{"pid":1,"host":"127.0.0.1","port":1}',
      good.replace(/"port": \d+/, '"port": 1'),
    ]) {
      await writeFile(path('running/router.json'), text)
      await waitFor('router.json', async () =>
        (await readFile(path('running/router.json'), 'utf8')) === good ? true : undefined,
      )
    }
    expect(await router.workspace.json(['status'])).toMatchObject({ router: { running: true, pid: router.pid } })
  })

  it('the API tells of a state file that cannot be read in the one shape', async () => {
    await writeFile(path('agents'), '{"version": 7}')
    const answer = await router.operator({ target: '/api/v1/status' })
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body)).toMatchObject({
      error: { code: 'STATE_VERSION', details: { found: 7, supported: 1 } },
    })
    await rm(path('agents'))
    await waitFor('the registry to be recovered', async () =>
      (await router.operator({ target: '/api/v1/status' })).status === 200 ? true : undefined,
    )
  })
})
