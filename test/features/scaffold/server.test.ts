import { expect, test } from 'vitest'
import { parseManifest } from '../../../src/config/manifest/index.ts'
import type { RunResult } from '../../../src/core/process.ts'
import { planServer, type ServerServices } from '../../../src/features/scaffold/server/plan.ts'
import {
  agentNameOf,
  parseEnv,
  parseSourceWords,
  type ServerWords,
} from '../../../src/features/scaffold/server/source.ts'

const NOTHING: ServerWords = {
  ...{ npm: null, pypi: null, image: null, command: null, args: [], env: [], http: null, bin: null, name: null },
}
/** A machine whose npm answers with this; null: it has none. */
function machine(
  npm: Partial<RunResult> | null,
  command?: { entrypoint: string[]; arguments: string[] },
): ServerServices {
  const processes = {
    which: async () => (npm === null ? null : '/usr/bin/npm'),
    run: async () => ({ exitCode: 0, stdout: '', stderr: '', ...npm }),
  }
  async function* ensureImage() {
    yield { message: 'pulled', fraction: 1, done: true }
    return { id: 'sha256:1', digest: null, ...(command === undefined ? {} : { command }) }
  }
  const adapter = { capabilities: { images: true }, ensureImage }
  return {
    platform: { processes },
    settings: { values: { runtime: 'auto' } },
    runtimes: { firstEngine: async () => adapter },
  } as unknown as ServerServices
}
const options = { signal: new AbortController().signal, progress: () => {} }
const plan = (services: ServerServices, words: Partial<ServerWords>) =>
  planServer(services, { ...NOTHING, ...words }, options)
const manifestOf = ({ files }: Awaited<ReturnType<typeof plan>>) =>
  parseManifest(files.find(({ path }) => path === 'manifest.json')?.text ?? '', {
    file: 'manifest.json',
    profile: 'dev',
  })

test('npm: the version of this moment, its program from the mounted packages', async () => {
  const npm = { stdout: '{"version":"1.2.3","bin":{"srv":"dist/i.js"}}' }
  const made = await plan(machine(npm), {
    npm: '@acme/mcp-server',
    args: ['--root', '/two words'],
    env: ['KEY=$ACME_KEY', 'MODE=fast'],
  })
  expect(made).toMatchObject({
    name: 'mcp-server',
    package: '@acme/mcp-server@1.2.3',
    env: ['KEY from ACME_KEY', 'MODE'],
  })
  const manifest = manifestOf(made)
  expect(manifest.mcp).toMatchObject({ transport: 'stdio', argv: ['/node_modules/.bin/srv', '--root', '/two words'] })
  expect(manifest.env).toMatchObject([
    { name: 'KEY', source: 'ACME_KEY', required: true },
    { name: 'MODE', default: 'fast' },
  ])
  expect(manifest.warnings).toEqual([])
  expect(made.files.map(({ path }) => path)).toEqual(['manifest.json', 'README.md', 'code/package.json'])
  expect(made.files[2]?.text).toContain('"@acme/mcp-server": "1.2.3"')
})

test('npm: several programs are named, a range takes the newest, and npm’s words are told', async () => {
  const two = { stdout: '{"version":"1.0.0","bin":{"a":"a.js","b":"b.js"}}' }
  await expect(plan(machine(two), { npm: 'pair' })).rejects.toMatchObject({
    code: 'USAGE_INVALID',
    hint: 'Choose one: --bin a',
  })
  expect((await plan(machine(two), { npm: 'pair', bin: 'b' })).argv).toEqual(['/node_modules/.bin/b'])
  const range = { stdout: '[{"version":"1.0.0","bin":"x.js"},{"version":"1.5.0","bin":"x.js"}]' }
  expect(await plan(machine(range), { npm: 'one@^1' })).toMatchObject({
    package: 'one@1.5.0',
    argv: ['/node_modules/.bin/one'],
  })
  const unknown = machine({ exitCode: 1, stderr: 'npm error code E404' })
  await expect(plan(unknown, { npm: 'nope' })).rejects.toMatchObject({ code: 'PACKAGE_NOT_FOUND' })
  const offline = machine({ exitCode: 1, stderr: 'npm error network timeout' })
  await expect(plan(offline, { npm: 'one' })).rejects.toThrow(/network timeout/)
})

test('without npm on this machine only an exact version can be meant', async () => {
  await expect(plan(machine(null), { npm: 'one' })).rejects.toMatchObject({
    hint: 'Give the exact one: --npm one@1.2.3',
  })
  expect((await plan(machine(null), { npm: 'one@1.2.3' })).argv).toEqual(['npx', '-y', 'one@1.2.3'])
})

test('PyPI: installed before, its program run', async () => {
  const made = await plan(machine(null), { pypi: 'mcp-server-fetch[all]==2025.1.1' })
  expect(made).toMatchObject({
    name: 'mcp-server-fetch',
    argv: ['mcp-server-fetch'],
    package: 'mcp-server-fetch[all]==2025.1.1',
  })
  expect(manifestOf(made).hooks.install?.line).toContain("'mcp-server-fetch[all]==2025.1.1'")
})

test('images: their own program, arguments in place of its own; HTTP with the whole command', async () => {
  const own = { entrypoint: ['/server', 'run'], arguments: ['--default'] }
  expect((await plan(machine(null, own), { image: 'ghcr.io/acme/crm-server:2' })).argv).toEqual([
    '/server',
    'run',
    '--default',
  ])
  const http = await plan(machine(null, own), { image: 'acme/crm', args: ['a "b"', 'c\\d'], http: 8080 })
  expect(manifestOf(http)).toMatchObject({
    ...{ main: { kind: 'image', args: ['/server', 'run', 'a "b"', 'c\\d'] }, entrypoint: [] },
    ...{ mcp: { transport: 'http', port: 8080 }, readiness: { protocol: 'mcp', port: 8080 } },
  })
  expect((await plan(machine(null), { image: 'acme/crm', command: 'node s.js' })).argv).toEqual(['node', 's.js'])
  await expect(plan(machine(null), { image: 'acme/empty' })).rejects.toThrow(/no program of its own/)
})

test.each([
  [{ npm: '--help' }],
  [{ npm: 'a b' }],
  [{ npm: 'a@1 && rm' }],
  [{ npm: '../up' }],
  [{ pypi: "x'; rm -rf /" }],
  [{ pypi: "x==1'; true" }],
  [{ image: '-v' }],
  [{ image: 'a b' }],
  [{ command: '' }],
  [{ command: "node 'open" }],
  [{ npm: 'a', pypi: 'b' }],
  [{ npm: 'a', command: 'b' }],
])('%j is refused', (words) => {
  expect(() => parseSourceWords({ ...NOTHING, ...words })).toThrow(expect.objectContaining({ code: 'USAGE_INVALID' }))
})

test('names come from what is given; variables are checked', () => {
  const nameOf = (words: Partial<ServerWords>) =>
    agentNameOf(parseSourceWords({ ...NOTHING, ...words }), words.name ?? null)
  expect(nameOf({ image: 'registry.local:5000/team/My_Server:1@sha256:ab' })).toBe('my-server')
  expect(nameOf({ npm: '@scope/x.y' })).toBe('x-y')
  expect(() => nameOf({ command: 'node x.js' })).toThrow(/Which name/)
  expect(() => nameOf({ npm: 'x', name: '../x' })).toThrow(/Not a name/)
  expect(parseEnv(['A', 'B=', 'C=${D}'])).toEqual([
    { name: 'A', from: null, value: null },
    { name: 'B', from: null, value: '' },
    { name: 'C', from: 'D', value: null },
  ])
  for (const bad of ['=x', '1A=x', 'A=$(id)', 'A-B=1']) expect(() => parseEnv([bad])).toThrow(/Not a variable/)
})
