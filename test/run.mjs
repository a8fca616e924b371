#!/usr/bin/env node
// `npm test`: sets up the checkout and the machine, runs every layer of the suite, ends with a table.
//   node test/run.mjs [layer...]     a layer is a name such as unit, contract:docker, e2e:host, or a part before the colon
// PLOINKY_TEST_SETUP=0 installs and starts nothing. CI=true makes a skipped layer a failure.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyForUser } from './setup/copy.mjs'
import { ownDaemons, stopDaemon } from './setup/daemons.mjs'
import { findDeno } from './setup/deno.mjs'
import { setUp, setUpRefusal } from './setup/engines.mjs'
import { ensureImages } from './setup/images.mjs'
import { findNode } from './setup/node-binary.mjs'
import { findLeaks, labelled, removeLeaks } from './setup/leaks.mjs'
import { endLayers, runLayer } from './setup/layer.mjs'
import { isWanted, mayStart, planLayers, summarize } from './setup/plan.mjs'
import { prepareCheckout } from './setup/prepare.mjs'
import { runAsync, SetUpError } from './setup/process.mjs'
import { layerLine, logTail, table } from './setup/report.mjs'
import { smokeTest } from './setup/smoke.mjs'

const ROOT = fileURLToPath(new URL('../', import.meta.url)).replace(/\/$/, '')
const OUTPUT = join(ROOT, 'test/.output')
const CI = process.env['CI'] === 'true'
/** No layer starts later than this after the beginning: what hangs must not take a machine for ever. */
const LAST_START_MS = 75 * 60_000
const begin = Date.now()

const say = (line) => process.stdout.write(`${line}\n`)

/** Things to undo at the end, also when the run is interrupted. @type {(() => unknown)[]} */
const cleanups = []
let interrupted = false
async function cleanUp() {
  for (const step of cleanups.splice(0).reverse()) await step()
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, async () => {
    interrupted = true
    say(`\n${signal}: ends the layers`)
    await endLayers()
    await cleanUp()
    process.exit(code)
  })
}

async function main(wanted) {
  prepareCheckout(ROOT, say)
  const before = new Set(ownDaemons().map(({ pid }) => pid))
  const machine = await prepareMachine()
  // In CI nothing stays; on a developer's machine the engines stay up for the next run.
  if (CI)
    cleanups.push(() =>
      Promise.all(
        ownDaemons()
          .filter(({ pid }) => !before.has(pid))
          .map((daemon) => stopDaemon(daemon)),
      ),
    )

  const layers = planLayers(machine).filter((layer) => isWanted(layer, wanted))
  if (layers.length === 0) {
    say(
      `No layer is named ${wanted.join(', ')}; there are: ${planLayers(machine)
        .map(({ name }) => name)
        .join(' ')}`,
    )
    return 2
  }
  const scratch = mkdtempSync(join(tmpdir(), 'plt-'))
  chmodSync(scratch, 0o1777)
  cleanups.push(() => rmSync(scratch, { recursive: true, force: true }))
  const run = `${process.pid}-${begin}`
  const existing = await labelled(machine.engines)
  const look = () => findLeaks({ engines: machine.engines, before: existing, scratch, run, alone: CI })
  cleanups.push(async () => removeLeaks((await look()).leaks))

  const results = await runLayers(layers, await placesFor(layers, machine, { scratch, run }))
  // The signal's handler cleans up and ends the process.
  if (interrupted) return new Promise(() => undefined)
  const { leaks, perhaps } = await look()
  await cleanUp()
  const notes = machine.engines.flatMap(({ id, notes: texts }) => texts.map((text) => `${id}: ${text}`))
  say(`\n${table(results, { leaks, perhaps, notes, ci: CI })}`)
  const totals = summarize(results, { leaks, ci: CI })
  say(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
  return totals.exitCode
}

async function prepareMachine() {
  const { engines, browser } = await setUp(say)
  if (setUpRefusal() === null) {
    ensureImages(engines, say)
    // The conformance suite needs it too, where the images are there already.
    findNode(say)
  }
  const [deno, ...tested] = await Promise.all([
    runAsync([findDeno(ROOT) ?? 'deno', '--version'], { timeoutMs: 30_000 }),
    ...engines.map(smokeTest),
  ])
  for (const [index, engine] of tested.entries())
    if (engines[index]?.available && !engine.available) say(`${engine.id}: ${engine.reason}`)
  return { engines: tested, browser, deno: deno.code === 0 }
}

const isRootless = (engine) => engine.endsWith('-rootless')

/** Where each layer runs: in the checkout, or as the rootless user in a copy. */
async function placesFor(layers, { engines, browser }, { scratch, run }) {
  const env = { ...process.env, TMPDIR: scratch, PLOINKY_TEST_RUN: run, PLOINKY_TEST_BROWSER: browser.file ?? '' }
  const own = { tree: ROOT, node: process.execPath, output: OUTPUT, scratch, env, spawnAs: {} }
  const rootless = engines.find(({ id, user }) => id === 'podman-rootless' && user !== null)
  const needsCopy = layers.some(({ engine, skip }) => isRootless(engine) && skip === null)
  if (rootless?.user == null || !needsCopy) return () => own
  const copy = copyForUser(ROOT, rootless)
  cleanups.push(copy.remove)
  const { uid, gid } = rootless.user
  const userEnv = { ...rootless.user.env, PATH: copy.path }
  // Settings of root's session (npm, XDG folders) would lead the user to files that are not his.
  const rest = Object.entries(env).filter(([name]) => !/^(npm_|XDG_|SUDO_)/i.test(name))
  const other = {
    ...own,
    tree: copy.tree,
    node: copy.node,
    env: { ...Object.fromEntries(rest), ...userEnv },
    spawnAs: { uid, gid },
  }
  return (layer) => (isRootless(layer.engine) ? other : own)
}

async function runLayers(layers, placeOf) {
  const cores = availableParallelism()
  // One more than processors: a layer waits for engines and clocks about as long as it computes.
  const slots = Math.max(2, Math.min(4, cores + 1))
  const waiting = layers.filter(({ skip }) => skip === null)
  const results = new Map(layers.map((layer) => [layer.name, skipped(layer)]))
  const running = new Map()
  say(`\nRuns ${waiting.length} of ${layers.length} layers, ${slots} at a time`)
  while (!interrupted && waiting.length + running.size > 0) {
    const next = waiting.findIndex((layer) => mayStart(layer, [...running.keys()], slots))
    if (next >= 0) {
      const [layer] = waiting.splice(next, 1)
      running.set(layer, start(layer, placeOf(layer), cores))
      continue
    }
    const { layer, result } = await Promise.race(running.values())
    running.delete(layer)
    results.set(layer.name, result)
    say(layerLine(result))
    if (result.state === 'failed' && result.log !== undefined) say(logTail(result))
  }
  for (const result of results.values()) if (result.state === 'skipped') say(layerLine(result))
  return [...results.values()]
}

async function start(layer, place, cores) {
  if (Date.now() - begin > LAST_START_MS)
    return { layer, result: { ...skipped(layer), state: 'failed', reason: 'not run: the time is over' } }
  const workers = layer.locks.includes('*') ? cores : 1
  return { layer, result: await runLayer(layer, { ...place, workers }) }
}

function skipped({ name, skip }) {
  return {
    name,
    state: 'skipped',
    passed: 0,
    failed: 0,
    skipped: 0,
    reason: skip ?? '',
    failures: [],
    skips: [],
    seconds: 0,
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // A failed set-up step says what failed; anything else is a bug of this file and shows where.
  say(error instanceof SetUpError ? error.message : String(error?.stack ?? error))
  await endLayers()
  await cleanUp()
  process.exitCode = 1
}
