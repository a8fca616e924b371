/** The watchdog around a stand-in for the router: which ends it answers with a restart, and that it goes when told to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { watchdogArgs } from '../../../src/features/router/watchdog.ts'
import { isAlive, waitFor } from '../../helpers/workspace.ts'

let dir: string
let child: ChildProcess | null = null
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-watchdog-'))
})
afterEach(async () => {
  child?.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true })
})

const text = (name: string): string => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : '')
const runs = (): string[] => text('runs').split('\n').filter(Boolean)

/** Runs a shell line as the router; it notes its arguments first. */
function start(line: string): Promise<number | null> {
  const router = `[ "$1" = --check ] && exit 0; printf '%s %s\\n' "$$" "$*" >>"${dir}/runs"; ${line}`
  const args = watchdogArgs(
    { errorFile: join(dir, 'error'), log: join(dir, 'log') },
    { file: '/bin/sh', args: ['-c', router, 'router'] },
  )
  const started = spawn('/bin/sh', [...args], { stdio: 'ignore' })
  child = started
  return new Promise((resolve) => started.once('exit', (code) => resolve(code)))
}

it.each([0, 2, 3, 6, 8, 100, 130, 143])('an end with %i is final', async (code) => {
  expect(await start(`exit ${code}`)).toBe(code)
  expect(runs()).toHaveLength(1)
})

it.each(['exit 1', 'kill -KILL $$', 'kill -ABRT $$'])(
  '%s is a crash: it is started again, and told so',
  async (line) => {
    expect(await start(`case "$*" in *'--restarts 0'*) ${line} ;; esac; exit 0`)).toBe(0)
    expect(runs().map((run) => /--restarts (\d)/.exec(run)?.[1])).toEqual(['0', '1'])
    expect(text('log')).toContain('"msg":"the router ended and is started again"')
    expect(runs()[0]).toContain(`--watchdog ${child?.pid} --restarts 0 --error-file ${dir}/error`)
  },
)

it('a first router that could not listen is not started again', async () => {
  expect(await start(`: >"${dir}/error"; exit 1`)).toBe(1)
  expect(runs()).toHaveLength(1)
})

it('SIGTERM is passed on, waited for, and leaves nothing behind', async () => {
  const ended = start(`trap 'echo bye >>"${dir}/runs"; exit 0' TERM; while :; do sleep 1000 & wait $!; done`)
  await waitFor('the router', () => (runs().length > 0 ? true : undefined))
  child?.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(runs()[1]).toBe('bye')
})

it('SIGTERM in a pause ends it at once', async () => {
  const ended = start('exit 1')
  await waitFor('the second pause, of two seconds', () => (runs().length === 2 ? true : undefined))
  child?.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(runs()).toHaveLength(2)
  expect(isAlive(Number.parseInt(runs()[1] ?? '', 10))).toBe(false)
})
