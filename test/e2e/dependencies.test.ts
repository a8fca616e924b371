/** Packages of Node agents: installed once in a throw-away container, shared, found from any module. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

const NODE = 'docker.io/library/node:24-alpine'
const SERVER = `import { createServer } from 'node:http'
import { word } from 'vendored'
createServer((request, response) => response.end(word)).listen(process.env.PORT)
`

describe.runIf(isContainerEngine)('packages of agents', () => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.run(['init'])
    await mkdir(join(workspace.dir, '.ploinky/repos/shop'), { recursive: true })
    await writeFile(
      join(workspace.dir, '.ploinky/enabled_repos.json'),
      JSON.stringify({ version: 1, repos: ['builtin', 'shop'] }),
    )
    await define('one')
    await define('two')
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  /** A package as npm packs it: there is no registry here. */
  async function pack(to: string): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'ploinky-package-'))
    await mkdir(join(folder, 'package'))
    const manifest = { name: 'vendored', version: '1.0.0', type: 'module', exports: './index.js' }
    await writeFile(join(folder, 'package/package.json'), JSON.stringify(manifest))
    await writeFile(join(folder, 'package/index.js'), `export const word = 'from the package'\n`)
    execFileSync('tar', ['-czf', to, '-C', folder, 'package'])
    await rm(folder, { recursive: true })
  }

  async function define(name: string): Promise<void> {
    const code = join(workspace.dir, '.ploinky/repos/shop', name, 'code')
    await mkdir(join(code, 'vendor'), { recursive: true })
    const manifest = { container: NODE, agent: 'node server.mjs', readiness: { protocol: 'http' } }
    await writeFile(join(code, '../manifest.json'), JSON.stringify(manifest))
    await writeFile(join(code, 'server.mjs'), SERVER)
    await writeFile(
      join(code, 'package.json'),
      JSON.stringify({ name: 'agent', dependencies: { vendored: 'file:vendor/vendored.tgz' } }),
    )
    if (name === 'one') await pack(join(code, 'vendor/vendored.tgz'))
    else
      execFileSync('cp', [
        join(workspace.dir, '.ploinky/repos/shop/one/code/vendor/vendored.tgz'),
        join(code, 'vendor'),
      ])
  }

  it('are installed once for both, and found', async () => {
    const enabled = await Promise.all(['one', 'two'].map((name) => workspace.run(['enable', 'agent', name])))
    expect(enabled.map(({ code }) => code)).toEqual([0, 0])
    const { code, stderr } = await workspace.run(['start'])
    expect([code, stderr].join(' ')).toMatch(/^0/)
    for (const name of ['one', 'two'])
      expect(await (await workspace.fetch(`/services/${name}/`)).text()).toBe('from the package')
    const states = await workspace.json<{ key: string; packages: number; valid: boolean }[]>(['deps', 'status'])
    expect(states).toMatchObject([{ packages: 1, valid: true }])
    expect(states[0]?.key).toMatch(/^linux-\w+-(?:musl|glibc)-node\d+\/[0-9a-f]{16}$/)
    // Nothing was written into the clone.
    expect(await readdir(join(workspace.dir, '.ploinky/repos/shop/one/code'))).not.toContain('node_modules')
  })

  it('what was removed is installed again; a package that cannot be had fails that agent, with npm’s words', async () => {
    expect((await workspace.run(['deps', 'clean', '--all'])).stdout).toContain('Removed linux-')
    const { code, stderr } = await workspace.run(['deps', 'prepare', 'one'])
    expect([code, stderr].join(' ')).toMatch(/^0/)
    const file = join(workspace.dir, '.ploinky/repos/shop/two/code/package.json')
    await writeFile(file, JSON.stringify({ name: 'agent', dependencies: { vendored: 'file:vendor/lost.tgz' } }))
    const failed = await workspace.run(['deps', 'prepare', 'two'])
    expect(failed.code).toBe(3)
    expect(failed.stderr).toContain('"vendor/lost.tgz" is not in')
    expect((await workspace.json<unknown[]>(['deps', 'status'])).length).toBe(1)
  })
})
