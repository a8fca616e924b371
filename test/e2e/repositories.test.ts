/** Agents from repositories, with the built program: added, enabled, listed, updated, disabled, removed. */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGENT, commit, gitRepository, tgz, writeTree } from '../helpers/repositories.ts'
import { createWorkspace, platform, spawnProgram, waitFor, type Workspace } from '../helpers/workspace.ts'

interface Repo {
  name: string
  kind: string
  enabled: boolean
  commit: string | null
  outcome: string
  warnings: string[]
}
const errorIn = (text: string): { code: string } => (JSON.parse(text) as { error: { code: string } }).error

describe('repositories', () => {
  let workspace: Workspace
  let source: string
  const inWorkspace = (...parts: string[]): string => join(workspace.dir, ...parts)
  const list = async (): Promise<Repo[]> => await workspace.json<Repo[]>(['list', 'repos'])

  beforeAll(async () => {
    workspace = await createWorkspace()
    source = await gitRepository(inWorkspace('sources/agents'))
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('an agent comes from a git folder, without network', async () => {
    const added = await workspace.run(['add', 'repo', 'mine', source])
    expect([added.code, added.stderr]).toEqual([0, expect.stringContaining(`mine: fetching file://${source}`)])
    expect(added.stdout).toContain('Holds 1 agent, 0 skills')
    await workspace.json(['enable', 'agent', 'mine/hello'])
    const agents = await workspace.json<{ agent: string; enabled: boolean; about: string }[]>(['list', 'agents'])
    expect(agents).toContainEqual(expect.objectContaining({ agent: 'hello', enabled: true, about: 'Says hello' }))
    expect(JSON.parse(await readFile(inWorkspace('.ploinky/enabled_repos.json'), 'utf8'))).toMatchObject({
      repos: ['builtin', 'mine'],
    })
  })

  it('a folder and an archive work alike, and an ambiguous name lists the choices', async () => {
    await writeTree(inWorkspace('sources/plain'), AGENT)
    await writeFile(inWorkspace('sources/packed.tgz'), tgz([{ name: 'x/hello/manifest.json', data: '{}' }]))
    await workspace.json(['add', 'repo', './sources/plain'])
    await workspace.json(['add', 'repo', 'packed', './sources/packed.tgz'])
    expect(await list()).toMatchObject([
      { name: 'builtin', kind: 'builtin' },
      { name: 'mine', kind: 'git' },
      { name: 'plain', kind: 'folder' },
      { name: 'packed', kind: 'archive' },
    ])
    const ambiguous = await workspace.run(['enable', 'agent', 'hello', '--json'])
    expect([ambiguous.code, errorIn(ambiguous.stderr)]).toEqual([
      6,
      expect.objectContaining({
        code: 'AGENT_AMBIGUOUS',
        details: expect.objectContaining({ choices: ['mine/hello', 'plain/hello', 'packed/hello'] }) as object,
      }),
    ])
  })

  it('update says what moved, and its exit code what failed', async () => {
    const next = await commit(source, { 'hello/manifest.json': '{"about": "Says more"}' })
    const updated = await workspace.run(['update', 'repo', 'mine'])
    expect([updated.code, updated.stdout]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^mine  updated \\w{7}\\.\\.${next.slice(0, 7)}\n$`)),
    ])
    await writeFile(inWorkspace('.ploinky/repos/mine/hello/manifest.json'), '{"about": "Mine"}')
    await commit(source, { 'hello/manifest.json': '{}' })
    const failed = await workspace.run(['update', 'all'])
    expect([failed.code, failed.stdout]).toEqual([
      6,
      expect.stringContaining('mine  failed: Repository "mine" has 1 changed file'),
    ])
    expect(failed.stdout).toContain('packed  unchanged')
    expect(await readFile(inWorkspace('.ploinky/repos/mine/hello/manifest.json'), 'utf8')).toContain('Mine')
  })

  it('disable keeps the files and names the agents that are left; removing asks', async () => {
    const disabled = await workspace.json<Repo>(['disable', 'repo', 'mine'])
    expect(disabled).toMatchObject({
      outcome: 'disabled',
      warnings: [expect.stringContaining('ploinky disable agent hello')],
    })
    const asked = await workspace.run(['disable', 'repo', 'mine', '--remove'])
    expect([asked.code, existsSync(inWorkspace('.ploinky/repos/mine'))]).toEqual([8, true])
    expect(await workspace.json(['disable', 'repo', 'mine', '--remove', '--yes'])).toMatchObject({ outcome: 'removed' })
    expect(existsSync(inWorkspace('.ploinky/repos/mine'))).toBe(false)
    await workspace.json(['disable', 'agent', 'hello'])
  })

  it.each([
    [['add', 'repo', 'x', 'ext::sh -c id'], 2, 'USAGE_INVALID'],
    [['add', 'repo', 'x', '--branch=--upload-pack=id', './sources/agents'], 2, 'USAGE_INVALID'],
    [['add', 'repo', 'unheard-of'], 4, 'REPO_NOT_FOUND'],
    [['add', 'repo', 'plain', './sources/agents'], 6, 'CONFLICT'],
    [['add', 'repo', 'x', 'http://127.0.0.1:9/x.git'], 5, 'REPO_UNAVAILABLE'],
    [['disable', 'repo', 'builtin'], 6, 'CONFLICT'],
  ] as const)('%j ends with %i', async (args, exit, code) => {
    const { code: found, stderr } = await workspace.run([...args, '--json'])
    const last = stderr.trim().split('\n').at(-1) ?? ''
    expect([found, errorIn(last).code]).toEqual([exit, code])
    expect((await readdir(inWorkspace('.ploinky/repos'))).sort()).toEqual(['packed', 'plain'])
  })

  // The npm launcher of Deno does not pass on a signal that is sent to it alone.
  it.skipIf(platform === 'deno')(
    'an interrupted clone leaves nothing; what a killed one left goes with the next',
    async () => {
      let asked = 0
      const server = createServer((socket) => {
        socket.on('error', () => {})
        asked += 1
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const url = `git://127.0.0.1:${(server.address() as { port: number }).port}/x.git`
      const left = async (): Promise<string[]> =>
        (await readdir(inWorkspace('.ploinky/repos'))).filter((name) => name.includes('late'))
      for (const [index, signal] of (['SIGINT', 'SIGKILL'] as const).entries()) {
        const child = spawnProgram(['add', 'repo', 'late', url], { cwd: workspace.dir })
        const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
        await waitFor('the clone to ask its server', () => (asked > index ? true : undefined))
        child.kill(signal)
        if (signal === 'SIGINT') expect([await ended, await left()]).toEqual([130, []])
        else await new Promise((resolve) => child.once('exit', resolve))
      }
      expect(await left()).toHaveLength(1)
      await workspace.json(['add', 'repo', 'late', source])
      expect(await left()).toEqual(['late'])
      server.close()
    },
  )

  it('over HTTP: for administrators, and nothing of the machine itself', async () => {
    await workspace.json(['start', 'demo', '--runtime', 'host'])
    const post = async (path: string, body: object): Promise<[number, string]> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
      const response = await workspace.fetch(`/api/v1/repositories${path}`, init)
      return [response.status, await response.text()]
    }
    expect((await post('', { name: 'x', source }))[0]).toBe(400)
    expect(await post('/plain/disable', {})).toEqual([200, expect.stringContaining('"outcome":"disabled"')])
    expect(await post('/plain/enable', {})).toEqual([200, expect.stringContaining('"outcome":"enabled"')])
    expect(await post('/update', { repos: ['plain'] })).toEqual([200, expect.stringContaining('used in place')])
  })
})
