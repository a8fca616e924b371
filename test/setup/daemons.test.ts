import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'ploinky-test-daemons-'))
let daemons: typeof import('./daemons.mjs')

beforeAll(async () => {
  vi.stubEnv('PLOINKY_TEST_STATE', folder)
  daemons = await import('./daemons.mjs')
})

afterAll(async () => {
  for (const daemon of daemons.ownDaemons()) await daemons.stopDaemon(daemon)
  rmSync(folder, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

describe.skipIf(process.platform !== 'linux')('daemons of the set-up', () => {
  test('are recorded, listed, and ended by SIGKILL when they ignore SIGTERM', { timeout: 60_000 }, async () => {
    const script = "process.on('SIGTERM', () => console.log('no')); console.log('up'); setInterval(() => {}, 1000)"
    const log = daemons.startDaemon('stubborn', [process.execPath, '-e', script])
    await vi.waitUntil(() => readFileSync(log, 'utf8').includes('up'), { timeout: 15_000 })
    const [daemon] = daemons.ownDaemons()
    if (daemon === undefined) throw new Error('not recorded')
    expect(daemon.name).toBe('stubborn')
    expect(await daemons.stopDaemon(daemon, 300)).toBe(true)
    expect(readFileSync(log, 'utf8')).toContain('no')
    expect(isAlive(daemon.pid)).toBe(false)
    expect(daemons.ownDaemons()).toEqual([])
  })

  test('are not confused with a process that got the same number', () => {
    const record = { name: 'stranger', pid: process.pid, startTime: '1', command: 'x' }
    writeFileSync(join(folder, 'stranger.json'), JSON.stringify(record))
    expect(daemons.ownDaemons()).toEqual([])
  })

  test('survive a torn record', () => {
    writeFileSync(join(folder, 'torn.json'), '{"pid":')
    expect(daemons.ownDaemons()).toEqual([])
  })
})
