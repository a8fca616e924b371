/** New agents: what is in them, and who is refused. */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commands } from '../../../src/commands.ts'
import { reposDocument } from '../../../src/config/documents.ts'
import { workspacePaths, type WorkspacePaths } from '../../../src/config/paths.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { createMemoryStore, type Store } from '../../../src/core/store.ts'
import { createRegistry, type Registry } from '../../../src/features/agents/index.ts'
import { type Catalog, createCatalog } from '../../../src/features/repos/index.ts'
import { parseParts } from '../../../src/features/scaffold/commands.ts'
import { createScaffold, type Part, PARTS, type Scaffold, TEMPLATES } from '../../../src/features/scaffold/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { hashing } from '../../../src/platform/hashing.ts'

let dir: string
let paths: WorkspacePaths
let store: Store
let catalog: Catalog
let registry: Registry
let scaffold: Scaffold

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-scaffold-')))
  paths = workspacePaths(join(dir, 'ws'))
  await mkdir(paths.repos, { recursive: true })
  store = createMemoryStore()
  const fs = createFileSystem()
  // The templates as they are in the sources.
  await symlink(fileURLToPath(new URL('../../../src/repositories', import.meta.url)), join(dir, 'repositories'))
  const assetsDir = dir
  catalog = createCatalog({ fs, store, paths, assetsDir })
  registry = createRegistry({ store, fs, paths, catalog, events: createEventBus() })
  scaffold = createScaffold({ fs, hash: hashing, store, paths, assetsDir, catalog, registry })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const create = (name: string, change: { template?: (typeof TEMPLATES)[number]; parts?: Part[]; repo?: string } = {}) =>
  scaffold.create({
    name,
    template: change.template ?? 'node',
    parts: new Set(change.parts ?? PARTS),
    repo: change.repo ?? 'local',
  })

describe.each(TEMPLATES)('a new agent in %s', (template) => {
  it.each<[Part[]]>([[['tools', 'chat']], [['tools']], [['chat']]])('with %s is whole', async (parts) => {
    const { files, path } = await create('my-agent', { template, parts })
    const all = await Promise.all(files.map((file) => readFile(join(path, file), 'utf8')))
    expect(all.join('')).not.toMatch(/\{\{|<!--/)
    expect(all.join('')).toContain('my-agent')
    expect(files.some((file) => file.startsWith('code/chat.'))).toBe(parts.includes('chat'))
    expect(files.includes('code/mcp-config.json')).toBe(parts.includes('tools'))
    expect(files.filter((file) => file.startsWith('code/tools/')).length).toBe(parts.includes('tools') ? 2 : 0)
    // Nothing is named that is not there.
    const readme = await readFile(join(path, 'README.md'), 'utf8')
    expect(readme.includes('mcp-config')).toBe(parts.includes('tools'))
    expect(readme.includes('ploinky cli')).toBe(parts.includes('chat'))

    const definition = await catalog.resolve('local/my-agent')
    const manifest = await catalog.manifest(definition, 'dev')
    expect(manifest.warnings).toEqual([])
    expect(manifest.cli === null).toBe(!parts.includes('chat'))
    const program = manifest.cli?.split(' ')[1]
    if (program !== undefined) expect(files).toContain(`code/${program}`)
    expect((await registry.list()).map(({ name, repo }) => `${repo}/${name}`)).toEqual(['local/my-agent'])
  })

  it('has tools whose commands are there', async () => {
    const { path, files } = await create('my-agent', { template })
    const config = JSON.parse(await readFile(join(path, 'code/mcp-config.json'), 'utf8')) as {
      tools: { args: string[] }[]
    }
    expect(config.tools.map(({ args }) => files.includes(`code/${args[0]}`))).toEqual([true, true])
  })
})

describe('it is refused', () => {
  it.each(['../x', 'a/b', '.x', 'x y', '-x', 'con', 'x'.repeat(64), 'a..b'])('with the name %j', async (name) => {
    await expect(create(name)).rejects.toMatchObject({ code: 'NAME_INVALID' })
    expect(await readdir(paths.repos)).toEqual([])
  })

  it('where something has the name already', async () => {
    await mkdir(join(paths.repos, 'local/taken'), { recursive: true })
    await writeFile(join(paths.repos, 'local/file'), 'x')
    await symlink('/nowhere', join(paths.repos, 'local/link'))
    for (const name of ['taken', 'file', 'link', 'demo', 'Demo'])
      await expect(create(name)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await readdir(join(paths.repos, 'local'))).toEqual(['file', 'link', 'taken'])
    expect(await readdir(join(paths.repos, 'local/taken'))).toEqual([])
  })

  it('in a repository that is not there, ships with the package, is off, or leads elsewhere', async () => {
    await expect(create('a', { repo: 'gone' })).rejects.toMatchObject({ code: 'REPO_NOT_FOUND' })
    await expect(create('a', { repo: 'builtin' })).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(create('a', { repo: '../..' })).rejects.toMatchObject({ code: 'NAME_INVALID' })
    await mkdir(join(paths.repos, 'off'))
    await expect(create('a', { repo: 'off' })).rejects.toMatchObject({ code: 'CONFLICT' })
    for (const name of ['local', 'linked']) {
      await mkdir(join(dir, `outside-${name}`))
      await symlink(join(dir, `outside-${name}`), join(paths.repos, name))
    }
    await store.update(reposDocument, () => ({ repos: ['linked', 'local'] }))
    for (const repo of ['local', 'linked']) {
      await expect(create('a', { repo })).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(await readdir(join(dir, `outside-${repo}`))).toEqual([])
    }
  })
})

describe('repositories', () => {
  it('the local one is enabled on first use, once; one that is named is used', async () => {
    await create('one')
    await create('two')
    expect((await store.read(reposDocument)).repos).toEqual(['builtin', 'local'])
    await mkdir(join(paths.repos, 'mine'))
    await store.update(reposDocument, () => ({ repos: ['mine'] }))
    expect((await create('three', { repo: 'mine' })).path).toBe(join(paths.repos, 'mine/three'))
    expect((await store.read(reposDocument)).repos).toEqual(['mine'])
  })
})

describe('the command', () => {
  it('knows the same templates as the feature, and parts in any order', () => {
    const command = commands.find(({ name }) => name === 'init agent')
    expect(command?.params?.['template']?.choices).toEqual(TEMPLATES)
    expect([...parseParts('chat, tools,chat')].sort()).toEqual([...PARTS].sort())
    for (const text of ['', 'tools,', 'constructor', 'chats'])
      expect(() => parseParts(text)).toThrowError(expect.objectContaining({ code: 'USAGE_INVALID' }))
  })
})
