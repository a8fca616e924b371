/** `.ploinky/.secrets`: edited by people, torn by machines, encrypted or not; no value ever shows. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSecretStore } from '../../../src/features/secrets/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'
import { createLock } from '../../../src/platform/lock.ts'
import { createProcesses } from '../../../src/platform/processes.ts'

let dir: string
let warnings: string[]
const file = (): string => join(dir, '.secrets')
const open = (masterKey?: string) =>
  createSecretStore({
    fs: createFileSystem(),
    lock: createLock(createProcesses().info),
    file: file(),
    lockFile: join(dir, 'running', 'secrets.lock'),
    masterKey,
    onWarning: (message) => warnings.push(message),
  })
const write = async (text: string): Promise<void> => {
  await writeFile(file(), text, { mode: 0o600 })
}
const all = async (store = open()): Promise<Record<string, string>> =>
  Object.fromEntries([...(await store.all())].map(([name, secret]) => [name, secret.reveal()]))

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-secrets-'))
  warnings = []
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('reading', () => {
  it('takes what editors of all systems write', async () => {
    await write('\uFEFF# comment\r\nA=1\r\n  B = two words \r\n\r\nC=a=b=c\nD=\nE="quoted"\n__proto__=x\nconstructor=y')
    expect(await all()).toEqual({
      A: '1',
      B: 'two words',
      C: 'a=b=c',
      D: '',
      E: '"quoted"',
      constructor: 'y',
      ['__proto__']: 'x',
    })
    expect(warnings).toEqual([])
  })

  it('names lines that are none, once, without their content', async () => {
    await write('A=1\nhunter2\nexport B=2\n1C=3\n=x\nD=a\0b\nA=again\n')
    const store = open()
    expect(await all(store)).toEqual({ A: 'again' })
    await store.get('A')
    expect(warnings).toEqual([
      '.ploinky/.secrets line 2 is not KEY=VALUE; ignored',
      '.ploinky/.secrets line 3 is not KEY=VALUE; ignored',
      '.ploinky/.secrets line 4 is not KEY=VALUE; ignored',
      '.ploinky/.secrets line 5 is not KEY=VALUE; ignored',
      '.ploinky/.secrets line 6 holds a NUL character; ignored',
      '.ploinky/.secrets line 7 gives A again; the last one counts',
    ])
    expect(warnings.join()).not.toContain('hunter2')
  })

  it('closes a file that others could read, and says so', async () => {
    await write('A=1')
    await chmod(file(), 0o644)
    expect(await all()).toEqual({ A: '1' })
    expect((await stat(file())).mode & 0o777).toBe(0o600)
    expect(warnings).toEqual(['.ploinky/.secrets could be read by others; its mode is 0600 now'])
  })

  it('gives values that do not print', async () => {
    await write('A=hunter2')
    const secret = await open().get('A')
    expect(`${String(secret)}${JSON.stringify({ secret })}${inspect(secret)}`).not.toContain('hunter2')
    expect(secret?.reveal()).toBe('hunter2')
  })
})

describe('writing', () => {
  it('keeps comments, order and lines that it does not understand', async () => {
    await write('# mine\nA=1\n\nnot a line\nB=2\n')
    await open().set('A', 'new')
    expect(await readFile(file(), 'utf8')).toBe('# mine\n\nnot a line\nB=2\nA=new\n')
    expect((await stat(file())).mode & 0o777).toBe(0o600)
  })

  it.each(['a\nB=injected', 'a\rb', 'a\0b'])('refuses a value that would be more than one line: %j', async (value) => {
    await write('A=1\n')
    await expect(open().set('A', value)).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    expect(await readFile(file(), 'utf8')).toBe('A=1\n')
  })

  it.each(['', 'A B', 'A=B', '1A', 'A\nB', 'Ä', 'x'.repeat(5) + '-'])('refuses the name %j', async (name) => {
    await expect(open().set(name, 'x')).rejects.toMatchObject({ code: 'NAME_INVALID' })
  })

  it('loses nothing when many write at once', async () => {
    const keys = Array.from({ length: 20 }, (_, index) => `KEY_${index}`)
    await Promise.all(keys.map((key) => open().set(key, key)))
    expect(await all()).toEqual(Object.fromEntries(keys.map((key) => [key, key])))
  })

  it('makes a missing one once, whoever asks first', async () => {
    const made = await Promise.all(
      Array.from({ length: 10 }, (_, index) => open().ensure('TOKEN', () => `token-${index}`)),
    )
    expect(new Set(made.map((secret) => secret.reveal())).size).toBe(1)
  })
})

describe('with a master key', () => {
  it('writes nothing readable, and still reads what was plain', async () => {
    await write('OLD=plain\n')
    const store = open('master')
    await store.set('NEW', 'hunter2')
    expect(await readFile(file(), 'utf8')).not.toContain('hunter2')
    expect(await all(open('master'))).toEqual({ OLD: 'plain', NEW: 'hunter2' })
  })

  it('refuses without the key, with another key, and anything that was changed', async () => {
    await open('master').set('A', 'hunter2')
    await open('master').set('B', 'other')
    const text = await readFile(file(), 'utf8')
    await expect(open().get('A')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringContaining('PLOINKY_MASTER_KEY') as string,
    })
    await expect(open('wrong').get('A')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const swapped = text.replace('A=', 'X=').replace('B=', 'A=').replace('X=', 'B=')
    const changed = [swapped, 'A=enc:v1:\n', 'A=enc:v1:!!!.???\n', 'A=enc:v1:AAAA.AAAA\n', text.replace(/.{6}\n/, '\n')]
    for (const attempt of changed) {
      await write(attempt)
      await expect(open('master').get('A'), attempt).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }
  })
})

describe('removing, and many at once', () => {
  it('removes every line of a name, and keeps the rest', async () => {
    await write('# mine\nA=1\nB=2\nA=3\n')
    expect(await open().unset('A')).toBe(true)
    expect(await open().unset('A')).toBe(false)
    expect(await readFile(file(), 'utf8')).toBe('# mine\nB=2\n')
  })

  it('names what is there without the key', async () => {
    await open('master').set('A', 'hunter2')
    expect(await open().names()).toEqual(['A'])
  })

  it('makes what is missing of many, and keeps the others', async () => {
    await write('A=1\n')
    const found = await open().ensureAll(['A', 'B', 'C'], (name) => `made-${name}`)
    expect(Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]))).toEqual({
      A: '1',
      B: 'made-B',
      C: 'made-C',
    })
    expect(await readFile(file(), 'utf8')).toBe('A=1\nB=made-B\nC=made-C\n')
  })

  it.each([' a', 'a ', 'enc:v1:x'])('refuses %j as plain text: it would not come back', async (value) => {
    await expect(open().set('A', value)).rejects.toMatchObject({ code: 'USAGE_INVALID' })
    const store = open('master')
    await store.set('A', value)
    expect((await store.get('A'))?.reveal()).toBe(value)
  })
})
