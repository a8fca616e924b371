/** The registry: what `enable` and `disable` do to other people's folders, and names that every object inherits. */
import { mkdir, mkdtemp, readdir, readFile, readlink, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { reposDocument } from '../../../src/config/documents.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { createRegistry, type Registry } from '../../../src/features/agents/index.ts'
import { createCatalog } from '../../../src/features/repos/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

let dir: string
let root: string
let registry: Registry
let types: string[]
const repo = (): string => join(dir, 'assets', 'repositories', 'builtin')

async function define(name: string, manifest = '{}'): Promise<void> {
  await mkdir(join(repo(), name, '.AchillesSkills'), { recursive: true })
  await writeFile(join(repo(), name, 'manifest.json'), manifest)
}

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-registry-')))
  root = join(dir, 'ws')
  const [fs, store, paths] = [createFileSystem(), createMemoryStore(), workspacePaths(root)]
  await store.update(reposDocument, () => ({ repos: ['builtin'] }))
  const events = createEventBus()
  types = []
  events.on(({ type, subject }) => types.push(`${type} ${subject}`))
  const catalog = createCatalog({ fs, store, paths, assetsDir: join(dir, 'assets') })
  registry = createRegistry({ store, fs, paths, catalog, events })
  await define('demo')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

it('enables once, links the code, and takes the links away again', async () => {
  expect(await registry.enable('demo')).toMatchObject({ created: true, agent: { name: 'demo', repo: 'builtin' } })
  expect(await registry.enable('builtin/demo')).toMatchObject({ created: false })
  expect(await readlink(join(root, 'code', 'demo'))).toBe(join(repo(), 'demo'))
  expect(await readdir(root)).toEqual(['agents', 'code', 'skills'])
  await registry.disable('demo')
  expect([await readdir(join(root, 'code')), await readdir(join(root, 'skills'))]).toEqual([[], []])
  expect(types).toEqual(['agent.enabled demo', 'agent.disabled demo'])
})

it('never removes a folder of that name that was there before', async () => {
  for (const folder of ['code', 'skills']) {
    await mkdir(join(root, folder, 'demo'), { recursive: true })
    await writeFile(join(root, folder, 'demo', 'work.txt'), 'mine')
  }
  await registry.enable('demo')
  await registry.disable('demo')
  for (const folder of ['code', 'skills']) {
    expect(await readFile(join(root, folder, 'demo', 'work.txt'), 'utf8')).toBe('mine')
  }
})

it('removes its link and not what a person made of it', async () => {
  await registry.enable('demo')
  await mkdir(join(dir, 'elsewhere'))
  await writeFile(join(dir, 'elsewhere', 'work.txt'), 'mine')
  await rm(join(root, 'code', 'demo'))
  await symlink(join(dir, 'elsewhere'), join(root, 'code', 'demo'))
  await registry.disable('demo')
  expect(await readFile(join(dir, 'elsewhere', 'work.txt'), 'utf8')).toBe('mine')
})

describe('names that every object inherits', () => {
  const names = ['constructor', 'toString', 'hasOwnProperty', 'valueOf']

  it.each(names)('"%s" is not found before it is enabled, and is an agent like any other afterwards', async (name) => {
    await define(name)
    await expect(registry.get(name)).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
    await registry.note(name, { wanted: true })
    expect(await registry.list()).toEqual([])
    expect(await registry.enable(name)).toMatchObject({ created: true, agent: { name, repo: 'builtin' } })
    expect(await registry.get(name)).toMatchObject({ name, wanted: false })
    await registry.disable(name)
    expect(await registry.list()).toEqual([])
  })
})

describe('errors', () => {
  it('a manifest that cannot be read is refused before anything is written', async () => {
    await define('bad', '{"container": 5}')
    await expect(registry.enable('bad')).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
    expect(await registry.list()).toEqual([])
    expect(types).toEqual([])
  })

  it('name the nearest agent, or a command that can be run as it stands', async () => {
    await registry.enable('demo')
    const hintOf = async (name: string): Promise<string> => {
      const error = await registry.get(name).then(
        () => null,
        (thrown: unknown) => thrown as { code: string; hint: string; message: string },
      )
      expect(error?.code).toBe('AGENT_NOT_FOUND')
      expect(error?.message.length).toBeLessThan(200)
      return error?.hint ?? ''
    }
    expect(await hintOf('demmo')).toBe('Did you mean "demo"?')
    expect(await hintOf('something')).toBe('Run: ploinky enable agent something')
    expect(await hintOf('repo/something')).toBe('Run: ploinky enable agent repo/something')
    for (const hostile of ['x; rm -rf ~', '$(reboot)', '`id`', '../../etc', '', 'a\nb', '-rf', 'x'.repeat(65_536)]) {
      expect(await hintOf(hostile)).toBe('Run: ploinky list agents')
    }
  })

  it('a second repository cannot take over a name', async () => {
    await registry.enable('demo')
    await expect(registry.get('other/demo')).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' })
    expect(await registry.get('builtin:demo')).toMatchObject({ name: 'demo' })
  })
})

describe('several of one definition, and what each sees', () => {
  it('is enabled under a second name, in another mode', async () => {
    await registry.enable('demo')
    const second = await registry.enable('demo', { alias: 'other', mode: { kind: 'global' }, profile: 'qa' })
    expect(second).toMatchObject({ created: true, agent: { name: 'other', agent: 'demo', profile: 'qa' } })
    expect((await registry.list()).map(({ name, mode }) => [name, mode.kind])).toEqual([
      ['demo', 'isolated'],
      ['other', 'global'],
    ])
    // What is not said again stays as it is.
    expect((await registry.enable('demo', { alias: 'other' })).agent.mode).toEqual({ kind: 'global' })
    expect((await registry.enable('demo', { alias: 'other', mode: { kind: 'isolated' } })).created).toBe(false)
    expect((await registry.get('other')).mode).toEqual({ kind: 'isolated' })
  })

  it('a name belongs to one definition', async () => {
    await define('second')
    await registry.enable('demo')
    await expect(registry.enable('second', { alias: 'demo' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'Agent "demo" is already enabled from "builtin/demo"',
    })
  })

  it('refuses names that could escape, and a clone that is not there', async () => {
    await expect(registry.enable('demo', { alias: '../x' })).rejects.toMatchObject({ code: 'NAME_INVALID' })
    await expect(registry.enable('demo', { mode: { kind: 'devel', repo: 'lost' } })).rejects.toMatchObject({
      code: 'REPO_NOT_FOUND',
    })
    expect(await registry.list()).toEqual([])
  })
})
