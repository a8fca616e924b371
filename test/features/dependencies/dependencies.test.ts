/** Packages of agents: installed once for a kind of runtime and a set of needs. The engine's jobs are played; the files are real. */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { workspacePaths } from '../../../src/config/paths.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createMemoryStore, type Store } from '../../../src/core/store.ts'
import { createDependencies, type Dependencies } from '../../../src/features/dependencies/index.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import type { JobSpec } from '../../../runtimes/adapter.ts'

const KIND = 'linux-x64-musl-node24'
let dir: string
let store: Store
let dependencies: Dependencies
let jobs: string[]
/** What npm ends with, and what it leaves. */
let npm: { code: number; packages: readonly string[]; says?: string }
let installed: JobSpec | undefined

async function* words(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(new TextEncoder().encode(text))
}

async function run(spec: JobSpec): Promise<{ code: number; text: string }> {
  const { entrypoint, mounts } = spec
  jobs.push(String(entrypoint?.[0]))
  if (entrypoint?.[0] === 'node') return { code: 0, text: `${KIND}\n` }
  installed = spec
  for (const name of npm.packages) {
    const folder = join(mounts[0]?.source ?? '', 'node_modules', name)
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'package.json'), '{}')
  }
  return { code: npm.code, text: npm.code === 0 ? '' : (npm.says ?? 'npm error 404 Not Found\n') }
}

const adapter = {
  capabilities: { images: true, bindMounts: true },
  ensureImage: () => ({ next: () => Promise.resolve({ done: true, value: { id: 'sha256:1' } }) }),
  sweep: () => Promise.resolve({ jobs: [], networks: [] }),
  async job(spec: JobSpec) {
    const { code, text } = await run(spec)
    return { stdout: words(text), stderr: words(''), exit: Promise.resolve(code), kill: () => Promise.resolve() }
  },
}

const prepare = (change: object = {}): Promise<string | null> =>
  dependencies.prepare({
    ...{ agent: 'a', workspace: 'abcd1234', image: 'node:24-alpine', progress: () => {} },
    definition: { codeDir: dir, agent: 'a' } as never,
    adapter: { ...adapter, ...change } as never,
  })
const asks = (value: unknown): Promise<void> => writeFile(join(dir, 'package.json'), JSON.stringify(value))

beforeEach(async () => {
  dir = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-deps-')))
  store = createMemoryStore()
  jobs = []
  npm = { code: 0, packages: ['left-pad'] }
  dependencies = createDependencies({ platform: createPlatform(), paths: workspacePaths(join(dir, 'ws')), store })
  await asks({ dependencies: { 'left-pad': '^1.0.0' } })
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('prepare()', () => {
  it('installs once for a kind of runtime and a set of needs, and anew for other needs', async () => {
    const first = await prepare()
    expect(first).toMatch(new RegExp(`/deps/${KIND}/[0-9a-f]{16}/node_modules$`))
    expect(await prepare()).toBe(first)
    expect(jobs).toEqual(['node', 'npm'])
    await asks({ dependencies: { 'left-pad': '^1.1.0' } })
    expect(await prepare()).not.toBe(first)
    expect(jobs).toEqual(['node', 'npm', 'npm'])
    expect((await dependencies.list()).map(({ valid, packages }) => [valid, packages])).toEqual([
      [true, 1],
      [true, 1],
    ])
  })

  it('does so again when a package or the stamp is gone', async () => {
    const modules = (await prepare()) ?? ''
    await rm(join(modules, 'left-pad'), { recursive: true })
    await prepare()
    await rm(join(modules, '../stamp.json'))
    await prepare()
    expect(jobs.filter((job) => job === 'npm')).toHaveLength(3)
    expect(JSON.parse(await readFile(join(modules, '../stamp.json'), 'utf8'))).toMatchObject({ version: 1 })
  })

  it('twice at once is once', async () => {
    await Promise.all([prepare(), prepare()])
    expect(jobs.filter((job) => job === 'npm')).toHaveLength(1)
  })

  it('has nothing to do without needs, with packages that came along, or without mounts', async () => {
    expect(await prepare({ capabilities: { images: false, bindMounts: false } })).toBe(null)
    await asks({ devDependencies: { x: '1' } })
    expect(await prepare()).toBe(null)
    await asks({ dependencies: { x: '1' } })
    await mkdir(join(dir, 'node_modules'))
    expect(await prepare()).toBe(null)
    expect(jobs).toEqual([])
  })

  it('a failure says the last words of npm and leaves nothing', async () => {
    npm = { code: 1, packages: [] }
    await expect(prepare()).rejects.toMatchObject({
      code: 'AGENT_FAILED',
      message: 'Installing the packages of "a" ended with code 1: npm error 404 Not Found',
    })
    npm = { code: 0, packages: [] }
    await expect(prepare()).rejects.toThrow('left packages out')
    expect(await dependencies.list()).toEqual([])
  })

  it.each([
    [{ dependencies: { '../x': '1' } }, 'not the name of a package: "../x"'],
    [{ dependencies: { x: 'file:../../etc/x.tgz' } }, 'expected an archive below the folder'],
    [{ dependencies: { x: 1 } }, 'dependencies.x: expected text'],
    [{ dependencies: 5 }, 'dependencies: expected an object'],
  ])('refuses %j', async (value, message) => {
    await asks(value)
    await expect(prepare()).rejects.toThrow(message)
  })
})

it('clean() removes one or all, and knows what is not there', async () => {
  await prepare()
  const [state] = await dependencies.list()
  await expect(dependencies.clean('no/such')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(await dependencies.clean(state?.key ?? '')).toEqual([state?.key])
  expect(await dependencies.clean(null)).toEqual([])
})

describe('the way to a registry', () => {
  const withEnv = (env: Record<string, string>): Dependencies =>
    createDependencies({ platform: { ...createPlatform(), env }, paths: workspacePaths(join(dir, 'ws')), store })

  it('is that of this machine: proxies, a registry, certificates, and nothing else', async () => {
    const file = join(dir, 'authority.pem')
    await writeFile(file, 'certificate')
    dependencies = withEnv({
      ...{
        HTTPS_PROXY: 'http://ann:hunter2@proxy:3128',
        NO_PROXY: 'local',
        npm_config_registry: 'https://npm.example',
      },
      ...{ NODE_EXTRA_CA_CERTS: file, AWS_SECRET_ACCESS_KEY: 'other' },
    })
    await prepare()
    const { HTTPS_PROXY: proxy, ...env } = installed?.env ?? {}
    expect(proxy).toBeInstanceOf(Secret)
    expect(String(proxy)).not.toContain('hunter2')
    expect(Object.keys(env).sort()).toEqual([
      ...['HOME', 'NODE_EXTRA_CA_CERTS', 'NO_PROXY', 'npm_config_cache'],
      ...['npm_config_registry', 'npm_config_update_notifier'],
    ])
    expect(installed?.mounts[1]).toEqual({ source: file, target: env['NODE_EXTRA_CA_CERTS'], readOnly: true })
  })

  it('has no certificates where the file is not there', async () => {
    dependencies = withEnv({ NODE_EXTRA_CA_CERTS: join(dir, 'gone.pem') })
    await prepare()
    expect(installed?.env).not.toHaveProperty('NODE_EXTRA_CA_CERTS')
    expect(installed?.mounts).toHaveLength(1)
  })

  it('is what a failure for want of it is told of, by the line that says why', async () => {
    const lines = [
      'code SELF_SIGNED_CERT_IN_CHAIN',
      'self-signed certificate',
      'A complete log of this run can be found in: /x',
    ]
    npm = { code: 1, packages: [], says: lines.map((line) => `npm error ${line}\n`).join('') }
    await expect(prepare()).rejects.toMatchObject({
      message: 'Installing the packages of "a" ended with code 1: npm error self-signed certificate',
      hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') as string,
    })
  })
})
