import { appendFile, copyFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLogFiles, type LogFiles } from '../../../runtimes/process/log-files.ts'
import { testPlatform } from '../../helpers/runtime-engines.ts'

const T0 = Date.parse('2030-01-01T00:00:00.000Z')
const iso = (seconds: number): string => new Date(T0 + seconds * 1000).toISOString()

describe('times of log lines', () => {
  let folder = ''
  let files: LogFiles

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: T0 })
    folder = await mkdtemp(join(tmpdir(), 'ploinky-test-'))
    files = createLogFiles(testPlatform.fs, folder)
    await writeFile(files.path('stdout'), '')
    await writeFile(files.path('stderr'), '')
  })
  afterEach(async () => {
    vi.useRealTimers()
    await rm(folder, { recursive: true, force: true })
  })

  async function writeAt(seconds: number, text: string): Promise<void> {
    vi.setSystemTime(T0 + seconds * 1000)
    await appendFile(files.path('stdout'), text)
    await files.sample()
  }

  it('are those of the first look that found the whole line', async () => {
    await writeAt(1, 'one\n')
    await writeAt(2, 'tw')
    await writeAt(3, 'o\nthree\n')
    const clock = await files.clock('stdout')
    expect([1, 4, 5, 6, 8, 14].map((end) => clock.at(end))).toEqual([iso(1), iso(1), iso(2), iso(2), iso(3), iso(3)])
    expect([0, 1, 1.5, 2.5, 9].map((seconds) => clock.offsetBefore(T0 + seconds * 1000))).toEqual([0, 0, 4, 6, 14])
  })

  it('are known to another process', async () => {
    await writeAt(1, 'one\n')
    const other = createLogFiles(testPlatform.fs, folder)
    vi.setSystemTime(T0 + 60_000)
    await other.sample()
    expect((await other.clock('stdout')).at(4)).toBe(iso(1))
  })

  it('are kept when the file is emptied and its content becomes the older generation', async () => {
    await writeAt(1, 'old one\n')
    await writeAt(2, 'old two\n')
    await copyFile(files.path('stdout'), files.olderPath('stdout'))
    await truncate(files.path('stdout'))
    await writeAt(3, 'new\n')
    const clock = await files.clock('stdout')
    expect(clock.at(-8)).toBe(iso(1))
    expect(clock.at(0)).toBe(iso(2))
    expect(clock.at(4)).toBe(iso(3))
    expect(clock.offsetBefore(T0 + 2000)).toBe(-8)
  })

  it('stay few, however long the program runs', async () => {
    const line = `${T0} 1 0\n`
    await writeFile(join(folder, 'times'), line.repeat(Math.ceil((512 * 1024) / line.length) + 1))
    await writeAt(5, 'more\n')
    expect((await testPlatform.fs.stat(join(folder, 'times')))?.size).toBeLessThan(300 * 1024)
    expect((await files.clock('stdout')).at(5)).toBe(iso(5))
  })

  it('survive a torn line', async () => {
    await writeAt(1, 'one\n')
    await appendFile(join(folder, 'times'), `${T0 + 2000} 9`)
    expect((await files.clock('stdout')).at(4)).toBe(iso(1))
  })
})
