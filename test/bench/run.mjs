#!/usr/bin/env node
// `npm run bench [-- name...]`: what the project promises in numbers, each as a ratio to a named baseline of the same run.
//   node test/bench/run.mjs [--quick] [name...]      names: cli status router start many graph enabled relay aggregate calls streams pages memory adoption deno stdio terminal
// CONTAINER_RUNTIME=podman measures on podman. The result is also in test/.output/bench.json.
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildAll } from '../../src/tools/build.mjs'
import { builtStamp, sourceStamp } from '../../src/tools/stamp.mjs'
import { setUpRefusal } from '../setup/engines.mjs'
import { run as runNow, which } from '../setup/process.mjs'
import { adoption } from './cases/adoption.mjs'
import { enabled, graph } from './cases/agents.mjs'
import { aggregate } from './cases/aggregate.mjs'
import { calls } from './cases/calls.mjs'
import { cli } from './cases/cli.mjs'
import { deno } from './cases/deno.mjs'
import { memory } from './cases/memory.mjs'
import { pages } from './cases/pages.mjs'
import { relay } from './cases/relay.mjs'
import { router } from './cases/router.mjs'
import { many, start } from './cases/start.mjs'
import { status } from './cases/status.mjs'
import { stdio } from './cases/stdio.mjs'
import { streams } from './cases/streams.mjs'
import { terminal } from './cases/terminal.mjs'
import { machineTime } from './measure.mjs'
import { keeps, LEGEND, table } from './report.mjs'

const ROOT = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
const CASES = {
  cli,
  status,
  router,
  start,
  many,
  graph,
  enabled,
  relay,
  aggregate,
  calls,
  streams,
  pages,
  memory,
  adoption,
  deno,
  stdio,
  terminal,
}
const NEEDS_ENGINE = new Set(['status', 'start', 'calls', 'many', 'graph', 'memory', 'adoption', 'terminal'])

const say = (line) => process.stderr.write(`${line}\n`)

/** Things to undo, also when the run is interrupted. @type {Set<() => unknown>} */
const steps = new Set()

/** Registers a step; the result does it now. */
function undo(step) {
  steps.add(step)
  return async () => {
    if (steps.delete(step)) await step()
  }
}

async function undoAll() {
  for (const step of [...steps].reverse()) {
    steps.delete(step)
    await step()
  }
}

/** A copy, so that a build in mid-run does not change what is measured. */
async function copyOfBuild() {
  if (builtStamp(ROOT)?.stamp !== sourceStamp(ROOT)) {
    say('Builds, since the sources are newer than dist')
    await buildAll({ say: () => {} })
  }
  const folder = join(ROOT, `.cache/bench-${process.pid}`)
  undo(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(folder, { recursive: true })
  cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'dist/ploinky.cjs')
}

/** Baselines that are programs of the system. */
function installPrograms() {
  const missing = [
    ['nginx', 'nginx-light'],
    ['wrk', 'wrk'],
  ].filter(([program]) => which(program) === null)
  if (missing.length === 0 || setUpRefusal() !== null) return
  const names = missing.map(([, name]) => name)
  say(`Will install with apt-get: ${names.join(' ')} (PLOINKY_TEST_SETUP=0 to opt out)`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const limits = { env, timeoutMs: 300_000 }
  runNow(['apt-get', 'update', '-qq'], limits)
  const { code, stderr } = runNow(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...names], limits)
  if (code !== 0) say(`apt-get failed: ${stderr.trim().split('\n').slice(-2).join(' | ')}`)
}

function findEngine() {
  const named = process.env['CONTAINER_RUNTIME']
  const choices = named === 'docker' || named === 'podman' ? [named] : ['docker', 'podman']
  for (const name of choices)
    if (runNow([name, 'image', 'inspect', 'docker.io/library/node:24-alpine']).code === 0) return name
  return null
}

async function makeContext(quick) {
  const env = { ...process.env }
  // Reading certificates costs 37 ms at each start of Node 20, for every program alike, and would hide what is ours.
  for (const name of ['NODE_EXTRA_CA_CERTS', 'NODE_OPTIONS', 'PLOINKY_DEBUG', 'CONTAINER_RUNTIME']) delete env[name]
  const engine = findEngine()
  return {
    root: ROOT,
    bin: await copyOfBuild(),
    node: process.execPath,
    env,
    engine,
    runtime: engine ?? 'host',
    quick,
    undo,
    say,
  }
}

async function runCase(name, context) {
  if (NEEDS_ENGINE.has(name) && context.engine === null)
    return [{ name, skipped: 'no engine here that has the image docker.io/library/node:24-alpine' }]
  try {
    return await CASES[name](context)
  } catch (error) {
    say(String(error?.stack ?? error))
    return [
      {
        name,
        skipped: `failed: ${String(error?.message ?? error)
          .split('\n', 1)[0]
          .slice(0, 200)}`,
        failed: true,
      },
    ]
  } finally {
    // What a case left behind would be load, and memory, for the next one.
    for (const step of [...steps].reverse()) if (!context.kept.has(step)) await undoOne(step)
  }
}

async function undoOne(step) {
  if (steps.delete(step)) await step()
}

async function main(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    options: { quick: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const unknown = positionals.filter((name) => !(name in CASES))
  if (unknown.length > 0) {
    say(`No bench is named ${unknown.join(', ')}; there are: ${Object.keys(CASES).join(' ')}`)
    return 2
  }
  if (process.platform !== 'linux') {
    say('The bench reads /proc: it runs on Linux only')
    return 2
  }
  installPrograms()
  const context = await makeContext(values.quick)
  context.kept = new Set(steps)
  const before = machineTime()
  const rows = []
  for (const name of positionals.length > 0 ? positionals : Object.keys(CASES)) {
    say(`bench ${name}`)
    rows.push(...(await runCase(name, context)))
  }
  const busy = busyShare(before)
  process.stdout.write(`\n${table(rows)}\n\n${LEGEND}\n${machineLine(context, busy)}\n`)
  const output = join(ROOT, 'test/.output')
  mkdirSync(output, { recursive: true })
  const result = { node: process.version, engine: context.engine, cores: availableParallelism(), busy, rows }
  writeFileSync(join(output, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`)
  return rows.some((row) => row.failed === true || (row.skipped === undefined && keeps(row) === false)) ? 1 : 0
}

function busyShare(before) {
  const now = machineTime()
  return 1 - (now.idle - before.idle) / (now.total - before.total)
}

const machineLine = ({ engine }, busy) =>
  `Node ${process.version}, ${engine ?? 'no engine'}, ${availableParallelism()} cores ${(busy * 100).toFixed(0)} % busy (this bench included), load ${loadavg()[0].toFixed(1)}`

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, async () => {
    say(`\n${signal}: cleans up`)
    await undoAll()
    process.exit(code)
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  say(String(error?.stack ?? error))
  process.exitCode = 1
} finally {
  await undoAll()
}
