/** The catalog over repositories that somebody else wrote: names, links and files that mean harm. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reposDocument } from '../../../src/config/documents.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { createMemoryStore, type Store } from '../../../src/core/store.ts'
import { type Catalog, createCatalog } from '../../../src/features/repos/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let dir: string
let store: Store
let catalog: Catalog
let repo: string

async function agent(name: string, manifest: string | null = '{}', root = repo): Promise<string> {
  const path = join(root, name)
  await mkdir(path, { recursive: true })
  if (manifest !== null) await writeFile(join(path, 'manifest.json'), manifest)
  return path
}
const names = async (): Promise<string[]> => (await catalog.definitions()).map(({ ref }) => ref).sort()

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-catalog-')))
  store = createMemoryStore()
  await store.update(reposDocument, () => ({ repos: ['mine'] }))
  const paths = workspacePaths(join(dir, 'ws'))
  repo = join(paths.repos, 'mine')
  await mkdir(repo, { recursive: true })
  await agent('demo', '{}', join(dir, 'assets', 'repositories', 'builtin'))
  catalog = createCatalog({ fs: createFileSystem(), store, paths, assetsDir: join(dir, 'assets') })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('what is an agent', () => {
  it('a folder with a manifest and a name that is safe everywhere', async () => {
    await agent('good')
    await agent('with.dots-and_dashes')
    await agent('no-manifest', null)
    for (const name of [
      '-v',
      '--privileged',
      '.hidden',
      'a b',
      'a,b=c',
      'a\nb',
      'ünï',
      'con',
      'a..b',
      '%2e%2e',
      "x'y",
      'x$y',
      'a:b',
      'x'.repeat(64),
    ])
      await agent(name)
    await writeFile(join(repo, 'file'), '')
    expect(await names()).toEqual(['builtin/demo', 'mine/good', 'mine/with.dots-and_dashes'])
  })

  it('not a link that leads out of the repository, in whole or in part', async () => {
    const outside = await agent('outside', '{}', dir)
    await mkdir(join(outside, 'code'))
    await mkdir(join(outside, 'skills'))
    await symlink(outside, join(repo, 'linked'))
    await symlink('../../../outside', join(repo, 'relative'))
    const borrowed = await agent('borrowed', null)
    await symlink(join(outside, 'manifest.json'), join(borrowed, 'manifest.json'))
    expect(await names()).toEqual(['builtin/demo'])
  })

  it('and its code is its own: a link to the rest of the machine is not mounted', async () => {
    const path = await agent('greedy')
    await symlink('/', join(path, 'code'))
    await symlink(dir, join(path, '.AchillesSkills'))
    expect(await catalog.resolve('greedy')).toMatchObject({ codeDir: path, skillsDir: null })
    const honest = await agent('honest')
    await mkdir(join(honest, 'code'))
    await mkdir(join(repo, 'shared'))
    await symlink(join(repo, 'shared'), join(honest, '.AchillesSkills'))
    expect(await catalog.resolve('honest')).toMatchObject({
      codeDir: join(honest, 'code'),
      skillsDir: join(repo, 'shared'),
    })
  })

  it('its skills in either spelling', async () => {
    const path = await agent('skilled')
    await mkdir(join(path, 'skills/one'), { recursive: true })
    await writeFile(join(path, 'skills/one/SKILL.md'), '')
    expect((await catalog.resolve('skilled')).skillsDir).toBe(join(path, 'skills'))
    expect(await catalog.repos()).toMatchObject([{ skills: 0 }, { name: 'mine', kind: 'folder', skills: 1 }])
    await mkdir(join(path, '.AchillesSkills'))
    expect((await catalog.resolve('skilled')).skillsDir).toBe(join(path, '.AchillesSkills'))
  })

  it('not a pipe, which would be read for ever', async () => {
    const path = await agent('pipe', null)
    execFileSync('mkfifo', [join(path, 'manifest.json')])
    expect(await names()).toEqual(['builtin/demo'])
  })

  it('only of repositories that are enabled and there', async () => {
    await agent('x', '{}', join(dir, 'ws', '.ploinky', 'repos', 'other'))
    await store.update(reposDocument, () => ({ repos: ['mine', 'missing'] }))
    expect(await names()).toEqual(['builtin/demo'])
    await expect(catalog.resolve('other/x')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
    expect(await catalog.repos()).toMatchObject([
      { name: 'builtin', enabled: true, agents: 1 },
      { name: 'mine', enabled: true, agents: 0 },
      { name: 'missing', enabled: true, agents: 0 },
      { name: 'other', enabled: false, agents: 1 },
    ])
  })
})

describe('resolve()', () => {
  it.each(['demo', 'builtin/demo', 'builtin:demo'])('%s', async (ref) => {
    expect((await catalog.resolve(ref)).ref).toBe('builtin/demo')
  })

  it.each([
    ...[
      '',
      '/',
      '..',
      '../demo',
      'builtin/',
      '/demo',
      'builtin/demo/',
      'builtin/demo/../x',
      'builtin:demo:x',
      'builtin/../mine/x',
    ],
    ...[
      'demo\u0000',
      ' demo',
      '*',
      '%64emo',
      '__proto__',
      'constructor',
      'builtin/constructor',
      '../../assets/repositories/builtin/demo',
    ],
    'x'.repeat(100_000),
  ])('%j is no agent', async (ref) => {
    await expect(catalog.resolve(ref)).rejects.toMatchObject({
      code: 'AGENT_NOT_FOUND',
      details: { available: ['demo'] },
      hint: expect.stringMatching(
        /^(?:Run: ploinky list agents|Did you mean "demo"\? Run: ploinky enable agent demo|Did you mean "builtin\/demo"\?.*)$/,
      ) as string,
    })
  })

  it('asks back when a name is in several repositories', async () => {
    await agent('demo')
    await expect(catalog.resolve('demo')).rejects.toMatchObject({
      code: 'AGENT_AMBIGUOUS',
      details: { choices: ['builtin/demo', 'mine/demo'] },
    })
    expect((await catalog.resolve('mine/demo')).ref).toBe('mine/demo')
  })

  it('looks at one folder of each repository, however many agents there are', async () => {
    for (let index = 0; index < 50; index++) await agent(`agent${index}`)
    const asked: string[] = []
    const fs = createFileSystem()
    const paths = workspacePaths(join(dir, 'ws'))
    const realPath = (path: string): Promise<string | null> => {
      asked.push(path)
      return fs.realPath(path)
    }
    const watched = createCatalog({ fs: { ...fs, realPath }, store, paths, assetsDir: join(dir, 'assets') })
    expect((await watched.resolve('agent7')).ref).toBe('mine/agent7')
    expect(asked.filter((path) => /agent\d/.test(path) && !path.includes('agent7'))).toEqual([])
  })

  it('finds agents by names that every object inherits', async () => {
    await agent('constructor')
    expect((await catalog.resolve('constructor')).ref).toBe('mine/constructor')
  })
})

describe('manifest()', () => {
  it.each([
    ['{', 'Expected property name'],
    ['{"container": 5}', 'container: expected text, found 5 (line 1)'],
    [`{"about": "${'x'.repeat(1024 * 1024)}"}`, 'larger than 1048576 bytes'],
  ])('names the file and what is wrong with it', async (text, problem) => {
    const path = await agent('bad', text)
    await expect(catalog.manifest(await catalog.resolve('bad'), 'dev')).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
      message: expect.stringContaining(problem) as string,
      hint: `Correct the manifest: ${path}/manifest.json`,
    })
    // One bad manifest hides no other agent.
    expect(await names()).toEqual(['builtin/demo', 'mine/bad'])
  })

  it('says so when the file went away, or a folder took its place', async () => {
    const path = await agent('gone')
    const definition = await catalog.resolve('gone')
    await rm(join(path, 'manifest.json'))
    await expect(catalog.manifest(definition, 'dev')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
    await mkdir(join(path, 'manifest.json'))
    await expect(catalog.manifest(definition, 'dev')).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
  })
})
