/** Updating, disabling, and what manifests ask for. */
import { existsSync } from 'node:fs'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { repoSourcesDocument } from '../../../src/config/documents.ts'
import { AGENT, commit, git, gitRepository, tgz, writeTree } from '../../helpers/repositories.ts'
import { createRepoBench, type RepoBench } from '../../helpers/repo-service.ts'

let bench: RepoBench
let source: string
beforeEach(async () => {
  bench = await createRepoBench()
  source = await gitRepository(bench.at('src'))
})
afterEach(() => bench.dispose())

const about = (text: string) => ({ 'hello/manifest.json': `{"about": "${text}"}` })
const manifestOf = (name: string): Promise<string> => readFile(bench.inRepos(name, 'hello/manifest.json'), 'utf8')

describe('update', () => {
  it('moves to what the source has now, time after time', async () => {
    const { commit: from } = await bench.add('mine', source)
    expect(await bench.update()).toEqual([
      { name: 'mine', outcome: 'unchanged', from, to: from, note: null, error: null },
    ])
    const second = await commit(source, about('second'))
    expect(await bench.update('mine')).toMatchObject([{ outcome: 'updated', from, to: second }])
    const third = await commit(source, { ...about('third'), 'more/manifest.json': '{}' })
    expect(await bench.update('all')).toMatchObject([{ outcome: 'updated', from: second, to: third }])
    expect(await manifestOf('mine')).toContain('third')
    expect((await bench.store.read(repoSourcesDocument)).sources['mine']?.commit).toBe(third)
  })

  it('follows a branch that was rewritten, as long as nobody worked in the clone', async () => {
    await commit(source, about('second'))
    await bench.add('mine', source)
    git(source, 'reset', '--quiet', '--hard', 'HEAD~1')
    const other = await commit(source, about('other'))
    expect(await bench.update()).toMatchObject([{ outcome: 'updated', to: other }])
  })

  it('never overwrites changed files', async () => {
    await bench.add('mine', source)
    await appendFile(bench.inRepos('mine/hello/manifest.json'), '\n')
    expect(await bench.update()).toMatchObject([{ outcome: 'unchanged', note: '1 changed file here' }])
    await commit(source, about('second'))
    expect(await bench.update()).toMatchObject([{ outcome: 'failed', error: { code: 'CONFLICT' } }])
    expect(await manifestOf('mine')).toBe('{"about": "Says hello"}\n')
  })

  it('nor files that git does not know', async () => {
    await bench.add('mine', source)
    await writeTree(bench.inRepos('mine'), { 'new/manifest.json': 'precious', 'hello/node_modules/x': '' })
    await commit(source, about('second'))
    expect(await bench.update()).toMatchObject([{ outcome: 'updated' }])
    await commit(source, { 'new/manifest.json': '{}' })
    expect(await bench.update()).toMatchObject([{ outcome: 'failed', error: { code: 'REPO_UNAVAILABLE' } }])
    expect(await readFile(bench.inRepos('mine/new/manifest.json'), 'utf8')).toBe('precious')
  })

  it('nor commits: they are ahead, or in conflict', async () => {
    await bench.add('mine', source)
    const own = await commit(bench.inRepos('mine'), about('own'))
    expect(await bench.update()).toMatchObject([{ outcome: 'unchanged', note: 'it has commits of its own' }])
    await commit(source, { other: '' })
    expect(await bench.update()).toMatchObject([{ outcome: 'failed', error: { code: 'CONFLICT' } }])
    expect(git(bench.inRepos('mine'), 'rev-parse', 'HEAD')).toBe(own)
  })

  it('goes forward from where a person moved the clone', async () => {
    await bench.add('mine', source)
    await commit(source, about('second'))
    git(bench.inRepos('mine'), 'pull', '--quiet', '--ff-only')
    const third = await commit(source, about('third'))
    expect(await bench.update()).toMatchObject([{ outcome: 'updated', to: third }])
  })

  it('reports each repository by itself', async () => {
    await gitRepository(bench.at('gone'))
    await bench.add('gone', './gone')
    await rm(bench.at('gone'), { recursive: true })
    await writeTree(bench.at('plain'), AGENT)
    await bench.add('plain', './plain')
    await bench.add('mine', source)
    await commit(source, about('second'))
    expect(await bench.update('gone', 'mine', 'plain', 'builtin', 'unheard-of')).toMatchObject([
      { name: 'gone', outcome: 'failed', error: { code: 'REPO_NOT_FOUND' } },
      { name: 'mine', outcome: 'updated' },
      { name: 'plain', outcome: 'unchanged', note: 'used in place' },
      { name: 'builtin', outcome: 'unchanged' },
      { name: 'unheard-of', outcome: 'failed', error: { code: 'REPO_NOT_FOUND' } },
    ])
    await rm(bench.at('plain'), { recursive: true })
    expect(await bench.update('plain')).toMatchObject([{ outcome: 'failed', error: { code: 'REPO_NOT_FOUND' } }])
  })

  it('does not touch the repository that the workspace is in', async () => {
    await gitRepository(bench.at('ws'), { precious: '1' })
    await bench.add('mine', source)
    await rm(bench.inRepos('mine/.git'), { recursive: true })
    await commit(source, about('second'))
    expect(await bench.update()).toMatchObject([{ outcome: 'failed' }])
    expect(await readFile(bench.at('ws/precious'), 'utf8')).toBe('1')
    expect(existsSync(bench.at('ws/.git/FETCH_HEAD'))).toBe(false)
  })

  it('unpacks an archive again when it is another one, and keeps what was changed', async () => {
    const archive = bench.at('a.tgz')
    const write = (text: string) =>
      writeFile(
        archive,
        tgz([
          { name: 'hello/manifest.json', data: text },
          { name: 'x', data: '' },
        ]),
      )
    await write('one')
    await bench.add('a', archive)
    expect(await bench.update()).toMatchObject([{ outcome: 'unchanged' }])
    await writeTree(bench.inRepos('a'), { 'hello/node_modules/installed': '' })
    await write('two')
    expect(await bench.update()).toMatchObject([{ outcome: 'updated' }])
    expect(await manifestOf('a')).toBe('two')
    await writeFile(bench.inRepos('a/hello/manifest.json'), 'mine')
    await write('three')
    expect(await bench.update()).toMatchObject([{ outcome: 'failed', error: { code: 'CONFLICT' } }])
    expect(await manifestOf('a')).toBe('mine')
    await writeFile(bench.inRepos('a/hello/manifest.json'), 'two')
    await writeFile(archive, 'noise')
    expect(await bench.update()).toMatchObject([{ outcome: 'failed', error: { code: 'ARCHIVE_INVALID' } }])
    expect([await manifestOf('a'), await bench.onDisk()]).toEqual(['two', ['a']])
  })

  it('fetches what is known and missing', async () => {
    await bench.add('mine', source)
    await rm(bench.inRepos('mine'), { recursive: true })
    expect(await bench.update()).toMatchObject([{ outcome: 'updated', from: null }])
    expect(existsSync(bench.inRepos('mine/hello'))).toBe(true)
  })
})

describe('disable and enable', () => {
  it('keeps the files, or removes them and all that is known', async () => {
    await bench.add('mine', source)
    expect(await bench.repos.disable('mine', false)).toMatchObject({
      outcome: 'disabled',
      present: true,
      enabled: false,
    })
    await expect(bench.catalog.resolve('hello')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
    expect(await bench.repos.enable('mine', null)).toMatchObject({ outcome: 'enabled', agents: 1 })
    await expect(bench.repos.enable('mine', 'other')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await bench.repos.losses('mine')).toEqual([])
    await appendFile(bench.inRepos('mine/hello/manifest.json'), ' ')
    expect(await bench.repos.losses('mine')).toEqual(['1 changed file'])
    expect(await bench.repos.disable('mine', true)).toMatchObject({ outcome: 'removed', present: false })
    expect([await bench.onDisk(), (await bench.store.read(repoSourcesDocument)).sources]).toEqual([[], {}])
    await expect(bench.repos.disable('mine', false)).rejects.toMatchObject({ code: 'REPO_NOT_FOUND' })
    await expect(bench.repos.disable('builtin', true)).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(bench.repos.enable('basik', null)).rejects.toMatchObject({
      hint: expect.stringContaining('"basic"') as string,
    })
  })

  it('fetches a known one that is missing', async () => {
    await bench.add('mine', source)
    await rm(bench.inRepos('mine'), { recursive: true })
    expect(await bench.catalog.repos()).toMatchObject([{}, { name: 'mine', present: false, agents: 0 }])
    expect(await bench.repos.enable('mine', null)).toMatchObject({ outcome: 'added', present: true })
  })

  it('tells what happened', async () => {
    await bench.add('mine', source)
    await bench.add('mine', source)
    await bench.repos.disable('mine', false)
    await bench.repos.enable('mine', null)
    await bench.repos.disable('mine', true)
    expect(bench.events.since(0).map(({ type, subject }) => `${type} ${subject}`)).toEqual([
      'repo.added mine',
      'repo.disabled mine',
      'repo.enabled mine',
      'repo.removed mine',
    ])
  })
})

describe('ensureRepos()', () => {
  const from = async (ref: string) => ({ definition: await bench.catalog.resolve(ref), progress: bench.progress })

  it('adds what the manifest of a repository on this machine asks for, and says from where', async () => {
    await gitRepository(bench.at('plain/inner'), { 'second/manifest.json': '{}' })
    await writeTree(bench.at('plain'), AGENT)
    await bench.add('plain', './plain')
    const wanted = { one: { url: source, branch: null }, two: { url: './inner', branch: 'main' } }
    const changes = await bench.repos.ensureRepos(wanted, await from('plain/hello'))
    expect(changes).toMatchObject([
      { name: 'one', outcome: 'added' },
      { name: 'two', outcome: 'added', agents: 1 },
    ])
    expect(bench.said).toContain(`one: fetching file://${source}`)
    expect((await bench.store.read(repoSourcesDocument)).sources['one']?.askedBy).toBe('plain/hello')
    expect(await bench.repos.ensureRepos(wanted, await from('plain/hello'))).toMatchObject([
      { outcome: 'unchanged' },
      { outcome: 'unchanged' },
    ])
    // Two manifests may not fight over a name.
    const other = { one: { url: 'https://example.com/other.git', branch: null } }
    await expect(bench.repos.ensureRepos(other, await from('plain/hello'))).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it.each(['/etc', './x', 'file:///etc', '../src', 'ext::sh -c x', '--upload-pack=x'])(
    'nothing of this machine for a manifest from elsewhere: %j',
    async (url) => {
      for (const options of [{}, await from('builtin/demo')])
        await expect(bench.repos.ensureRepos({ mine: { url, branch: null } }, options)).rejects.toMatchObject({
          code: 'USAGE_INVALID',
        })
      expect(await bench.onDisk()).toEqual([])
    },
  )

  it('takes what a person added under the name, and lets nobody else have a predefined one', async () => {
    await bench.add('basic', source)
    const wanted = { basic: { url: 'https://github.com/PloinkyRepos/Basic', branch: null } }
    expect(await bench.repos.ensureRepos(wanted)).toMatchObject([{ name: 'basic', outcome: 'unchanged' }])
    await expect(
      bench.repos.ensureRepos({ cloud: { url: 'https://example.com/evil.git', branch: null } }),
    ).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('names all that failed', async () => {
    const url = 'http://127.0.0.1:9/x.git'
    await expect(
      bench.repos.ensureRepos({ a: { url, branch: null }, '../b': { url, branch: null }, c: { url, branch: '-x' } }),
    ).rejects.toMatchObject({ details: { failed: [{}, {}, {}] } })
    expect(await bench.onDisk()).toEqual([])
  })
})
