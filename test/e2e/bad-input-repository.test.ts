/** A repository that somebody else wrote, at its worst: what it says is refused or harmless, and other agents go on. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { errorOf } from '../helpers/raw-http.ts'
import { eventually } from '../helpers/eventually.ts'
import { createWorkspace } from '../helpers/workspace.ts'

const HOSTILE = [
  '-v',
  '--privileged',
  'a b',
  'a,b=c',
  'a\nb',
  "x'y",
  'x$(id)',
  'x;id',
  'ünï',
  'con',
  '%2e%2e',
  'x'.repeat(64),
]

describe.runIf(isHere)('a hostile repository', () => {
  let router: TestRouter
  let repo: string
  let dir: string

  async function agent(
    name: string,
    manifest: string | object | null,
    files: Record<string, string> = {},
  ): Promise<string> {
    const path = join(repo, name)
    await mkdir(join(path, 'code'), { recursive: true })
    for (const [file, text] of Object.entries(files)) {
      await mkdir(join(path, 'code', file, '..'), { recursive: true })
      await writeFile(join(path, 'code', file), text)
    }
    if (manifest !== null)
      await writeFile(join(path, 'manifest.json'), typeof manifest === 'string' ? manifest : JSON.stringify(manifest))
    return path
  }

  beforeAll(async () => {
    router = await createRouter()
    dir = router.workspace.dir
    repo = join(dir, '.ploinky/repos/evil')
    await mkdir(repo, { recursive: true })
    await writeFile(join(dir, '.ploinky/enabled_repos.json'), JSON.stringify({ version: 1, repos: ['evil'] }))
    for (const name of HOSTILE) await agent(name, {})
  })
  afterAll(() => router[Symbol.asyncDispose]())
  afterEach(async () => {
    await router.isWell()
    expect((await router.operator({ target: '/services/demo/' })).status).toBe(200)
  })

  it('names that could escape a path, a label or a command line do not exist', async () => {
    const list = await router.workspace.json<{ agent: string }[]>(['list', 'agents'])
    expect(list.map((item) => item.agent)).toEqual(['demo', 'shell'])
    for (const name of HOSTILE) {
      const answer = await router.operator({
        target: '/api/v1/agents',
        method: 'POST',
        headers: [['content-type', 'application/json']],
        body: JSON.stringify({ agent: `evil/${name}` }),
      })
      expect([name, answer.status, errorOf(answer).code]).toEqual([name, 404, 'AGENT_NOT_FOUND'])
    }
  })

  const manifests: [what: string, manifest: string, message: RegExp][] = [
    ['torn', '{"container": "a",\n"env": [', /line 2, column 9/],
    ['empty', '', /line 1, column 1/],
    ['binary', 'PK\u0003\u0004', /line 1, column 1/],
    ['a list', '[]', /expected an object, found a list/],
    [
      'wrong types',
      '{\n"container": 5,\n"env": "x"\n}',
      /container: expected text, found 5 \(line 2\); env: .* \(line 3\)/,
    ],
    ['too deep', `{"env": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, /nested deeper than 32 levels/],
    ['too large', `{"about": "${'x'.repeat(1_100_000)}"}`, /larger than 1048576 bytes/],
    ['NUL in a command', '{"agent": "a\\u0000b"}', /agent: control characters/],
    ['options for an image', '{"container": "--volume=/:/host"}', /container: expected an image reference/],
    ['__proto__', '{"__proto__": {"container": "x"}}', /__proto__: not a possible key/],
    ['a port for everybody', '{"ports": ["0.0.0.0:80:80"]}', /ports\[0\]: only loopback/],
    ['a pattern that never ends', '{"env": [{"name": "A", "varName": "(a+)+$*"}]}', /env\[0\]: not a variable name/],
    ['a request in a path', '{"readiness": {"path": "/x HTTP/1.1\\r\\nhost: y"}}', /readiness\.path: expected a path/],
  ]
  it.each(manifests)(
    'a manifest that is %s is refused with its place, by command and over HTTP',
    async (_what, text, message) => {
      const path = await agent('bad', text)
      const { code, stderr } = await router.workspace.run(['start', 'evil/bad', '--json'])
      expect(code).toBe(3)
      const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as {
        error: { code: string; message: string; details: Record<string, unknown> }
      }
      expect(error.code).toBe('MANIFEST_INVALID')
      expect(error.message).toMatch(message)
      expect(error.details['suggestion']).toBe(`Correct the manifest: ${path}/manifest.json`)
      const answer = await router.operator({
        target: '/api/v1/agents',
        method: 'POST',
        headers: [['content-type', 'application/json']],
        body: '{"agent": "evil/bad"}',
      })
      expect([answer.status, errorOf(answer).message]).toEqual([422, error.message])
      // It hides no other agent, and is shown with what is wrong.
      const list = await router.workspace.json<{ agent: string; about: string }[]>(['list', 'agents'])
      expect(list.find((item) => item.agent === 'bad')?.about).toMatch(/^! Invalid manifest/)
      expect(list.map((item) => item.agent)).toContain('demo')
    },
  )

  it('an agent may be called as every object’s property, and is an agent like any other', async () => {
    await agent('constructor', { readiness: { protocol: 'none' }, agent: 'exec sleep 600', env: ['toString', 'HOME'] })
    await router.workspace.json(['start', 'evil/constructor', '--runtime', 'host'])
    const status = await router.workspace.json<{ agents: { name: string; state: string }[] }>(['status'])
    expect(status.agents).toContainEqual(expect.objectContaining({ name: 'constructor', state: 'ready' }))
    const env = await router.workspace.run(['exec', 'constructor', '--', 'env'])
    expect(env.stdout).not.toMatch(/^toString=/m)
    await router.workspace.json(['disable', 'agent', 'constructor'])
  })

  it('is given neither the operator’s token nor the master key', async () => {
    const names = ['PLOINKY_OPERATOR_TOKEN', 'PLOINKY_MASTER_KEY', '*', 'PLOINKY_*', 'MY_*']
    await agent('greedy', { readiness: { protocol: 'none' }, agent: 'exec sleep 600', env: names })
    const env = { PLOINKY_MASTER_KEY: 'the-master-key', MY_VALUE: 'given' }
    const started = await router.workspace.run(['start', 'evil/greedy', '--runtime', 'host', '--json'], { env })
    expect(started.code).toBe(0)
    const { stdout } = await router.workspace.run(['exec', 'greedy', '--', 'env'])
    expect(stdout).toContain('MY_VALUE=given')
    expect(stdout).not.toContain('the-master-key')
    expect(stdout).not.toContain(router.token)
    await router.workspace.json(['disable', 'agent', 'greedy'])
  })

  it('an agent that ends at once is a failure that says why, and hurts nobody', async () => {
    await agent('dies', { agent: 'echo "no such thing" >&2; exit 7' })
    const { code, stdout } = await router.workspace.run(['start', 'evil/dies', '--runtime', 'host', '--json'])
    expect(code).toBe(5)
    expect(JSON.parse(stdout)).toMatchObject({
      agents: [{ agent: 'dies', state: 'failed', error: { code: 'AGENT_FAILED' } }],
    })
    expect(stdout).toContain('exit code 7')
    await eventually(async () => {
      const answer = await router.operator({ target: '/mcps/dies/mcp', method: 'POST', body: '{}' })
      expect(answer.status).toBe(503)
      // Whoever asks is told what the router has seen, and not only that it does not run.
      expect(errorOf(answer)).toMatchObject({
        code: 'AGENT_FAILED',
        message: expect.stringContaining('exit code 7: no such thing') as string,
      })
    })
    await router.workspace.json(['disable', 'agent', 'dies'])
  })

  it('leaves nothing outside of its places', async () => {
    expect((await readdir(dir)).sort()).toEqual(['.ploinky', 'agents', 'code', 'skills'])
    expect(existsSync(join(dir, '.ploinky/repos/evil/con'))).toBe(true)
  })
})

describe.runIf(isHere)('the static agent of a hostile repository', () => {
  it('publishes its own files, and nothing that its links lead to', async () => {
    await using workspace = await createWorkspace()
    const state = join(workspace.dir, '.ploinky')
    await mkdir(state)
    await writeFile(join(state, 'enabled_repos.json'), JSON.stringify({ version: 1, repos: ['evil'] }))
    const manifest = JSON.stringify({ readiness: { protocol: 'none' }, agent: 'exec sleep 600' })
    for (const name of ['files', 'folder']) {
      const path = join(state, 'repos/evil', name)
      await mkdir(join(path, 'code'), { recursive: true })
      await writeFile(join(path, 'manifest.json'), manifest)
    }
    const code = join(state, 'repos/evil/files/code')
    await mkdir(join(code, 'public'))
    await writeFile(join(code, 'public/own.txt'), 'mine')
    await symlink('/etc/passwd', join(code, 'public/passwd'))
    await symlink('/', join(code, 'public/root'))
    await symlink(state, join(code, 'public/state'))
    await symlink('../../manifest.json', join(code, 'public/up.json'))
    const get = async (path: string): Promise<[number, string]> => {
      const answer = await workspace.fetch(path)
      return [answer.status, await answer.text()]
    }
    await workspace.json(['start', 'evil/files', '--runtime', 'host'])
    expect(await get('/own.txt')).toEqual([200, 'mine'])
    for (const path of ['/passwd', '/root/etc/passwd', '/state/agents', '/state/.secrets', '/up.json', '/state'])
      expect([path, (await get(path))[0]]).toEqual([path, 404])

    // The folder itself a link: then what is published is the agent's own folder, and that has no such file.
    await symlink(join(state, 'running'), join(state, 'repos/evil/folder/code/public'))
    await workspace.json(['disable', 'agent', 'files'])
    await workspace.json(['start', 'evil/folder', '--runtime', 'host'])
    for (const path of ['/router.json', '/router.pid', '/manifest.json', '/code/public/router.json'])
      expect([path, (await get(path))[0]]).toEqual([path, 404])
  })
})
