/** Random kills of containers, of the router and of the engine: at the end every agent is ready, none was started twice, nothing is left. */
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import {
  canKillEngine,
  createRandom,
  defineAgents,
  type Kill,
  processesOf,
  recordEvents,
  recovered,
  routersOf,
  runningContainers,
  statusOf,
  strike,
} from '../helpers/chaos.ts'
import { createWorkspace, engine, isContainerEngine, type Workspace } from '../helpers/workspace.ts'

/** PLOINKY_TEST_KILLS=500 for the long run. */
const KILLS = Number(process.env['PLOINKY_TEST_KILLS'] ?? 40)
const SEED = Number(process.env['PLOINKY_TEST_SEED'] ?? 20_261_125)
/** PLOINKY_TEST_ENGINE_KILLS=20 kills the engine instead, once in twenty. Nothing else may use it: its containers go with it. */
const ONE_IN = Number(process.env['PLOINKY_TEST_ENGINE_KILLS'] ?? 0)
const LONGEST_AWAY_MS = 4000
const AGENTS = 4
/** Of ten kills: the rest are of containers. */
const ROUTER_KILLS = 1
const REMOVALS = 3
const TIMEOUT_MS = 120_000 + KILLS * 5000

const smaller = (dice: number): Kill =>
  dice < ROUTER_KILLS ? 'router' : dice < ROUTER_KILLS + REMOVALS && isContainerEngine ? 'remove' : 'kill'

/** Deeds at random moments: while an agent waits, while it starts, while it serves. */
async function strikes(workspace: Workspace, containers: readonly string[]): Promise<Record<Kill, number>> {
  const random = createRandom(SEED)
  const done: Record<Kill, number> = { kill: 0, remove: 0, router: 0, engine: 0 }
  if (ONE_IN > 0) expect(canKillEngine(), 'an engine that the set-up of the tests started').toBe(true)
  while (done.kill + done.remove + done.router + done.engine < KILLS) {
    const kind = ONE_IN > 0 && random(ONE_IN) === 0 ? 'engine' : smaller(random(10))
    const container = containers[random(containers.length)] ?? ''
    const awayMs = kind === 'engine' ? random(LONGEST_AWAY_MS) : 0
    if (await strike(workspace, kind, { container, awayMs })) done[kind] += 1
    await new Promise((resolve) => setTimeout(resolve, random(800)))
    // Sometimes a person is quicker than the watchdog.
    if (kind === 'router' && random(3) === 0) await workspace.json(['start'])
  }
  return done
}

// Minutes on an engine without a daemon; what differs there is in supervision.test.ts. PLOINKY_TEST_KILLS runs it anywhere.
describe.runIf(engine === 'docker' || engine === 'host' || process.env['PLOINKY_TEST_KILLS'] !== undefined)(
  `chaos on ${engine}`,
  () => {
    it(`survives ${KILLS} random kills (seed ${SEED})`, { timeout: TIMEOUT_MS }, async () => {
      await using workspace = await createWorkspace()
      const began = Date.now()
      const names = await defineAgents(workspace, AGENTS)
      const {
        workspace: { id },
        agents,
      } = await statusOf(workspace)
      using events = isContainerEngine ? recordEvents(id) : null
      const containers = agents.map(({ container }) => container ?? '')
      const done = await strikes(workspace, containers)
      const pid = (await recovered(workspace, names, 120_000)).router.pid ?? 0
      process.stdout.write(`${engine}: ${JSON.stringify(done)} in ${Math.round((Date.now() - began) / 1000)} s\n`)
      if (isContainerEngine) {
        expect(await runningContainers(id)).toEqual(containers.map((name) => `${name} running`).sort())
        // Each start was followed by its end before the next one: none ran twice.
        for (const runs of events?.runs().values() ?? []) {
          expect(runs).not.toMatch(/SS|EE/)
          // An engine that was killed told of none while it was gone.
          if (done.engine === 0) expect(runs.replaceAll('|', '').replaceAll('ES', '')).toBe('')
        }
      }
      expect(await routersOf(workspace)).toEqual([pid])
      await workspace.json(['destroy', '--yes', '--data'])
      expect([await processesOf(workspace), existsSync(`${workspace.dir}/.ploinky`)]).toEqual([[], false])
      if (isContainerEngine) expect(await runningContainers(id)).toEqual([])
      expect((await readdir(workspace.dir)).filter((name) => name !== 'agents')).toEqual([])
    })
  },
)
