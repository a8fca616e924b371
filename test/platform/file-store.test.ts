/** State files: torn, truncated, of another version, of the wrong kind; nothing is lost, and whatever happened is said. */
import { writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { delay } from '../../src/core/time.ts'
import { createFileStore, type Recovery } from '../../src/platform/file-store.ts'
import { createFileSystem } from '../../src/platform/files.ts'
import type { FileSystem } from '../../src/platform/index.ts'
import { createLock } from '../../src/platform/lock.ts'
import { createProcesses } from '../../src/platform/processes.ts'
import { countsDocument as spec } from '../helpers/state-document.ts'

let root: string
let recovered: Recovery[]
const open = (fs = createFileSystem()) =>
  createFileStore({
    root,
    fs,
    lock: createLock(createProcesses().info),
    onRecovered: (recovery) => recovered.push(recovery),
  })
const file = (name = 'counts'): string => join(root, name)
const write = (text: string | Uint8Array): Promise<void> => writeFile(file(), text)
/** Names in the folder but for lock and backup folders. */
const names = async (): Promise<string[]> =>
  (await readdir(root)).filter((name) => !['running', 'backup'].includes(name)).sort()

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'ploinky-test-store-'))
  recovered = []
})
afterEach(() => rm(root, { recursive: true, force: true }))

const one = { counts: { a: 1 }, padding: '' }
const seed = () => open().update(spec, () => one)

it('starts empty, writes a version, a private mode and a backup', async () => {
  expect(await open().read(spec)).toEqual({ counts: {}, padding: '' })
  await seed()
  expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ version: 2, ...one })
  expect((await stat(file())).mode & 0o777).toBe(0o600)
  expect(await readFile(join(root, 'backup', 'counts'), 'utf8')).toBe(await readFile(file(), 'utf8'))
  expect(await open().read(spec)).toEqual(one)
})

describe('a broken file is kept aside, recovered and reported', () => {
  const whole = `${JSON.stringify({ version: 2, ...one }, null, 2)}\n`
  const cases: [what: string, text: string | Uint8Array][] = [
    ['empty', ''],
    ['one byte short', whole.slice(0, -3)],
    ['cut in the middle', whole.slice(0, whole.length / 2)],
    ['blank', ' \n'],
    ['zeros, as after a power cut', new Uint8Array(whole.length)],
    ['binary', new Uint8Array([0xff, 0xfe, 0x00, 0xd8])],
    ['two documents', whole + whole],
    ['a list', '[]'],
    ['null', 'null'],
    ['text', '"x"'],
    ['without a version', JSON.stringify(one)],
    ['version of the past', JSON.stringify({ version: 1, ...one })],
    ['version as text', JSON.stringify({ version: '2', ...one })],
    ['wrong type', JSON.stringify({ version: 2, counts: { a: 'x' }, padding: '' })],
    ['key missing', JSON.stringify({ version: 2, counts: {} })],
    ['key too many', JSON.stringify({ version: 2, ...one, more: 1 })],
    ['deep', `{"version":2,"counts":${'['.repeat(100_000)}${']'.repeat(100_000)},"padding":""}`],
    ['far too large', 'x'.repeat(8 * 1024 * 1024 + 1)],
  ]
  it.each(cases)('%s', async (_what, text) => {
    await seed()
    await write(text)
    expect(await open().read(spec)).toEqual(one)
    const [recovery] = recovered
    expect(recovered).toHaveLength(1)
    expect(recovery?.problem).not.toBe('')
    const kept = recovery?.keptAs ?? ''
    expect(await names()).toEqual(['counts', kept])
    // Compared by node: a matcher walks large buffers for minutes.
    expect((await readFile(file(kept))).equals(Buffer.from(text))).toBe(true)
    // And it is whole again.
    expect(await open().read(spec)).toEqual(one)
    expect(recovered).toHaveLength(1)
  })

  it('also when it is changed rather than read', async () => {
    await seed()
    await write('{')
    await open().update(spec, ({ counts, padding }) => ({ counts: { ...counts, b: 2 }, padding }))
    expect(await open().read(spec)).toEqual({ counts: { a: 1, b: 2 }, padding: '' })
    expect(recovered).toHaveLength(1)
  })

  it('a folder in its place', async () => {
    await seed()
    await rm(file())
    await mkdir(file())
    await writeFile(join(file(), 'notes.txt'), 'mine')
    expect(await open().read(spec)).toEqual(one)
    expect(await readFile(join(file(recovered[0]?.keptAs ?? ''), 'notes.txt'), 'utf8')).toBe('mine')
  })

  it('gone, or a link that leads nowhere', async () => {
    await seed()
    await rm(file())
    const store = open()
    expect(await store.read(spec)).toEqual(one)
    expect(await store.read(spec)).toEqual(one)
    expect(recovered).toEqual([{ file: 'counts', problem: 'it is missing', keptAs: null }])
    // Reading wrote nothing: a folder that is being removed does not come back. The next change does.
    expect(await names()).toEqual([])
    await store.update(spec, ({ counts, padding }) => ({ counts: { ...counts, b: 1 }, padding }))
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ counts: { a: 1, b: 1 } })
    await seed()
    await rm(file())
    await symlink('/nowhere/at/all', file())
    expect(await open().read(spec)).toEqual(one)
    expect(recovered.at(-1)?.problem).toContain('leads nowhere')
  })

  it('reads through a link to a good file', async () => {
    await seed()
    await rename(file(), file('elsewhere'))
    await symlink(file('elsewhere'), file())
    expect(await open().read(spec)).toEqual(one)
    expect(recovered).toEqual([])
  })

  it('once, when many readers find it at the same time', async () => {
    await seed()
    await write('{"version":')
    const values = await Promise.all(Array.from({ length: 20 }, () => open().read(spec)))
    expect(values).toEqual(Array.from({ length: 20 }, () => one))
    expect(recovered).toHaveLength(1)
  })
})

describe('never reset in silence', () => {
  it('without a usable backup it is an error, and the file stays as it is', async () => {
    for (const backup of [null, '', '{"version":2', JSON.stringify({ version: 1, ...one })]) {
      await rm(join(root, 'backup'), { recursive: true, force: true })
      await mkdir(join(root, 'backup'))
      if (backup !== null) await writeFile(join(root, 'backup', 'counts'), backup)
      await write('{"version": 2, "counts": {"precious": 1}')
      for (const call of [() => open().read(spec), () => open().update(spec, () => one)]) {
        await expect(call()).rejects.toMatchObject({
          code: 'STATE_INVALID',
          message: expect.stringMatching(
            /^Unreadable state file "counts": Expected .* at line 1, column 41; there is no/,
          ) as string,
          hint: 'Repair or delete ".ploinky/counts", then run: ploinky doctor',
        })
      }
      expect(await readFile(file(), 'utf8')).toBe('{"version": 2, "counts": {"precious": 1}')
      expect(await names()).toEqual(['counts'])
    }
    expect(recovered).toEqual([])
  })

  it('gone, and only a broken backup left: the error names the backup', async () => {
    await mkdir(join(root, 'backup'))
    await writeFile(join(root, 'backup', 'counts'), '{')
    await expect(open().read(spec)).rejects.toMatchObject({
      code: 'STATE_INVALID',
      hint: 'Repair or delete ".ploinky/backup/counts", then run: ploinky doctor',
    })
  })

  it.each([3, 99, 2.5])('a file of version %d is of a newer program: not touched, not "recovered"', async (version) => {
    await seed()
    const text = JSON.stringify({ version, something: 'new' })
    await write(text)
    for (const call of [() => open().read(spec), () => open().update(spec, () => one)]) {
      await expect(call()).rejects.toMatchObject({ code: 'STATE_VERSION', details: { found: version, supported: 2 } })
    }
    expect(await readFile(file(), 'utf8')).toBe(text)
    expect(recovered).toEqual([])
  })

  it('a change that gives something invalid writes nothing', async () => {
    await seed()
    const wrong = { counts: { a: 'x' }, padding: '' } as unknown as typeof one
    await expect(open().update(spec, () => wrong)).rejects.toMatchObject({ code: 'STATE_INVALID' })
    await expect(
      open().update(spec, () => {
        throw new Error('changed its mind')
      }),
    ).rejects.toThrow('changed its mind')
    expect(await open().read(spec)).toEqual(one)
    // And nobody is locked out.
    expect(await readdir(join(root, 'running'))).toEqual([])
  })
})

it('remove() is for good: nothing comes back', async () => {
  await seed()
  await open().remove(spec)
  expect(await open().read(spec)).toEqual({ counts: {}, padding: '' })
  expect(recovered).toEqual([])
})

it('watch() tells of changes by others, and of a repair', async () => {
  await seed()
  const store = open()
  let calls = 0
  let seen = (): void => {}
  const stop = store.watch(spec, () => {
    calls += 1
    seen()
  })
  const next = () => new Promise<void>((resolve) => (seen = resolve))
  const change = next()
  await open().update(spec, () => ({ counts: { a: 2 }, padding: 'longer' }))
  await change
  stop()
  expect(calls).toBeGreaterThan(0)
})

it('watch() tells of a change that is made right after it, however slow a look at the file is', async () => {
  await seed()
  const fs = createFileSystem()
  const slow: FileSystem = { ...fs, stat: async (path) => (await delay(30), await fs.stat(path)) }
  const store = open(slow)
  let stop = (): void => {}
  const told = new Promise<void>((resolve) => (stop = store.watch(spec, resolve)))
  writeFileSync(file(), JSON.stringify({ version: 2, counts: { a: 7 }, padding: '' }))
  await told
  stop()
})
