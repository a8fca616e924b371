// Runs one layer: one vitest process in a process group of its own, its output in a log file.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readText, until } from './process.mjs'

/** The layers' processes that are running now, to be ended when the run is interrupted. */
const running = new Set()

/**
 * @param {import('./plan.d.mts').Layer} layer
 * @param {{ tree: string, node: string, output: string, scratch: string, env: NodeJS.ProcessEnv, spawnAs: object, workers: number }} place
 *   `tree` is the checkout to run in, `output` the folder of logs, `scratch` a folder that the layer's user may write
 * @returns {Promise<import('./plan.d.mts').Result & { log: string }>}
 */
export async function runLayer(layer, place) {
  const name = layer.name.replace(':', '-')
  const log = join(place.output, `${name}.log`)
  const report = join(place.scratch, `report-${name}.json`)
  rmSync(report, { force: true })
  mkdirSync(place.output, { recursive: true })
  const started = Date.now()
  const { code, late } = await vitest(layer, { ...place, log, report })
  const counts = parse(readText(report))
  const result = toResult(layer.name, counts, { code, late })
  return { ...result, log, seconds: (Date.now() - started) / 1000 }
}

function vitest(layer, { tree, node, log, report, env, spawnAs, workers }) {
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', layer.project, `--maxWorkers=${workers}`]
  args.push('--passWithNoTests', '--reporter=default', '--reporter=./test/setup/reporter.mjs')
  if (layer.shard !== null) args.push(`--shard=${layer.shard}`)
  const file = openSync(log, 'w')
  const child = spawn(node, args, {
    ...spawnAs,
    cwd: tree,
    detached: true,
    stdio: ['ignore', file, file],
    env: {
      ...env,
      NO_COLOR: '1',
      PLOINKY_TEST_REPORT: report,
      PLOINKY_TEST_ENGINE: layer.engine,
      PLOINKY_TEST_PLATFORM: layer.platform,
    },
  })
  closeSync(file)
  running.add(child)
  return new Promise((resolve) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      void endGroup(child)
    }, layer.limitMs)
    const done = (code) => {
      clearTimeout(timer)
      running.delete(child)
      resolve({ code, late })
    }
    child.on('error', () => done(127))
    child.on('exit', done)
  })
}

/** Ends every layer that is running: SIGTERM to its group, then SIGKILL. */
export async function endLayers() {
  await Promise.all([...running].map(endGroup))
}

async function endGroup(child) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    try {
      process.kill(-child.pid, signal)
    } catch {
      return
    }
    if (await until(() => child.exitCode !== null || child.signalCode !== null, 5000)) return
  }
}

function parse(text) {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}

function toResult(name, counts, { code, late }) {
  const { passed = 0, failures = [], skips = [] } = counts ?? {}
  let reason = ''
  if (late) reason = 'took longer than its limit and was ended'
  else if (counts === null) reason = `ended with code ${code} and no report`
  else if (passed + failures.length + skips.length === 0) reason = 'has no test'
  else if (code !== 0 && failures.length === 0) reason = `ended with code ${code}`
  let state = reason !== '' || failures.length > 0 ? 'failed' : 'passed'
  // A layer that skipped all it has proved nothing.
  if (state === 'passed' && passed === 0) [state, reason] = ['skipped', 'every test skips itself']
  return { name, state, passed, failed: failures.length, skipped: skips.length, reason, failures, skips }
}
