// Which layers the suite has, which of them this machine can run, and what the results add up to. Pure.
import { LAYERS } from '../conformance/matrix.mjs'

/** What a layer that hangs is allowed to take, in milliseconds: several times what it needs on a quiet machine. */
const LIMIT_MS = {
  unit: 10 * 60_000,
  contract: 12 * 60_000,
  e2e: 30 * 60_000,
  conformance: 6 * 60_000,
  silence: 10 * 60_000,
  browser: 25 * 60_000,
}

/**
 * @param {{
 *   engines: { id: string, available: boolean, reason: string }[],
 *   browser: { file: string | null },
 *   deno: boolean,
 * }} machine
 * @returns {import('./plan.d.mts').Layer[]} in the order in which they should start
 */
export function planLayers({ engines, browser, deno }) {
  const first = engines.find((engine) => engine.available)?.id ?? 'host'
  const skipOf = (id) => {
    const engine = engines.find((candidate) => candidate.id === id)
    return engine === undefined || engine.available ? null : engine.reason || 'not available'
  }
  const onEngine = (project) => (engine) =>
    layer({ name: `${project}:${engine}`, project, engine, locks: [engine], skip: skipOf(engine) })
  const noDeno = deno ? null : 'the npm package deno does not run here'
  const conformance = LAYERS.map(({ name, engine, platform }) => {
    const skip = (platform === 'deno' ? noDeno : null) ?? skipOf(engine)
    return layer({ name, project: 'conformance', engine, locks: [engine], platform, skip })
  })
  const noBrowser = browser.file === null ? 'no Chromium or Chrome' : null
  const containers = engines.map(({ id }) => id)
  const rootful = engines.filter(({ id, available }) => available && !id.endsWith('-rootless')).map(({ id }) => id)
  const denoEngines = rootful.length === 0 ? ['host'] : rootful
  return [
    // First, because they take longest: minutes in which they only wait.
    layer({ name: 'silence', project: 'silence', engine: 'host', locks: [], quiet: true }),
    layer({
      name: 'silence:deno',
      project: 'silence',
      engine: 'host',
      locks: [],
      platform: 'deno',
      skip: noDeno,
      quiet: true,
    }),
    layer({ name: 'unit', project: 'unit', engine: 'fake', locks: ['*'] }),
    ...containers.map(onEngine('e2e')),
    ...containers.map(onEngine('contract')),
    ...['host'].map(onEngine('e2e')),
    // Whoever cannot make sandboxes hears it from the adapter itself.
    ...['host', 'bwrap', 'bwrap-rootless', 'fake'].map(onEngine('contract')),
    layer({ name: 'browser', project: 'browser', engine: first, locks: [first, 'browser'], skip: noBrowser }),
    // The pages are the same on each engine: one is enough for every run, the others are there to be asked for.
    ...[...containers, 'host']
      .filter((id) => id !== first)
      .map((engine) => ({
        ...onEngine('browser')(engine),
        ...{ locks: [engine, 'browser'], skip: noBrowser ?? skipOf(engine), onRequest: true },
      })),
    // Halves of the same files on two engines: on one alone it would be the last layer of the run.
    ...denoEngines.map((engine, index) =>
      layer({
        ...{ name: `deno:${engine}`, project: 'e2e', engine, locks: [engine], platform: 'deno', skip: noDeno },
        shard: denoEngines.length === 1 ? null : `${index + 1}/${denoEngines.length}`,
      }),
    ),
    ...conformance,
  ]
}

function layer({ name, project, engine, locks, platform = 'node', skip = null, quiet = false, shard = null }) {
  const limitMs = LIMIT_MS[name] ?? LIMIT_MS[project]
  return { name, project, engine, locks, platform, skip, quiet, shard, onRequest: false, limitMs }
}

/**
 * Whether a layer is among those that were asked for, by name or by the part before the colon; without any, all are.
 * @param {import('./plan.d.mts').Layer} layer
 * @param {string[]} wanted
 */
export function isWanted({ name, onRequest }, wanted) {
  if (onRequest) return wanted.includes(name)
  return wanted.length === 0 || wanted.some((word) => name === word || name.startsWith(`${word}:`))
}

/**
 * Whether a waiting layer may start beside those that run: free processor slots, and no engine in common, so that
 * one layer's containers do not slow down or confuse another's. The lock '*' wants the machine for itself. A quiet
 * layer waits nearly all the time: it runs beside any other, and no other minds it.
 * @param {import('./plan.d.mts').Layer} waiting
 * @param {import('./plan.d.mts').Layer[]} running
 * @param {number} slots
 */
export function mayStart(waiting, running, slots) {
  const busy = running.filter(({ quiet }) => !quiet)
  if (waiting.quiet || busy.length === 0) return true
  if (busy.length >= slots) return false
  const taken = new Set(busy.flatMap(({ locks }) => locks))
  return !taken.has('*') && !waiting.locks.includes('*') && !waiting.locks.some((lock) => taken.has(lock))
}

/**
 * Totals over all layers and the honest exit code. A layer that failed without a failed test (it crashed, took too
 * long, had no test) counts as one failure; a layer that was skipped counts as one skip, and in CI as one failure.
 * @param {import('./plan.d.mts').Result[]} results
 * @param {{ leaks: unknown[], ci: boolean }} rest
 */
export function summarize(results, { leaks, ci }) {
  const totals = { passed: 0, failed: leaks.length, skipped: 0 }
  for (const result of results) {
    totals.passed += result.passed
    totals.skipped += result.skipped
    totals.failed += result.failed > 0 || result.state !== 'failed' ? result.failed : 1
    if (result.state === 'skipped') totals[ci ? 'failed' : 'skipped'] += 1
  }
  const nothing = totals.passed + totals.failed === 0
  return { ...totals, exitCode: totals.failed > 0 || nothing ? 1 : 0 }
}
