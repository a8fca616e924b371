#!/usr/bin/env node
// `npm run dev`: the router with the shipped agents on the in-memory runtime, built and started again at each change.
// Needs no engine. Builds beside dist/, in .cache/dev, so a real router of this checkout is left alone.
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, watch } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildAgent } from './build-agent.mjs'
import { buildPublic } from './build-public.mjs'
import { ROOT, watchBundle } from './bundle.mjs'

const OUT = join(ROOT, '.cache/dev')
const BIN = join(OUT, 'bin.js')
/** An editor saves several files at once. */
const SETTLE_MS = 100
const workspace = mkdtempSync(join(tmpdir(), 'ploinky-dev-'))
const say = (text) => console.error(`dev: ${text}`)

/** The usual port where it is free: bookmarks and sessions stay. */
function choosePort(wanted) {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(choosePort(0)))
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** @param {number} port */
function createRunner(port) {
  let child = null
  let queue = Promise.resolve()
  let ending = false

  function start() {
    if (ending) return
    const args = [
      'start',
      'demo',
      '--foreground',
      '--runtime',
      'fake',
      '--port',
      String(port),
      '--workspace',
      workspace,
    ]
    const current = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
    child = current
    current.once('exit', (code, signal) => {
      if (child !== current) return
      child = null
      if (!ending) say(`the router ended (${signal ?? `exit code ${code}`}); waits for a change`)
    })
  }

  async function stop() {
    const current = child
    child = null
    if (current === null || current.exitCode !== null || current.signalCode !== null) return
    await new Promise((resolve) => {
      current.once('exit', resolve)
      current.kill('SIGTERM')
    })
  }

  return {
    /** One after the other, however fast the changes come. */
    restart: () => (queue = queue.then(stop).then(start)),
    end: () => {
      ending = true
      return (queue = queue.then(stop))
    },
  }
}

/** The agent program and the shipped agents have builders of their own. */
async function copyAssets() {
  await buildAgent(join(OUT, 'Agent'))
  cpSync(join(ROOT, 'src/repositories'), join(OUT, 'repositories'), { recursive: true })
}

/** @param {string} folder @param {() => void} run */
function onChange(folder, run) {
  let timer
  return watch(join(ROOT, folder), { recursive: true }, () => {
    clearTimeout(timer)
    timer = setTimeout(run, SETTLE_MS)
  })
}

async function main() {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  const runner = createRunner(await choosePort(Number(process.env['PLOINKY_PORT'] ?? 8088)))
  await copyAssets()
  const pages = await buildPublic(join(OUT, 'public'), { watch: true, minify: false })
  let first = true
  const endBundle = await watchBundle(OUT, (passed) => {
    // esbuild has shown what is wrong; the last good router goes on.
    if (!passed) return
    if (first) {
      spawnSync(process.execPath, [BIN, 'enable', 'agent', 'shell', '--quiet', '--workspace', workspace])
      say(`workspace ${workspace}; watches src, runtimes and public`)
    } else say('changed; starts again')
    first = false
    void runner.restart()
  })
  const refresh = () => copyAssets().then(runner.restart, (error) => say(String(error)))
  const watchers = ['src/agent', 'src/repositories'].map((folder) => onChange(folder, refresh))

  let ended = false
  const end = async () => {
    if (ended) return
    ended = true
    for (const watcher of watchers) watcher.close()
    await Promise.all([runner.end(), endBundle(), pages.close()])
    rmSync(workspace, { recursive: true, force: true })
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

await main()
