import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { runtimeLoaders } from '../../runtimes/index.ts'
import { foldersIn } from './tree.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const text = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')

/** Files and folders of the first level; the layout is part of what people know. */
const TOP = [
  ...['CHANGELOG.md', 'LICENSE', 'README.md'],
  ...['deno.json', 'package-lock.json', 'package.json', 'tsconfig.json', 'vitest.config.ts'],
  ...['public', 'runtimes', 'src', 'test'],
]

describe('what is in a folder is in its list', () => {
  // A copy without git may hold anything: a workspace, somebody's notes.
  test.skipIf(!existsSync(join(ROOT, '.git')))('the first level of the repository', () => {
    const tracked = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
    const found = new Set(tracked.map((path) => path.split('/')[0] ?? ''))
    expect([...found].filter((name) => !name.startsWith('.')).sort()).toEqual([...TOP].sort())
  })

  test('runtimes', async () => {
    // What the CLI-driven ones share is no runtime, nor is what those without an engine share.
    const folders = foldersIn(ROOT, 'runtimes').filter((name) => name !== 'cli' && name !== 'process')
    const definitions = await Promise.all(Object.values(runtimeLoaders).map((load) => load()))
    expect(definitions.map(({ id }): string => id)).toEqual(Object.keys(runtimeLoaders))
    expect(Object.keys(runtimeLoaders).sort()).toEqual(folders)
  })

  test('features: each has a door, and the composition uses it', async () => {
    const roots = readdirSync(join(ROOT, 'src')).filter((name) => /^(?:compose|commands).*\.ts$/.test(name))
    expect(roots).toContain('compose.ts')
    const used = (await Promise.all(roots.map((name) => text(`src/${name}`)))).join('\n')
    const features = foldersIn(ROOT, 'src/features')
    expect(features.length).toBeGreaterThan(5)
    // A feature that is commands alone has nothing to give to others.
    const hasDoor = (name: string): boolean =>
      ['index.ts', 'commands.ts'].some((file) => existsSync(join(ROOT, 'src/features', name, file)))
    expect(features.filter((name) => !hasDoor(name))).toEqual([])
    expect(features.filter((name) => !used.includes(`./features/${name}/`))).toEqual([])
  })

  test('pages: each has a document and a program', () => {
    // What pages share, and a module for pages of others.
    const pages = foldersIn(ROOT, 'public').filter((name) => name !== 'shared' && name !== 'mcp-client')
    expect(pages.length).toBeGreaterThan(1)
    const parts = (page: string) => readdirSync(join(ROOT, 'public', page))
    expect(pages.filter((page) => !parts(page).includes('index.html'))).toEqual([])
    expect(pages.filter((page) => !parts(page).some((name) => /^main\.tsx?$/.test(name)))).toEqual([])
  })

  test('folders of the source are explained', async () => {
    const explained = await text('.github/ARCHITECTURE.md')
    const folders = foldersIn(ROOT, 'src').map((name) => `src/${name}/`)
    expect(folders.filter((folder) => !explained.includes(`\`${folder}`))).toEqual([])
    // And nothing is explained that is not there.
    const named = [...explained.matchAll(/^\| `((?:src|runtimes|public|test)\/[^`<]*)/gm)].map(([, path]) => path ?? '')
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })
})
