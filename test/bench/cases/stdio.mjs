/** Calls through the bridge to a program on standard streams, beside bridges of others to the same program on the same machine. */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
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

/** One kept connection; an answer ends where its length or its last chunk says. Cheap, so that the bridges are what is measured. */
function openConnection({ hostname, port }) {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  let text = ''
  let settle = { resolve: (_answer) => {}, reject: (_error) => {} }
  const isWhole = () => {
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return false
    const length = /^content-length: *(\d+)/im.exec(text.slice(0, end))?.[1]
    return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= end + 4 + Number(length)
  }
  socket.setEncoding('latin1').on('data', (part) => {
    text += part
    if (isWhole()) settle.resolve(text)
  })
  for (const event of ['error', 'close']) socket.once(event, (error) => settle.reject(error ?? new Error('closed')))
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        text = ''
        socket.write(message)
      }),
    close: () => socket.destroy(),
  }
}

/** A session at an endpoint of Streamable HTTP. */
function createClient(url, headers = {}) {
  const place = new URL(url)
  const connections = []
  let head = ''
  function textOf(method, message) {
    const body = message === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', ...message })
    return `${method} ${place.pathname} HTTP/1.1\r\n${head}content-length: ${body.length}\r\n\r\n${body}`
  }
  function setHead(more) {
    const accept = 'application/json, text/event-stream'
    const fields = { host: place.host, accept, 'content-type': 'application/json', ...headers, ...more }
    head = Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')
  }
  async function once(method, message) {
    const connection = openConnection(place)
    try {
      return await connection.send(textOf(method, message))
    } finally {
      connection.close()
    }
  }
  return {
    async open() {
      setHead({})
      const clientInfo = { name: 'bench', version: '1' }
      const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
      const answer = await once('POST', { id: 'init', method: 'initialize', params })
      const id = /^mcp-session-id: *(\S+)/im.exec(answer)?.[1]
      if (id === undefined) throw new Error(`no session: ${answer}`)
      setHead({ 'mcp-session-id': id })
      await once('POST', { method: 'notifications/initialized' })
      for (let n = 0; n < AT_ONCE; n++) connections.push(openConnection(place))
    },
    /** Makes `count` calls, `AT_ONCE` at a time; each answer is checked. */
    async calls(count) {
      let next = 0
      const one = async (connection) => {
        for (let id = next++; id < count; id = next++) {
          const params = { name: 'echo', arguments: { value: `value ${id}` } }
          const answer = await connection.send(textOf('POST', { id, method: 'tools/call', params }))
          if (!answer.startsWith('HTTP/1.1 200') || !answer.includes(`"value ${id}"`))
            throw new Error(`call ${id}: ${answer}`)
        }
      }
      await Promise.all(connections.map(one))
    },
    async close() {
      await once('DELETE').catch(() => {})
      for (const connection of connections) connection.close()
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
      process.kill(-(child.pid ?? Number.NaN), 'SIGKILL')
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
  const count = quick ? 500 : 1000
  const variants = Object.fromEntries(Object.entries(targets).map(([name, target]) => [name, sampler(target, count)]))
  const samples = await alternate(variants, { rounds: quick ? 3 : 5 })
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
  const bound = Number(((before + GROWTH_MIB) / before).toFixed(2))
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
