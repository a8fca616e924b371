/** Finding the router again: only the process that wrote the file counts, and a file that was lost comes back. */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { workspacePaths } from '../../../src/config/paths.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { createLogger, type LogRecord } from '../../../src/core/log.ts'
import { createRouterDaemon, type RouterInfo } from '../../../src/features/router/daemon.ts'
import { keepPresence, removePresence, writePresence } from '../../../src/features/router/presence.ts'
import { createPlatform } from '../../../src/platform/create.ts'
import { waitFor } from '../../helpers/workspace.ts'

const platform = createPlatform()
let dir: string
let self: RouterInfo
const paths = () => workspacePaths(dir)
const daemon = () => createRouterDaemon({ platform, paths: paths(), events: createEventBus() })
const write = (value: unknown): Promise<void> =>
  writeFile(paths().routerInfo, typeof value === 'string' ? value : JSON.stringify(value))

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-router-'))
  await mkdir(paths().running, { recursive: true })
  const { startTicks = null } = (await platform.processes.info(process.pid)) ?? {}
  self = {
    pid: process.pid,
    startTicks,
    host: '127.0.0.1',
    port: 8088,
    version: '1',
    startedAt: '2026-01-01',
    watchdog: null,
  }
})
afterEach(() => rm(dir, { recursive: true, force: true }))

describe('the file of the router', () => {
  it('names it when that very process runs', async () => {
    await write(self)
    expect(await daemon().info()).toEqual(self)
  })

  it.each([
    ['nothing', ''],
    ['torn', '{"pid":'],
    ['null', 'null'],
    ['a list', '[]'],
  ])('%s: there is none', async (_what, text) => {
    await write(text)
    expect(await daemon().info()).toBeNull()
    expect(await daemon().stop()).toBe(false)
  })

  const wrong: [what: string, change: Record<string, unknown>][] = [
    ['another start time', { startTicks: '1' }],
    ['a pid that is gone', { pid: 2 ** 22 + 1 }],
    ['init', { pid: 1 }],
    ['a whole group', { pid: -2 }],
    ['zero', { pid: 0 }],
    ['no number', { pid: '12' }],
    ['a fraction', { pid: 1.5 }],
    ['a port that is none', { port: 99_999 }],
    ['port text', { port: 'x' }],
    ['another machine', { host: 'evil.example' }],
    ['no host', { host: null }],
  ]
  it.each(wrong)('%s: not ours, so nobody is signalled and no token is sent', async (_what, change) => {
    await write({ ...self, ...change })
    expect(await daemon().info()).toBeNull()
    expect(await daemon().stop()).toBe(false)
  })

  it.skipIf(process.platform !== 'linux')('a process without a start time in the file may be anybody’s', async () => {
    const stranger = spawn('sleep', ['60'])
    const ended = new Promise((resolve) => stranger.once('exit', resolve))
    await write({ ...self, pid: stranger.pid, startTicks: null })
    expect(await daemon().stop()).toBe(false)
    expect(stranger.exitCode).toBeNull()
    stranger.kill('SIGKILL')
    await ended
  })

  it('a folder in its place names nobody', async () => {
    await mkdir(paths().routerInfo)
    expect(await daemon().info()).toBeNull()
  })
})

describe('keepPresence()', () => {
  const records: LogRecord[] = []
  const log = createLogger((record) => records.push(record))
  const keep = () => keepPresence({ platform, paths: paths(), log, info: self, intervalMs: 10 })
  const read = () => readFile(paths().routerInfo, 'utf8').catch(() => '')

  it('writes what was lost, torn or forged again', async () => {
    await writePresence(platform, paths(), self)
    const good = await read()
    const presence = keep()
    for (const text of [null, '', '{', JSON.stringify({ ...self, port: 1 }), '{"pid":1}']) {
      await (text === null ? rm(paths().routerInfo) : write(text))
      await waitFor('the file', async () => ((await read()) === good ? true : undefined))
    }
    expect(await readFile(paths().routerPid, 'utf8')).toBe(`${process.pid}\n`)
    presence.close()
  })

  it('ends with the workspace, and makes no part of it anew', async () => {
    await writePresence(platform, paths(), self)
    const presence = keep()
    // The router may be writing in it.
    await rm(paths().dir, { recursive: true, maxRetries: 10 })
    await presence.gone
    expect(records.at(-1)?.msg).toBe('the workspace folder is gone, this router ends')
    await removePresence(platform, paths(), self)
    expect(await readdir(dir)).toEqual([])
  })

  it('gives way to another router that really runs, and leaves its files', async () => {
    const other = spawn('sleep', ['60'])
    const ended = new Promise((resolve) => other.once('exit', resolve))
    const found = await platform.processes.info(other.pid ?? 0)
    const info = { ...self, pid: other.pid ?? 0, startTicks: found?.startTicks ?? null }
    await writePresence(platform, paths(), info)
    await keep().gone
    await removePresence(platform, paths(), self)
    expect(await daemon().info()).toEqual(info)
    other.kill('SIGKILL')
    await ended
  })
})
