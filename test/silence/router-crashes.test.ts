/**
 * A router that crashes whenever it is started: its watchdog gives up after six times within a minute, pauses of 1, 2, 4, 8
 * and 16 s between them. It waits for most of its time and runs beside everything else.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { processesOf, routersOf } from '../helpers/chaos.ts'
import { createWorkspace, isAlive, waitFor, type Workspace } from '../helpers/workspace.ts'

interface Status {
  router: { running: boolean }
  agents: { name: string; state: string; startedAt: string | null }[]
}

/** A crash is seen as soon as the process is there: what a loaded machine takes to start a router must not fill the minute. */
const PAUSE_LIMIT_MS = 60_000

let workspace: Workspace
beforeAll(async () => {
  workspace = await createWorkspace()
})
afterAll(async () => {
  await workspace?.[Symbol.asyncDispose]()
})

const demo = ({ agents }: Status) => agents.find(({ name }) => name === 'demo')

/** A router's process that was not killed yet. */
async function newRouter(killed: ReadonlySet<number>): Promise<number | undefined> {
  return (await routersOf(workspace)).find((pid) => !killed.has(pid))
}

const watchdogs = async (): Promise<number[]> =>
  (await processesOf(workspace))
    .filter((line) => line.includes('ploinky-watchdog'))
    .map((line) => Number.parseInt(line, 10))

it('a router that crashes again and again is given up, its agents run on, and start brings it back', async () => {
  await workspace.json(['start', 'demo'])
  const before = demo(await workspace.json<Status>(['status']))
  const guards = await watchdogs()
  expect(guards).not.toEqual([])
  const killed = new Set<number>()
  for (let crash = 1; crash <= 6; crash++) {
    const pid = await waitFor(`router ${crash}`, () => newRouter(killed), PAUSE_LIMIT_MS)
    // As after a failed assertion or without memory. A kill from outside (SIGKILL) would not count.
    process.kill(pid, 'SIGABRT')
    killed.add(pid)
  }
  await waitFor('the watchdog gives up', () => (guards.some(isAlive) ? undefined : true), PAUSE_LIMIT_MS)
  expect(await newRouter(killed)).toBeUndefined()
  const log = (await workspace.run(['logs', 'router'])).stdout
  expect(log).toContain('the router ended 6 times within a minute and is not started again')
  const after = await workspace.json<Status>(['status'])
  expect(after.router.running).toBe(false)
  expect(demo(after)?.startedAt).toBe(before?.startedAt)
  await workspace.json(['start'])
  const again = await workspace.json<Status>(['status'])
  expect([again.router.running, demo(again)?.state]).toEqual([true, 'ready'])
  expect(demo(again)?.startedAt).toBe(before?.startedAt)
})
