/** Variables of a workspace on real files: what is made once, kept, encrypted, exposed and never shown. */
import { chmod, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SecretOrigin } from '../../../src/config/manifest/types.ts'
import { workspacePaths } from '../../../src/config/paths.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { createSecretStore } from '../../../src/features/secrets/index.ts'
import { createVariables, resolveEnvironment, type Variables } from '../../../src/features/variables/index.ts'
import { createFileStore } from '../../../src/platform/file-store.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { hashing } from '../../../src/platform/hashing.ts'
import type { Platform } from '../../../src/platform/index.ts'
import { createLock } from '../../../src/platform/lock.ts'
import { createProcesses } from '../../../src/platform/processes.ts'
import { entry, hidden, plain, request, texts } from './helpers.ts'

let root: string
let warnings: string[]
let events: string[]

/** As another process would open the same workspace. */
function open(env: Record<string, string> = {}): Variables {
  const fs = createFileSystem()
  const lock = createLock(createProcesses().info)
  const paths = workspacePaths(root)
  const bus = createEventBus()
  bus.on((event) => events.push(`${event.type} ${event.subject} ${JSON.stringify(event.data)}`))
  const onWarning = (message: string): void => void warnings.push(message)
  const secrets = createSecretStore({
    fs,
    lock,
    file: paths.secrets,
    lockFile: join(paths.running, 'secrets.lock'),
    masterKey: env['PLOINKY_MASTER_KEY'],
    onWarning,
  })
  const os = { homeDir: root, uid: process.getuid?.() ?? -1 } as Platform['os']
  const platform = { fs, lock, env, os, hash: hashing } as unknown as Platform
  const store = createFileStore({ root: paths.dir, fs, lock, onRecovered: () => {} })
  return createVariables({ platform, paths, store, secrets, events: bus, onWarning })
}

const demo = { name: 'demo', repo: 'basic', agent: 'demo' }
const file = (name: string): string => join(root, '.ploinky', name)
const read = (name: string): Promise<string> => readFile(file(name), 'utf8')

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'ploinky-test-variables-')))
  warnings = []
  events = []
})
afterEach(() => rm(root, { recursive: true, force: true }))

const generated = (name: string, shared = false): SecretOrigin => ({ kind: 'generated', name, shared })
const derived: SecretOrigin = { kind: 'derived', name: 'D', repo: null, agent: null, bytes: 32, format: 'hex' }
const asking = (agent: string, origins: Record<string, SecretOrigin>) =>
  request({ agent, env: Object.entries(origins).map(([name, origin]) => entry(name, { origin })) })

async function environmentOf(variables: Variables, asked: ReturnType<typeof request>, create = true) {
  return resolveEnvironment(asked, await variables.load([asked], { create }))
}

describe('generated secrets', () => {
  it('are made once, also when twenty agents start at once', async () => {
    const agents = Array.from({ length: 20 }, (_, index) => `agent${index}`)
    const results = await Promise.all(
      agents.map((agent) => environmentOf(open(), asking(agent, { OWN: generated('N'), ALL: generated('N', true) }))),
    )
    const values = results.map(plain)
    expect(new Set(values.map(({ ALL }) => ALL)).size).toBe(1)
    expect(new Set(values.map(({ OWN }) => OWN)).size).toBe(20)
    expect(values[0]?.['ALL']).toMatch(/^[\w-]{43}$/)
    expect(results.map(hidden)).toEqual(agents.map(() => ['OWN', 'ALL']))
    // And stay: twenty of their own and one of all, each on one line.
    const again = plain(
      await environmentOf(open(), asking('agent7', { OWN: generated('N'), ALL: generated('N', true) })),
    )
    expect(again).toEqual(values[7])
    expect((await read('.secrets')).trim().split('\n')).toHaveLength(21)
    expect((await stat(file('.secrets'))).mode & 0o777).toBe(0o600)
  })

  it('of all agents of a start are one write, in one load', async () => {
    const asked = ['a', 'b'].map((agent) => asking(agent, { X: generated('X'), S: generated('S', true), D: derived }))
    const sources = await open().load(asked, { create: true })
    const [a, b] = asked.map((one) => plain(resolveEnvironment(one, sources)))
    expect([a?.['S'] === b?.['S'], a?.['X'] === b?.['X'], a?.['D'] === b?.['D']]).toEqual([true, false, false])
  })

  it('are not made by looking, and no file is', async () => {
    const result = await environmentOf(open(), asking('a', { X: generated('X'), D: derived }), false)
    expect(texts(result)).toEqual({ X: 'generated, made at the next start', D: 'derived, made at the next start' })
    await expect(stat(file('.secrets'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(stat(file('master-key'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('are no other agent’s, by no pattern and no alias', async () => {
    const variables = open()
    await environmentOf(variables, asking('a', { X: generated('API_TOKEN') }))
    const [name = ''] = (await read('.secrets')).split('=')
    await variables.set('ALIAS', { word: `$${name}` })
    const thief = request({ agent: 'b', env: [entry('*'), entry('P*'), entry(name), entry('ALIAS')] })
    const result = await environmentOf(variables, thief)
    expect([plain(result), result.problems.length]).toEqual([{}, 1])
    expect((await variables.list('*')).map((variable) => variable.name)).toEqual(['ALIAS'])
  })

  it('are encrypted with the master key', async () => {
    const env = { PLOINKY_MASTER_KEY: 'master' }
    const asked = asking('a', { X: generated('X') })
    const value = plain(await environmentOf(open(env), asked))['X'] ?? ''
    expect(await read('.secrets')).not.toContain(value)
    expect(plain(await environmentOf(open(env), asked))['X']).toBe(value)
    await expect(environmentOf(open(), asked)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

describe('the master key', () => {
  const valueOf = async (env: Record<string, string> = {}) =>
    plain(await environmentOf(open(env), asking('a', { D: derived })))['D']

  it('is made once when it is needed, for the owner alone', async () => {
    const values = await Promise.all(Array.from({ length: 20 }, () => valueOf()))
    expect(new Set(values).size).toBe(1)
    expect(await read('master-key')).toMatch(/^[0-9a-f]{64}\n$/)
    expect((await stat(file('master-key'))).mode & 0o777).toBe(0o600)
    expect(await valueOf()).toBe(values[0])
  })

  it('comes from the environment first, then from .env, then from its file', async () => {
    const fromFile = await valueOf()
    await writeFile(join(root, '.env'), 'PLOINKY_MASTER_KEY=two\n', { mode: 0o600 })
    const fromDotEnv = await valueOf()
    const fromEnvironment = await valueOf({ PLOINKY_MASTER_KEY: 'one' })
    expect(new Set([fromFile, fromDotEnv, fromEnvironment]).size).toBe(3)
    expect(await valueOf({ PLOINKY_MASTER_KEY: 'two' })).toBe(fromDotEnv)
  })

  it('is closed when others could read it; one that is empty is not replaced in silence', async () => {
    const before = await valueOf()
    await chmod(file('master-key'), 0o644)
    expect(await valueOf()).toBe(before)
    expect(warnings).toEqual(['.ploinky/master-key could be read by others; its mode is 0600 now'])
    expect((await stat(file('master-key'))).mode & 0o777).toBe(0o600)
    await writeFile(file('master-key'), '\n')
    await expect(valueOf()).rejects.toMatchObject({ code: 'STATE_INVALID' })
  })
})

describe('setting', () => {
  it('keeps a reference as one, and text as text', async () => {
    const variables = open()
    await variables.set('A', { word: '$B' })
    await variables.set('T', { text: '$B' })
    await variables.set('TT', { text: '$$B' })
    expect((await variables.get('T')).value?.reveal()).toBe('$B')
    expect((await variables.get('TT')).value?.reveal()).toBe('$$B')
    expect(await variables.get('A')).toMatchObject({ value: null, toSet: 'B' })
    await variables.set('B', { word: 'b' })
    const { value, from } = await variables.get('A')
    expect([value?.reveal(), from]).toEqual(['b', 'A -> B: .ploinky/.secrets'])
  })

  it.each(['PLOINKY_OPERATOR_TOKEN', 'PLOINKY_X', 'a-b', '', '__proto__', 'A\nB'])(
    'refuses the name %j',
    async (name) => {
      const variables = open()
      const refused = { code: 'NAME_INVALID' }
      await expect(variables.set(name, { word: 'x' })).rejects.toMatchObject(refused)
      await expect(variables.unset(name)).rejects.toMatchObject(refused)
      await expect(variables.get(name)).rejects.toMatchObject(refused)
      await expect(variables.expose(demo, name, { word: 'x' })).rejects.toMatchObject(refused)
      await expect(variables.expose(demo, 'A', { word: '$PLOINKY_OPERATOR_TOKEN' })).rejects.toMatchObject(refused)
    },
  )

  it('tells events by name, never by value', async () => {
    const variables = open()
    await variables.set('A', { word: 'hunter2' })
    await variables.expose(demo, 'A', { word: 'hunter2' })
    await variables.unexpose('demo', 'A')
    await variables.unset('A')
    expect(await variables.unset('A')).toBe(false)
    expect(events).toEqual([
      'variable.set A {}',
      'variable.exposed demo {"name":"A"}',
      'variable.hidden demo {"name":"A"}',
      'variable.removed A {}',
    ])
  })

  it('lists .secrets and .env, and the environment for a pattern; hidden ones of the workspace never', async () => {
    await writeFile(join(root, '.env'), 'A=1\nD=1\nPLOINKY_D=1\n', { mode: 0o600 })
    const variables = open({ A: 'e', E_API_KEY: 'e', PLOINKY_E: 'e', PATH: '/bin' })
    await variables.set('S', { word: '1' })
    const list = async (pattern: string | null) =>
      (await variables.list(pattern)).map(({ name, from }) => `${name}: ${from}`)
    expect(await list(null)).toEqual(['A: environment', `D: ${root}/.env line 2`, 'S: .ploinky/.secrets'])
    expect(await list('*')).toHaveLength(5)
    expect(await list('E_*')).toEqual(['E_API_KEY: environment'])
    expect(await list('PLOINKY_*')).toEqual([])
  })
})

describe('exposing', () => {
  it('is kept in the workspace; a value of its own is kept with the secrets alone', async () => {
    const variables = open()
    await variables.set('KEY', { word: 'k' })
    await variables.expose(demo, 'A', { word: '$KEY' })
    await variables.expose(demo, 'B', { word: 'hunter2' })
    expect(await read('exposed.json')).not.toContain('hunter2')
    const result = await environmentOf(open(), request())
    expect([plain(result), hidden(result)]).toEqual([{ A: 'k', B: 'hunter2' }, ['A', 'B']])
    expect(await variables.exposures()).toEqual([
      { agent: 'demo', name: 'A', from: 'KEY' },
      { agent: 'demo', name: 'B', from: null },
    ])
  })

  it('begins anew for another agent of the same name, and keeps no value of the old one', async () => {
    const variables = open()
    await variables.expose(demo, 'A', { word: 'hunter2' })
    const other = { ...demo, repo: 'other' }
    expect(plain(await environmentOf(open(), request({ repo: 'other' })))).toEqual({})
    await variables.expose(other, 'B', { word: '$KEY' })
    expect(await variables.exposures()).toEqual([{ agent: 'demo', name: 'B', from: 'KEY' }])
    expect(await read('.secrets')).not.toContain('hunter2')
  })

  it('taken back or changed to a reference leaves no value behind', async () => {
    const variables = open()
    await variables.expose(demo, 'A', { word: 'hunter2' })
    await variables.expose(demo, 'B', { word: 'hunter3' })
    await variables.expose(demo, 'A', { word: '$KEY' })
    expect(await variables.unexpose('demo', 'B')).toBe(true)
    expect(await variables.unexpose('demo', 'B')).toBe(false)
    expect(await variables.unexpose('nobody', 'B')).toBe(false)
    expect(await read('.secrets')).not.toMatch(/hunter/)
    expect(await variables.exposures()).toEqual([{ agent: 'demo', name: 'A', from: 'KEY' }])
  })
})
