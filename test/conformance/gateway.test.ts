/**
 * The official conformance suite against a server in a container: directly, and through the router. Both protocol eras
 * must pass both ways, and each check must come out the same.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engine, platform } from '../helpers/workspace.ts'
import { type Comparison, compare } from './compare.ts'
import { REVISIONS, SUBJECTS } from './matrix.mjs'
import { type Everything, startEverything } from './subject.ts'
import { requiredScenarios, runSuite, type SuiteRun } from './suite.ts'

const FIGURES = fileURLToPath(new URL('../.output/conformance/', import.meta.url))
type Run = `${(typeof SUBJECTS)[number]} ${'direct' | 'routed'} ${(typeof REVISIONS)[number]}`

/**
 * Two at a time, never two of one revision: a change of a list is told to every stream of its era, and one run would
 * see the other's.
 */
const PAIRS: readonly (readonly Run[])[] = [
  ['http direct 2025-11-25', 'http routed 2026-07-28'],
  ['http routed 2025-11-25', 'http direct 2026-07-28'],
  ['stdio routed 2025-11-25', 'stdio routed 2026-07-28'],
]

describe(`conformance on ${engine} with ${platform}`, () => {
  const runs = new Map<string, SuiteRun>()
  const comparisons: Comparison[] = []
  let everything: Everything | undefined

  beforeAll(async () => {
    const started = await startEverything(SUBJECTS)
    everything = started
    for (const pair of PAIRS) {
      await Promise.all(
        pair.map(async (run) => {
          const [subject, way, revision] = run.split(' ') as ['http' | 'stdio', 'direct' | 'routed', string]
          runs.set(run, await runSuite(await started.endpoint(subject, way), revision))
        }),
      )
    }
  })
  afterAll(async () => {
    await everything?.[Symbol.asyncDispose]()
    // What did not run has no figure.
    if (comparisons.length === 0) return
    await mkdir(FIGURES, { recursive: true })
    const lost = comparisons.flatMap((comparison) => comparison.lost)
    const figure = {
      runs: runs.size,
      failed: [...runs.values()].filter(({ code }) => code !== 0).length,
      lost: lost.length,
      different: comparisons.flatMap(({ different }) => different).length,
      checks: comparisons.reduce((sum, { checks }) => sum + checks, 0),
    }
    await writeFile(join(FIGURES, `${engine}-${platform}.json`), JSON.stringify(figure))
  })

  const runOf = (run: Run): SuiteRun => {
    const found = runs.get(run)
    if (found === undefined) throw new Error(`no run ${run}`)
    return found
  }

  describe.each(REVISIONS)('revision %s', (revision) => {
    it('the server itself passes', () => {
      const { code, output } = runOf(`http direct ${revision}`)
      expect(code, output).toBe(0)
    })

    it.each(SUBJECTS)('%s: the router loses nothing', async (subject) => {
      const [direct, routed] = [runOf(`http direct ${revision}`), runOf(`${subject} routed ${revision}`)]
      const comparison = compare(direct.scenarios, routed.scenarios, await requiredScenarios(revision))
      comparisons.push(comparison)
      expect(comparison.lost).toEqual([])
      expect(routed.code, routed.output).toBe(0)
      // Behind the bridge, what the transport itself can do differs; what is required does not.
      if (subject === 'http') expect(comparison.different).toEqual([])
      expect(comparison.checks).toBeGreaterThan(60)
    })
  })
})
