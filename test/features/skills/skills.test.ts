/** Skills of a repository that strangers wrote, copied into a folder where people work. */
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reposDocument, skillsDocument } from '../../../src/config/documents.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { createMemoryStore, type Store } from '../../../src/core/store.ts'
import { createCatalog } from '../../../src/features/repos/index.ts'
import { withIgnored } from '../../../src/features/skills/git-ignore.ts'
import { createSkills, type Skills } from '../../../src/features/skills/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { hashing } from '../../../src/platform/hashing.ts'

let dir: string
let root: string
let repo: string
let store: Store
let skills: Skills

const all = { repo: 'mine', only: null, skip: [] as string[] }
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
const copied = (path: string): string => join(root, '.agents/skills', path)
const text = (path: string): Promise<string> => readFile(path, 'utf8')

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-skills-')))
  root = join(dir, 'ws')
  const paths = workspacePaths(root)
  repo = join(paths.repos, 'mine')
  store = createMemoryStore()
  await store.update(reposDocument, () => ({ repos: ['mine'] }))
  const fs = createFileSystem()
  const catalog = createCatalog({ fs, store, paths, assetsDir: join(dir, 'assets') })
  skills = createSkills({ fs, hash: hashing, store, paths, catalog })
  await put(join(repo, 'skills/a/SKILL.md'), 'a 1')
  await put(join(repo, 'skills/a/bin/run.sh'), 'run')
  await chmod(join(repo, 'skills/a/bin/run.sh'), 0o755)
  await put(join(repo, 'skills/b/SKILL.md'), 'b 1')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('install', () => {
  it('copies, links and ignores; once more it changes nothing', async () => {
    await put(join(root, '.gitignore'), 'node_modules')
    const first = await skills.install(all)
    expect(first.written).toEqual(['a/SKILL.md', 'a/bin/run.sh', 'b/SKILL.md'])
    expect((await lstat(copied('a/bin/run.sh'))).mode & 0o111).toBe(0o111)
    expect(await readlink(join(root, '.claude'))).toBe('.agents')
    const ignored = await text(join(root, '.gitignore'))
    expect(ignored.split('\n')).toEqual([
      'node_modules',
      '# >>> ploinky default-skills >>>',
      '/.agents/skills/a/',
      '/.agents/skills/b/',
      '/.claude',
      '# <<< ploinky default-skills <<<',
      '',
    ])
    expect(await skills.install(all)).toMatchObject({ written: [], removed: [], kept: [], unchanged: 3 })
    expect(await text(join(root, '.gitignore'))).toBe(ignored)
  })

  it('updates what it made, and keeps what a person made or changed', async () => {
    await put(copied('b/SKILL.md'), 'my own')
    await skills.install(all)
    await put(copied('a/SKILL.md'), 'edited')
    await put(join(repo, 'skills/a/SKILL.md'), 'a 2')
    await put(join(repo, 'skills/a/bin/run.sh'), 'run 2')
    await put(join(repo, 'skills/b/SKILL.md'), 'b 2')
    const again = await skills.install(all)
    expect([again.written, again.kept]).toEqual([['a/bin/run.sh'], ['a/SKILL.md', 'b/SKILL.md']])
    expect(await text(copied('a/SKILL.md'))).toBe('edited')
    expect(await text(copied('b/SKILL.md'))).toBe('my own')
    await rm(join(repo, 'skills/a/bin'), { recursive: true })
    expect((await skills.install(all)).removed).toEqual(['a/bin/run.sh'])
    expect(await readdir(copied('a'))).toEqual(['SKILL.md'])
  })

  it('takes the skills that are asked for, and those that the manifest calls default', async () => {
    expect((await skills.install({ ...all, only: ['b'] })).skills).toEqual(['b'])
    expect((await skills.install({ ...all, skip: ['b'] })).skills).toEqual(['a'])
    await put(join(repo, 'ploinky-skills-manifest.json'), '{"skills":["a",{"name":"b","default":false}]}')
    expect((await skills.install(all)).skills).toEqual(['a'])
    expect((await skills.install({ ...all, only: ['b'] })).skills).toEqual(['b'])
    for (const only of [['c'], [''], ['../a'], ['constructor']])
      await expect(skills.install({ ...all, only })).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    await expect(skills.install({ ...all, repo: 'gone' })).rejects.toMatchObject({ code: 'REPO_NOT_FOUND' })
  })

  it.each([
    '{',
    '[]',
    '{"skills":"a"}',
    '{"skills":[{"name":"a","x":1}]}',
    '{"skills":["missing"]}',
    '{"skills":["../a"]}',
  ])('refuses the manifest %s', async (manifest) => {
    await put(join(repo, 'ploinky-skills-manifest.json'), manifest)
    await expect(skills.install(all)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readdir(root)).toEqual(['.ploinky'])
  })

  it.each<[string, () => Promise<unknown>]>([
    ['a link out of the repository', () => symlink('/etc/passwd', join(repo, 'skills/a/leak'))],
    ['a link to a folder', () => symlink('../b', join(repo, 'skills/a/loop'))],
    ['a broken link', () => symlink('nowhere', join(repo, 'skills/a/broken'))],
    ['an odd name', () => put(join(repo, 'skills/a/x\ny'), '')],
    ['a hidden repository', () => put(join(repo, 'skills/a/.git/config'), '')],
    ['an odd name of a skill', () => put(join(repo, 'skills/-x y/SKILL.md'), '')],
    ['a large file', () => put(join(repo, 'skills/a/large'), 'x'.repeat(1024 * 1024 + 1))],
    ['deep folders', () => put(join(repo, `skills/a/${'d/'.repeat(9)}x`), '')],
  ])('refuses %s, and writes nothing at all', async (_what, spoil) => {
    await spoil()
    await expect(skills.install(all)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    expect(await readdir(root)).toEqual(['.ploinky'])
  })

  it.each(['.agents', '.agents/skills', '.agents/skills/a', '.gitignore'])(
    'does not write through a link at %s',
    async (at) => {
      await mkdir(join(dir, 'outside'))
      await mkdir(dirname(join(root, at)), { recursive: true })
      await symlink(join(dir, 'outside'), join(root, at))
      await expect(skills.install(all)).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await readdir(join(dir, 'outside'))).toEqual([])
    },
  )

  it('does not write through a link deeper inside, nor over a folder of somebody else', async () => {
    await mkdir(join(dir, 'outside'))
    await mkdir(copied('a'), { recursive: true })
    await symlink(join(dir, 'outside'), copied('a/bin'))
    await mkdir(copied('b/SKILL.md'), { recursive: true })
    await mkdir(join(root, '.claude'))
    expect((await skills.install(all)).kept).toEqual(['a/bin/run.sh', 'b/SKILL.md'])
    expect(await readdir(join(dir, 'outside'))).toEqual([])
    expect((await lstat(join(root, '.claude'))).isDirectory()).toBe(true)
    expect(await text(join(root, '.gitignore'))).not.toContain('/.claude')
  })
})

describe('remove', () => {
  it('leaves nothing where nothing was changed', async () => {
    await skills.install(all)
    expect((await skills.remove(all)).removed).toHaveLength(3)
    expect(await readdir(root)).toEqual(['.ploinky'])
    expect(await store.read(skillsDocument)).toEqual({ repos: {}, link: false })
  })

  it('keeps what was changed, what is not ours, and other skills', async () => {
    await put(join(root, '.gitignore'), 'x\n')
    await put(copied('own/SKILL.md'), 'own')
    await skills.install(all)
    await put(copied('a/SKILL.md'), 'edited')
    expect(await skills.remove({ ...all, only: ['a'] })).toMatchObject({
      removed: ['a/bin/run.sh'],
      kept: ['a/SKILL.md'],
    })
    expect(await text(copied('b/SKILL.md'))).toBe('b 1')
    await skills.remove(all)
    expect(await readdir(copied(''))).toEqual(['a', 'own'])
    expect(await text(join(root, '.gitignore'))).toBe('x\n')
  })
})

describe('the block of .gitignore', () => {
  it('is replaced in place, and refused when it is torn', () => {
    const before = withIgnored('a\n', ['/x'])
    expect(withIgnored(`${before}b\n`, ['/y'])).toBe(before.replace('/x', '/y') + 'b\n')
    expect(withIgnored(`${before}b\n`, [])).toBe('a\nb\n')
    for (const torn of [before.replace(/# <<<.*\n/, ''), before.replace(/# >>>.*\n/, ''), before + before])
      expect(() => withIgnored(torn, ['/y'])).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
