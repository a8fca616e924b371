/** Adding and enabling, with real git and real folders. */
import { existsSync } from 'node:fs'
import { mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { repoSourcesDocument } from '../../../src/config/documents.ts'
import { AGENT, commit, git, gitRepository, tgz, writeTree } from '../../helpers/repositories.ts'
import { createRepoBench, type RepoBench } from '../../helpers/repo-service.ts'

let bench: RepoBench
beforeEach(async () => {
  bench = await createRepoBench()
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await bench.dispose()
})

/** A git server that accepts and says nothing. */
async function silentServer(): Promise<{ url: string; asked: Promise<unknown>; close: () => void }> {
  const sockets: Socket[] = []
  let heard = (): void => {}
  const asked = new Promise<void>((resolve) => (heard = resolve))
  const server = createServer((socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
    heard()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const close = (): void => {
    sockets.forEach((socket) => socket.destroy())
    server.close()
  }
  return { url: `git://127.0.0.1:${port}/x.git`, asked, close }
}

describe('add', () => {
  it('clones a git folder, by path and by address, without network', async () => {
    await gitRepository(bench.at('with space'))
    const head = git(bench.at('with space'), 'rev-parse', 'HEAD')
    const source = `file://${bench.at('with%20space')}`
    expect(await bench.add('mine', './with space')).toMatchObject({
      ...{ name: 'mine', kind: 'git', source, branch: 'main', commit: head },
      ...{ outcome: 'added', enabled: true, agents: 1, skills: 0, present: true },
    })
    expect(await bench.add('mine', source)).toMatchObject({ outcome: 'unchanged' })
    expect((await bench.catalog.resolve('mine:hello')).ref).toBe('mine/hello')
    expect(await bench.onDisk()).toEqual(['mine'])
    expect(await bench.locks()).toEqual([])
    expect(bench.said[0]).toBe(`mine: fetching ${source}`)
    expect((await bench.store.read(repoSourcesDocument)).sources['mine']).toMatchObject({ askedBy: null, commit: head })
  })

  it('takes the name from the source', async () => {
    await gitRepository(bench.at('agents.git'))
    expect((await bench.add('./agents.git', null)).name).toBe('agents')
    await expect(bench.add('./', null)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('checks out the branch that was asked for, and tells another one apart', async () => {
    const source = await gitRepository(bench.at('src'))
    git(source, 'checkout', '--quiet', '-b', 'next/one')
    const next = await commit(source, { 'extra/manifest.json': '{}' })
    git(source, 'checkout', '--quiet', 'main')
    expect(await bench.add('mine', source, { branch: 'next/one' })).toMatchObject({
      branch: 'next/one',
      commit: next,
      agents: 2,
    })
    await expect(bench.add('mine', source, { branch: 'main' })).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('ploinky disable repo mine --remove') as string,
    })
    await expect(bench.add('other', source, { branch: 'missing' })).rejects.toMatchObject({ code: 'REPO_NOT_FOUND' })
    expect(await bench.onDisk()).toEqual(['mine'])
  })

  it('uses a plain folder in place; a git folder only when asked to', async () => {
    await writeTree(bench.at('plain'), AGENT)
    expect(await bench.add('plain', './plain')).toMatchObject({ kind: 'folder', source: bench.at('plain'), agents: 1 })
    expect(await readlink(bench.inRepos('plain'))).toBe(bench.at('plain'))
    await writeTree(bench.at('plain'), { 'more/manifest.json': '{}' })
    expect((await bench.catalog.resolve('plain/more')).dir).toBe(bench.at('plain/more'))
    await gitRepository(bench.at('src'))
    expect(await bench.add('linked', './src', { link: true })).toMatchObject({ kind: 'folder', commit: null })
  })

  it('unpacks an archive', async () => {
    await writeFile(bench.at('agents.tgz'), tgz([{ name: 'Basic-main/hello/manifest.json', data: '{}' }]))
    expect(await bench.add('./agents.tgz', null)).toMatchObject({ name: 'agents', kind: 'archive', agents: 1 })
    expect(await readFile(bench.inRepos('agents/hello/manifest.json'), 'utf8')).toBe('{}')
    expect(await bench.onDisk()).toEqual(['agents'])
  })

  it('knows the predefined names, and allows skills alone', async () => {
    await gitRepository(bench.at('mirror'), {
      'skills/one/SKILL.md': '',
      'skills/two/cskill.md': '',
      'skills/none/x': '',
    })
    vi.stubEnv('GIT_CONFIG_GLOBAL', bench.at('gitconfig'))
    // No protocol but http, https, ssh and git for what comes from an address, wherever the address leads.
    await writeFile(
      bench.at('gitconfig'),
      `[url "file://${bench.at('mirror')}"]\n insteadOf = https://github.com/PloinkyRepos/Basic.git\n`,
    )
    await expect(bench.add('basic', null)).rejects.toMatchObject({ code: 'REPO_UNAVAILABLE' })
    expect(await bench.add('basic', './mirror')).toMatchObject({ agents: 0, skills: 2, enabled: true })
    expect(await bench.add('basic', null)).toMatchObject({ outcome: 'unchanged' })
    expect(await bench.repos.enable('basic', null)).toMatchObject({ outcome: 'unchanged', agents: 0 })
  })

  it.each([
    ['--upload-pack=touch x', null],
    ['mine', '--upload-pack=touch x'],
    ['mine', 'ext::sh -c "touch x"'],
    ['mine', 'fd::17'],
    ['mine', 'ftp://example.com/x.git'],
    ['mine', 'https://-oProxyCommand=x/y'],
    ['mine', 'ssh://-oProxyCommand=x/y'],
    ['mine', 'ssh://u:p@example.com/y'],
    ['mine', 'https://u%0a:p@example.com/y'],
    ['mine', 'https://exa\nmple.com/y'],
    ['mine', './gone'],
    ['mine', './file'],
    ['.mine', './src'],
    ['a/b', './src'],
    ['..', './src'],
    ['builtin', './src'],
    ['BuiltIn', './src'],
    ['x'.repeat(64), './src'],
    ['unheard-of', null],
    ['mine', '/'],
    ['mine', './ws'],
    ['mine', './ws/.ploinky/running'],
    ['mine', './ws/agents'],
    ['mine', '.'],
  ])('refuses %j %j and leaves nothing', async (name, source) => {
    await gitRepository(bench.at('src'))
    await mkdir(bench.at('ws/.ploinky/running'), { recursive: true })
    await mkdir(bench.at('ws/agents'), { recursive: true })
    await writeFile(bench.at('file'), '')
    // The workspace itself may hold agents.
    if (source === './ws') return expect(await bench.add(name, source)).toMatchObject({ kind: 'folder' })
    await expect(bench.add(name, source)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:USAGE_INVALID|NAME_INVALID|CONFLICT|REPO_NOT_FOUND)$/) as string,
    })
    expect(await bench.onDisk()).toEqual([])
    expect(existsSync(bench.at('x'))).toBe(false)
  })

  it.each([
    '--upload-pack=x',
    '-b',
    '+main',
    'a..b',
    'a:b',
    'a b',
    'a~1',
    '@{u}',
    '@',
    'x.lock',
    'a/',
    '',
    'refs/*',
    'a\u0000b',
  ])('refuses the branch %j', async (branch) => {
    await gitRepository(bench.at('src'))
    await expect(bench.add('mine', './src', { branch })).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('takes nothing of this machine from others', async () => {
    await gitRepository(bench.at('src'))
    await writeFile(bench.at('a.tgz'), tgz([{ name: 'hello/manifest.json' }]))
    for (const source of [bench.at('src'), './src', `file://${bench.at('src')}`, bench.at('a.tgz'), '/etc'])
      await expect(bench.add('mine', source, { allowLocal: false })).rejects.toMatchObject({ code: 'USAGE_INVALID' })
  })

  it('keeps credentials out of everything but the secrets', async () => {
    const failed = bench.add('mine', 'https://user:p4ssw0rd@127.0.0.1:9/x.git')
    const error = await failed.then(String, (reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'REPO_UNAVAILABLE',
      message: expect.stringContaining('https://127.0.0.1:9/x.git') as string,
    })
    expect(JSON.stringify([error, bench.said, bench.events.since(0), [...bench.kept]])).not.toContain('p4ssw0rd')
    expect(String(error)).not.toContain('user')
  })

  it('says what is missing when git is', async () => {
    await gitRepository(bench.at('src'))
    vi.stubEnv('PATH', bench.at('nothing'))
    await expect(bench.add('mine', './src')).rejects.toMatchObject({
      code: 'REPO_UNAVAILABLE',
      hint: expect.stringContaining('Install git') as string,
    })
    expect(await bench.onDisk()).toEqual([])
  })

  it('leaves nothing of a clone that is interrupted', async () => {
    const server = await silentServer()
    const controller = new AbortController()
    const request = { name: 'mine', source: server.url, branch: null, link: false, allowLocal: true }
    const adding = bench.repos.add(request, { signal: controller.signal })
    await server.asked
    expect(await bench.onDisk()).toEqual([expect.stringMatching(/^\.mine\..*\.tmp$/)])
    controller.abort()
    await expect(adding).rejects.toSatisfy(
      (error: { code: unknown }) => error.code === 'INTERRUPTED' || error.code === 20,
    )
    server.close()
    expect([await bench.onDisk(), await bench.locks(), await bench.enabled()]).toEqual([[], [], ['builtin']])
  })

  it('twice at once is once', async () => {
    await gitRepository(bench.at('src'))
    const both = await Promise.all([bench.add('mine', './src'), bench.add('mine', './src')])
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(['added', 'unchanged'])
    expect(await bench.onDisk()).toEqual(['mine'])
  })

  it('sweeps what a killed process left, of that repository alone', async () => {
    await gitRepository(bench.at('src'))
    await mkdir(bench.inRepos('.mine.abc.tmp/tree'), { recursive: true })
    await mkdir(bench.inRepos('.mine.more.abc.tmp'), { recursive: true })
    await bench.add('mine', './src')
    expect(await bench.onDisk()).toEqual(['.mine.more.abc.tmp', 'mine'])
  })

  it('takes over a clone that was put there by hand, when it is of the same place', async () => {
    const source = await gitRepository(bench.at('src'))
    git(bench.dir, 'clone', '--quiet', `file://${source}`, bench.inRepos('mine'))
    await expect(bench.add('mine', 'https://example.com/x.git')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await bench.add('mine', source)).toMatchObject({ outcome: 'enabled' })
  })

  it('refuses names that differ in case only', async () => {
    await gitRepository(bench.at('src'))
    await bench.add('mine', './src')
    await expect(bench.add('Mine', './src')).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

describe('a hostile repository runs nothing', () => {
  it('no hook, filter, template or monitor, not even those that the user has set up', async () => {
    const ran = bench.at('ran')
    const touch = `sh -c 'echo $0 >> ${ran}; cat'`
    await writeTree(bench.at('template/hooks'), { 'post-checkout': `#!/bin/sh\ntouch ${ran}\n` })
    await writeTree(bench.at('hooks'), {
      'post-checkout': `#!/bin/sh\ntouch ${ran}\n`,
      'post-merge': `#!/bin/sh\ntouch ${ran}\n`,
      'reference-transaction': `#!/bin/sh\ntouch ${ran}\n`,
    })
    for (const path of [
      'template/hooks/post-checkout',
      'hooks/post-checkout',
      'hooks/post-merge',
      'hooks/reference-transaction',
    ])
      await import('node:fs/promises').then(({ chmod }) => chmod(bench.at(path), 0o755))
    await writeFile(
      bench.at('gitconfig'),
      `[init]\n templateDir = ${bench.at('template')}\n[core]\n hooksPath = ${bench.at('hooks')}\n fsmonitor = "touch ${ran}"\n` +
        `[filter "evil"]\n smudge = "${touch}"\n clean = "${touch}"\n required = true\n[filter "lfs"]\n smudge = "${touch}"\n process = "${touch}"\n`,
    )
    const source = await gitRepository(bench.at('src'), {
      ...AGENT,
      '.gitattributes': '* filter=evil\nx filter=lfs\n',
      x: 'data',
      '.gitmodules': `[submodule "sub"]\n path = sub\n url = ext::sh -c "touch% ${ran}"\n`,
    })
    git(source, 'update-index', '--add', '--cacheinfo', `160000,${git(source, 'rev-parse', 'HEAD')},sub`)
    git(source, 'commit', '--quiet', '-m', 'submodule')
    vi.stubEnv('GIT_CONFIG_GLOBAL', bench.at('gitconfig'))
    expect(await bench.add('evil', source)).toMatchObject({ outcome: 'added', agents: 1 })
    await commit(source, { 'hello/manifest.json': '{"about": "new"}' })
    expect(await bench.update('evil')).toMatchObject([{ outcome: 'updated' }])
    expect(await readFile(bench.inRepos('evil/x'), 'utf8')).toBe('data')
    expect(existsSync(ran)).toBe(false)
  })

  it('its links out of it are no agents', async () => {
    await writeTree(bench.at('outside'), AGENT)
    const source = await gitRepository(bench.at('src'))
    await symlink(bench.at('outside/hello'), bench.at('src/stolen'))
    await symlink('/', bench.at('src/root'))
    await commit(source, {})
    expect(await bench.add('evil', source)).toMatchObject({ agents: 1 })
    await expect(bench.catalog.resolve('evil/stolen')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
  })

  it('a variable of git in the environment points nowhere else', async () => {
    const source = await gitRepository(bench.at('src'))
    await gitRepository(bench.at('victim'), { precious: '1' })
    vi.stubEnv('GIT_DIR', bench.at('victim/.git'))
    vi.stubEnv('GIT_WORK_TREE', bench.at('victim'))
    expect(await bench.add('mine', source)).toMatchObject({ agents: 1 })
    await bench.update()
    expect(await readFile(bench.at('victim/precious'), 'utf8')).toBe('1')
  })
})

describe('the one link out of .ploinky/repos', () => {
  it('is that of a folder in place; any other is no repository', async () => {
    await writeTree(bench.at('plain'), AGENT)
    await writeTree(bench.at('other'), AGENT)
    await bench.add('plain', './plain')
    await symlink(bench.at('other'), bench.inRepos('sneaky'))
    expect(await bench.catalog.repos()).toMatchObject([
      { name: 'builtin' },
      { name: 'plain', agents: 1 },
      { name: 'sneaky', agents: 0, present: false },
    ])
    // Led elsewhere afterwards.
    await bench.repos.disable('plain', true)
    expect(existsSync(bench.at('plain/hello/manifest.json'))).toBe(true)
    await bench.add('plain', './plain')
    const { rename } = await import('node:fs/promises')
    await rename(bench.at('plain'), bench.at('moved'))
    await symlink(bench.at('other'), bench.at('plain'))
    expect(await bench.catalog.repos()).toMatchObject([
      { name: 'builtin' },
      { name: 'plain', agents: 0 },
      { name: 'sneaky' },
    ])
  })
})
