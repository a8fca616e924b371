/** Locks: many processes, some of which are killed at the worst moment. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLock } from '../../src/platform/lock.ts'
import { createProcesses } from '../../src/platform/processes.ts'

const lock = createLock(createProcesses().info)
let base: string
let dir: string
let program: string

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'ploinky-test-lock-'))
  // Bundled once: twenty processes would otherwise each pay for a loader.
  program = join(base, 'writer.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('../helpers/state-writer.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['execa'],
  })
})
afterAll(() => rm(base, { recursive: true, force: true }))
beforeEach(async () => {
  dir = await mkdtemp(join(base, 'case-'))
})

const path = (): string => join(dir, 'x.lock')
const options = (waitMs = 10_000) => ({ waitMs, what: 'testing' })

describe('in one process', () => {
  it('is held by one at a time, and is gone afterwards', async () => {
    let inside = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1))
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
    }
    await Promise.all(Array.from({ length: 10 }, () => lock(path(), options(), work)))
    expect(most).toBe(1)
    expect(await readdir(dir)).toEqual([])
  })

  it('names the holder to those who do not wait', async () => {
    await lock(path(), options(), async () => {
      await expect(lock(path(), options(0), async () => {})).rejects.toMatchObject({
        code: 'LOCKED',
        details: { pid: process.pid, holding: 'testing' },
      })
    })
  })

  it('is let go by work that fails', async () => {
    await expect(lock(path(), options(), () => Promise.reject(new Error('oops')))).rejects.toThrow('oops')
    expect(await lock(path(), options(0), async () => 'free')).toBe('free')
  })

  it('takes a description of any length and kind', async () => {
    const what = `${'x'.repeat(10_000)}\n"\u0000`
    expect(await lock(path(), { waitMs: 0, what }, async () => 'held')).toBe('held')
  })
})

describe('what an ended owner left behind', () => {
  const gone = { pid: 2 ** 22 + 1, startTicks: '1', what: 'x', nonce: 'n' }
  it.each([
    ['a process that is gone', JSON.stringify(gone)],
    ['a process whose pid another one has now', JSON.stringify({ ...gone, pid: process.pid })],
    ['an empty file', ''],
    ['a torn file', '{"pid": 12'],
    ['somebody else’s file', 'hello'],
    ['a pid that is none', JSON.stringify({ ...gone, pid: '../../etc' })],
    ['null', 'null'],
  ])('%s', async (_what, text) => {
    await writeFile(path(), text)
    expect(await lock(path(), options(0), async () => 'held')).toBe('held')
    expect(await readdir(dir)).toEqual([])
  })

  it('is cleared by one, however many find it', async () => {
    for (let round = 0; round < 20; round++) {
      await writeFile(path(), JSON.stringify(gone))
      let inside = 0
      let most = 0
      await Promise.all(
        Array.from({ length: 8 }, () =>
          lock(path(), options(), async () => {
            most = Math.max(most, (inside += 1))
            await new Promise((resolve) => setImmediate(resolve))
            inside -= 1
          }),
        ),
      )
      expect(most).toBe(1)
    }
    expect(await readdir(dir)).toEqual([])
  })

  it('a folder in its place is an error, not an endless wait', async () => {
    await mkdir(path())
    await expect(lock(path(), options(), async () => {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `Cannot read "${path()}": a folder is in its place`,
    })
  })
})

/** Starts a writer; `count()` is what it was told to be written. */
function writer(key: string, times: number) {
  const child: ChildProcess = spawn(process.execPath, [program, dir, key, String(times)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  })
  let out = ''
  let errors = ''
  const watchers = new Set<() => void>()
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    out += text
    watchers.forEach((look) => look())
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const count = (): number => Number(out.trimEnd().split('\n').at(-1) ?? 0)
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  const reached = (wanted: number) =>
    new Promise<void>((resolve) => {
      const look = (): void => {
        if (count() >= wanted) resolve()
      }
      watchers.add(look)
      void ended.then(() => resolve())
      look()
    })
  return { child, count, ended, reached, errors: () => errors }
}

const counts = async (): Promise<Record<string, number>> =>
  (JSON.parse(await readFile(join(dir, 'counts'), 'utf8')) as { counts: Record<string, number> }).counts

describe('many processes on one state file', () => {
  it('lose no change of anybody', { timeout: 60_000 }, async () => {
    const writers = ['a', 'b', 'c', 'd'].map((key) => writer(key, 25))
    const codes = await Promise.all(writers.map(({ ended }) => ended))
    expect(writers.map(({ errors }) => errors()).join('')).toBe('')
    expect(codes).toEqual([0, 0, 0, 0])
    expect(await counts()).toEqual({ a: 25, b: 25, c: 25, d: 25 })
    expect(await readdir(join(dir, 'running'))).toEqual([])
  })

  it('lose none when writers are killed in mid-write', { timeout: 120_000 }, async () => {
    const survivor = writer('survivor', 40)
    const killed = new Map<string, number>()
    for (let round = 0; round < 8; round++) {
      const key = `victim${round}`
      const victim = writer(key, 100_000)
      // Somewhere inside its next writes: at another point in every round.
      await victim.reached(2 + (round % 3))
      victim.child.kill('SIGKILL')
      await victim.ended
      expect(victim.errors()).toBe('')
      killed.set(key, victim.count())
    }
    expect([await survivor.ended, survivor.errors()]).toEqual([0, ''])
    const found = await counts()
    expect(found['survivor']).toBe(40)
    for (const [key, acknowledged] of killed) {
      // The one that it was killed in may be there or not; those before it are.
      expect(found[key]).toBeGreaterThanOrEqual(acknowledged)
      expect(found[key]).toBeLessThanOrEqual(acknowledged + 2)
    }
    // The next writer clears what the killed ones left.
    const last = writer('last', 1)
    expect([await last.ended, last.errors()]).toEqual([0, ''])
    expect((await readdir(dir)).sort()).toEqual(['backup', 'counts', 'running'])
    expect(await readdir(join(dir, 'running'))).toEqual([])
  })
})
