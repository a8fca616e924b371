/** Rotated logs: by size and by age, by several processes at once, and read without a gap. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLogTail, createRotation, type LogLimits } from '../../../src/features/logs/index.ts'
import { createPlatform } from '../../../src/platform/create.ts'

const platform = createPlatform()
const DAY_MS = 86_400_000
let dir: string
let path: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-logs-'))
  path = join(dir, 'test.log')
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const limits: LogLimits = { maxBytes: 100, maxAgeDays: 7, keep: 2 }
const rotation = (now?: () => number) =>
  createRotation(platform, { lockFile: join(dir, 'lock'), limits, ...(now ? { now } : {}) })
const files = async (): Promise<string[]> => (await readdir(dir)).filter((name) => name.startsWith('test.log')).sort()
async function collect(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = []
  for await (const line of lines) all.push(line)
  return all
}

describe('rotate()', () => {
  it('by size; keeps as many as it was told', async () => {
    for (let i = 1; i <= 4; i++) {
      await writeFile(path, `${i}`.repeat(101))
      expect(await rotation().rotate(path)).toBe(true)
    }
    expect(await files()).toEqual(['test.log.000003', 'test.log.000004'])
    await writeFile(path, 'x'.repeat(100))
    expect(await rotation().rotate(path)).toBe(false)
    expect(await readFile(join(dir, 'test.log.000004'), 'utf8')).toBe('4'.repeat(101))
  })

  it('by age: of the first line for the file, of the last one for what is removed', async () => {
    const line = JSON.stringify({ ts: new Date().toISOString(), msg: 'x' })
    await writeFile(path, `${line}\n`)
    await writeFile(`${path}.000001`, 'old')
    await writeFile(`${path}.000002`, 'newer')
    await utimes(`${path}.000001`, new Date(), new Date(Date.now() - 8 * DAY_MS))
    expect(await rotation().rotate(path)).toBe(false)
    expect(await rotation(() => Date.now() + 6.9 * DAY_MS).rotate(path)).toBe(false)
    await utimes(`${path}.000002`, new Date(), new Date(Date.now() + DAY_MS))
    await utimes(path, new Date(), new Date(Date.now() + DAY_MS))
    expect(await rotation(() => Date.now() + 7.1 * DAY_MS).rotate(path)).toBe(true)
    expect(await files()).toEqual(['test.log.000002', 'test.log.000003'])
  })

  it('is nothing for what is missing, empty or no log, and leaves other files alone', async () => {
    expect(await rotation().rotate(path)).toBe(false)
    await writeFile(path, '')
    expect(await rotation().rotate(path)).toBe(false)
    for (const name of ['test.log.txt', 'test.log.1', 'test.log.000001.gz']) await writeFile(join(dir, name), 'x')
    await writeFile(path, 'x'.repeat(101))
    expect(await rotation().rotate(path)).toBe(true)
    expect(await files()).toEqual(['test.log.000001', 'test.log.000001.gz', 'test.log.1', 'test.log.txt'])
  })
})

describe('createLogTail()', () => {
  it('reads across files, from the last bytes, and goes on where it was', async () => {
    await writeFile(`${path}.000009`, 'a\nb\n')
    await writeFile(`${path}.000010`, 'c\n')
    await writeFile(path, 'd\npart')
    const all = createLogTail(platform.fs, path)
    expect(await collect(all.next())).toEqual(['a', 'b', 'c', 'd'])
    const last = createLogTail(platform.fs, path, { lastBytes: 9 })
    expect(await collect(last.next())).toEqual(['', 'c', 'd'])
    const fromNow = createLogTail(platform.fs, path, { fromEnd: true })
    expect(await collect(fromNow.next())).toEqual([])
    platform.fs.appendSync(path, 'ial\n')
    expect(await collect(all.next())).toEqual(['partial'])
    await platform.fs.rename(path, `${path}.000011`)
    platform.fs.appendSync(`${path}.000011`, 'late\n')
    platform.fs.appendSync(path, 'e\n')
    expect(await collect(all.next())).toEqual(['late', 'e'])
    expect(await collect(fromNow.next())).toEqual(['ial', 'late', 'e'])
    for (const tail of [all, last, fromNow]) await tail.close()
  })

  it('begins with a log that is not there yet', async () => {
    const tail = createLogTail(platform.fs, path)
    expect(await collect(tail.next())).toEqual([])
    platform.fs.appendSync(path, 'a\n')
    expect(await collect(tail.next())).toEqual(['a'])
    await tail.close()
  })
})

it(
  'several processes write, rotate and read at once: no line is lost, doubled or torn',
  { timeout: 60_000 },
  async () => {
    const LINES = 1500
    const names = ['a', 'b', 'c']
    const program = join(dir, 'log-writer.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('../../helpers/log-writer.ts', import.meta.url))],
      ...{ bundle: true, platform: 'node', format: 'esm', outfile: program, external: ['execa'], logLevel: 'silent' },
    })
    let isWriting = true
    const write = (name: string) => promisify(execFile)(process.execPath, [program, dir, name, String(LINES)])
    const writers = Promise.all(names.map(write))
    void writers.catch(() => {}).then(() => (isWriting = false))
    const followed: string[] = []
    const tail = createLogTail(platform.fs, path)
    while (isWriting) followed.push(...(await collect(tail.next())))
    await writers
    for (let i = 0; i < 3; i++) followed.push(...(await collect(tail.next())))
    await tail.close()
    expect((await files()).length).toBeGreaterThan(5)
    const all = createLogTail(platform.fs, path)
    for (const lines of [await collect(all.next()), followed]) {
      const records = lines.map((line) => JSON.parse(line) as { name: string; i: number })
      for (const name of names) {
        const numbers = records.filter((record) => record.name === name).map(({ i }) => i)
        expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: LINES }, (_, i) => i))
      }
    }
    await all.close()
  },
)
