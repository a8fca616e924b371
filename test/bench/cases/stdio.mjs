/** Calls through the bridge to a program on standard streams, beside bridges of others to the same program on the same machine. */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { build } from 'esbuild'
import { alternate, compare, must } from '../measure.mjs'
import { freePort } from '../proxy/processes.mjs'
import { openWorkspace } from '../workspace.mjs'

const PEERS = { supergateway: '4.0.0', 'mcp-proxy': '6.7.19' }
const AT_ONCE = 16
/** Ours takes at most two thirds of the time: 1.5 times the calls a second. */
const BOUND = 0.67
const GROWTH_MIB = 20
const START_MS = 30_000
const IMAGE = 'docker.io/library/node:24-alpine'

/** CPU time of one process, ms; proc(5) fields 14 and 15. */
function cpuOf(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

const residentMiB = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

/** A session at an endpoint of Streamable HTTP, over kept connections. */
export function createClient(url, headers = {}) {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const { hostname, port, pathname } = new URL(url)
  let session = {}
  function send(method, message) {
    const body = message === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', ...message })
    return new Promise((resolve, reject) => {
      const accept = 'application/json, text/event-stream'
      const fields = {
        ...headers,
        ...session,
        accept,
        'content-type': 'application/json',
        'content-length': body.length,
      }
      const outgoing = request({ hostname, port, path: pathname, method, agent, headers: fields }, (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (part) => (text += part))
        incoming.once('end', () => resolve({ status: incoming.statusCode, headers: incoming.headers, text }))
      })
      outgoing.once('error', reject)
      outgoing.end(body)
    })
  }
  return {
    async open() {
      const clientInfo = { name: 'bench', version: '1' }
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
      const answer = await send('POST', { id: 'init', method: 'initialize', params })
      const id = answer.headers['mcp-session-id']
      if (answer.status !== 200 || id === undefined) throw new Error(`no session: ${answer.status} ${answer.text}`)
      session = { 'mcp-session-id': id }
      await send('POST', { method: 'notifications/initialized' })
    },
    /** Makes `count` calls, `AT_ONCE` at a time; each answer is checked. */
    async calls(count) {
      let next = 0
      const one = async () => {
        for (let id = next++; id < count; id = next++) {
          const params = { name: 'echo', arguments: { value: `value ${id}` } }
          const { status, text } = await send('POST', { id, method: 'tools/call', params })
          if (status !== 200 || !text.includes(`"value ${id}"`)) throw new Error(`call ${id}: ${status} ${text}`)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, one))
    },
    async close() {
      await send('DELETE').catch(() => {})
      agent.destroy()
    },
  }
}

/** From npm into the cache, once. */
async function installPeers({ root, env, say }) {
  const folder = join(root, '.cache/bench-peers')
  const wanted = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`)
  const isThere = Object.entries(PEERS).every(([name, version]) => {
    const file = join(folder, 'node_modules', name, 'package.json')
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version
  })
  if (isThere) return folder
  say(`Installs ${wanted.join(' and ')} into .cache`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await must(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', ...wanted], {
    cwd: folder,
    env,
  })
  return folder
}

async function bundleServer(context) {
  const outfile = join(context.root, `.cache/bench-${process.pid}`, 'server.mjs')
  await build({
    entryPoints: [join(context.root, 'test/fixtures/mcp-stdio.mjs')],
    ...{ outfile, bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' },
    banner: { js: "import { createRequire as r_ } from 'node:module'; const require = r_(import.meta.url);" },
  })
  return outfile
}

async function retried(run) {
  const deadline = Date.now() + START_MS
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function startPeer(context, argv, port) {
  const child = spawn(context.node, argv, { env: context.env, stdio: 'ignore', detached: true })
  const stop = context.undo(() => {
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It is gone.
    }
  })
  const client = createClient(`http://127.0.0.1:${port}/mcp`)
  await retried(() => client.open())
  return { pid: child.pid, client, stop }
}

async function startOurs(context, runtime, server) {
  const workspace = await openWorkspace({ ...context, runtime })
  const folder = join(workspace.dir, '.ploinky/repos/bench/stdio')
  mkdirSync(folder, { recursive: true })
  cpSync(server, join(folder, 'server.mjs'))
  const mcp = { transport: 'stdio', command: ['node', 'server.mjs'] }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ container: IMAGE, mcp }))
  workspace.write('enabled_repos.json', { repos: ['builtin', 'bench'] })
  workspace.enable(['stdio'])
  await workspace.must('start', 'stdio')
  const { token } = await workspace.json('token')
  const pid = Number(readFileSync(join(workspace.dir, '.ploinky/running/router.pid'), 'utf8'))
  const headers = { authorization: `Bearer ${token}` }
  const client = createClient(`http://127.0.0.1:${workspace.port}/mcps/stdio/mcp`, headers)
  await retried(() => client.open())
  return { pid, client, stop: () => workspace.close() }
}

const sampler =
  ({ pid, client }, count) =>
  async () => {
    const cpu = cpuOf(pid)
    const began = performance.now()
    await client.calls(count)
    return { wallMs: performance.now() - began, cpuMs: cpuOf(pid) - cpu }
  }

/** @param {import('../workspace.mjs').Context & { root: string, engine: string | null }} context */
export async function stdio(context) {
  const { quick, engine } = context
  const [folder, server] = await Promise.all([installPeers(context), bundleServer(context)])
  const bin = (name) => {
    const { bin: bins } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'))
    return join(folder, 'node_modules', name, typeof bins === 'string' ? bins : bins[name])
  }
  const ports = [await freePort(), await freePort()]
  const command = `${context.node} ${server}`
  const supergateway = [
    '--stdio',
    command,
    '--outputTransport',
    'streamableHttp',
    '--stateful',
    '--port',
    String(ports[0]),
  ]
  const mcpProxy = ['--port', String(ports[1]), '--host', '127.0.0.1', '--server', 'stream', context.node, server]
  const places = ['host', ...(engine === null ? [] : [engine])]
  const targets = {
    supergateway: await startPeer(context, [bin('supergateway'), ...supergateway], ports[0]),
    'mcp-proxy': await startPeer(context, [bin('mcp-proxy'), ...mcpProxy], ports[1]),
  }
  for (const place of places) targets[place] = await startOurs(context, place, server)
  const count = quick ? 500 : 3000
  const variants = Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, sampler(target, count)]))
  const samples = await alternate(variants, { rounds: quick ? 3 : 7 })
  const rows = places.flatMap((place) =>
    Object.keys(PEERS).map((peer) =>
      compare(
        { name: `${count} calls over stdio, program on ${place}`, baseline: `${peer}, on host`, bound: BOUND },
        samples[place],
        samples[peer],
      ),
    ),
  )
  rows.push(await growth(targets[places.at(-1)], quick ? 5000 : 100_000))
  for (const { client, stop } of Object.values(targets)) {
    await client.close()
    await stop()
  }
  return rows
}

/** Memory after many calls beside memory after the first of them. */
async function growth({ pid, client }, calls) {
  await client.calls(calls / 10)
  const before = residentMiB(pid)
  await client.calls(calls)
  const after = residentMiB(pid)
  const ratio = after / before
  const bound = (before + GROWTH_MIB) / before
  return {
    name: `router after ${calls} calls over stdio`,
    baseline: 'before',
    unit: 'MiB',
    ours: after,
    theirs: before,
    ratio,
    bound,
  }
}
