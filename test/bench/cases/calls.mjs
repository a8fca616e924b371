/** Calls of tools through the router beside the same calls to the agent itself, one at a time and 64 at once. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from '../../setup/process.mjs'
import { startByHand } from '../by-hand.mjs'
import { callInNewSession, callTool, startLight, toolCall } from '../mcp.mjs'
import { alternate, alternateMany, compare } from '../measure.mjs'
import { cpuMicros, freePort } from '../proxy/processes.mjs'
import { openWorkspace } from '../workspace.mjs'
import { startServer } from './router.mjs'

const BARE_PROXY = fileURLToPath(new URL('bare-proxy.mjs', import.meta.url))
const AT_ONCE = 64
/** Most that the router may add to a call, ms. */
const ADDED_MS = 0.5

/** The same call at several places, in turns. */
async function inTurns({ quick }, take, places) {
  const sockets = new Agent({ keepAlive: true, maxSockets: 1 })
  const sides = Object.fromEntries(Object.entries(places).map(([name, place]) => [name, () => take(sockets, place)]))
  const samples = await alternateMany(sides, { rounds: quick ? 3 : 10, count: quick ? 15 : 50 })
  sockets.destroy()
  return samples
}

async function oneAtATime(context, { what, ours, theirs, bound, take }) {
  const samples = await inTurns(context, take, { ours, theirs })
  return compare({ name: what, baseline: 'the agent itself', bound }, samples.ours, samples.theirs)
}

/** A call that costs the agent nothing: what the router adds to it, and what the barest proxy in its place adds. */
async function lightCall(context, { ours, theirs }, barePort) {
  const samples = await inTurns(context, callTool, { ours, theirs, bare: { ...theirs, port: barePort } })
  const row = compare(
    { name: 'tools/call light, p50', baseline: 'the agent itself', bound: null },
    samples.ours,
    samples.theirs,
  )
  const bare = compare({ name: '', baseline: '', bound: null }, samples.bare, samples.theirs)
  const limit = { baseline: 'limit', unit: 'ms', theirs: ADDED_MS }
  const [added, addedByBare] = [row, bare].map((one) => one.ours - one.theirs)
  return [
    row,
    { ...limit, name: `${row.name}: added`, ours: added, ratio: added / ADDED_MS, bound: 1 },
    {
      ...limit,
      name: `${row.name}: added by a bare proxy`,
      ours: addedByBare,
      ratio: addedByBare / ADDED_MS,
      bound: null,
    },
  ]
}

/** The barest proxy, before the agent that costs nothing. */
async function startBareProxy(context, upstreamPort) {
  const port = await freePort()
  const env = { ...context.env, PORT: String(port), UPSTREAM_PORT: String(upstreamPort) }
  const { pid, stop } = await startServer(context, [context.node, BARE_PROXY], { port, env })
  return { port, pid, stop }
}

/** Requests that `wrk` got answered in a second, `AT_ONCE` at a time. */
function loaded(script, { port, path, seconds }) {
  const argv = ['-t1', `-c${AT_ONCE}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${port}${path}`]
  return new Promise((resolve, reject) => {
    const child = spawn('wrk', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (piece) => (text += piece))
    child.once('error', reject)
    child.once('close', () => {
      const rate = Number(/Requests\/sec:\s*([\d.]+)/.exec(text)?.[1])
      if (/Non-2xx|Socket errors/.test(text) || !(rate > 0)) reject(new Error(`wrk: ${text.trim().slice(-400)}`))
      else resolve(rate)
    })
  })
}

/** Time for a call when 64 are made at once, through the router and through the barest proxy, to the same agent. */
async function atOnce(context, workspace, { light, bare }) {
  if (which('wrk') === null) return { name: `${AT_ONCE} calls at once`, skipped: 'wrk is not installed' }
  const routerPid = Number(workspace.read('running/router.pid'))
  const dir = mkdtempSync(join(tmpdir(), 'ploinky-bench-wrk-'))
  const remove = context.undo(() => rmSync(dir, { recursive: true, force: true }))
  const { body, headers } = toolCall(light)
  const script = join(dir, 'call.lua')
  // The token is in a file that nobody else reads, not on a command line.
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers["${name}"] = ${JSON.stringify(value)}\n`)
  writeFileSync(script, `wrk.method = "POST"\nwrk.body = [==[${body}]==]\n${lines.join('')}`, { mode: 0o600 })
  const seconds = context.quick ? 1 : 3
  const sampler = (pid, target) => async () => {
    const cpu = cpuMicros(pid)
    const rate = await loaded(script, { ...target, seconds })
    return { wallMs: 1000 / rate, cpuMs: (cpuMicros(pid) - cpu) / 1000 / (rate * seconds) }
  }
  const samples = await alternate(
    { ours: sampler(routerPid, light), bare: sampler(bare.pid, { port: bare.port, path: '/mcp' }) },
    { rounds: context.quick ? 2 : 6 },
  )
  await remove()
  const name = `tools/call light, ${AT_ONCE} at once, time for one`
  // At least 70 % of the calls a second.
  return compare({ name, baseline: 'bare node:http proxy', bound: 1.43 }, samples.ours, samples.bare)
}

/** @param {import('../workspace.mjs').Context} context */
export async function calls(context) {
  const workspace = await openWorkspace(context)
  await workspace.must('init')
  await startLight(workspace)
  await workspace.must('start', 'demo')
  const { token } = await workspace.json('token')
  const hand = await startByHand(context)
  const lightPort = workspace.read('routing.json').routes.light.hostPort
  const through = (agent) => ({ port: workspace.port, path: `/mcps/${agent}/mcp`, name: 'echo', token })
  const pairs = {
    demo: { ours: through('demo'), theirs: { port: hand.port, path: '/mcp', name: 'echo' } },
    light: { ours: through('light'), theirs: { port: lightPort, path: '/mcp', name: 'echo' } },
  }
  const demo = await oneAtATime(context, {
    ...{ what: 'tools/call demo, p50', bound: 1.1, take: callTool },
    ...pairs.demo,
  })
  const bare = await startBareProxy(context, lightPort)
  const fresh = { take: callInNewSession }
  const rows = [
    demo,
    ...(await lightCall(context, pairs.light, bare.port)),
    await oneAtATime(context, { what: 'new session and a call, demo', ...pairs.demo, ...fresh, bound: 1.3 }),
    await oneAtATime(context, { what: 'new session and a call, light', ...pairs.light, ...fresh, bound: null }),
    await atOnce(context, workspace, { light: pairs.light.ours, bare }),
  ]
  await bare.stop()
  await hand.remove()
  await workspace.close()
  return rows
}
