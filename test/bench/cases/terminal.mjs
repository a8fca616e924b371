/** A terminal in the web against the least that can be one: `ws` and the engine's pseudo-terminal, in a process of its own. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, compare, median, must } from '../measure.mjs'
import { connect, shell } from '../terminal-client.mjs'
import { freePort, waitForPort } from '../proxy/processes.mjs'
import { openWorkspace } from '../workspace.mjs'
import { which } from '../../setup/process.mjs'

/** All that one agent may have, with the one that is open already. */
const SESSIONS = 49
const SETTLE_MS = 2000
const SOCKETS = { docker: ['/var/run/docker.sock'], podman: ['/run/podman/podman.sock'] }

/** All of a large file, as fast as it comes. */
async function cat(client, file, size) {
  const before = client.bytes
  const began = performance.now()
  client.tail = ''
  client.type(`cat ${file}; echo end-$((1+1))\r`)
  await client.until(({ tail }) => tail.includes('end-2'))
  const wallMs = performance.now() - began
  if (client.skips === 0 && client.bytes - before < size)
    throw new Error(`${client.bytes - before} of ${size} bytes came: ${JSON.stringify(client.tail)}`)
  return { wallMs }
}

/** Until the terminal shows the key. */
async function keys(client, count) {
  const taken = []
  for (let i = 0; i < count; i++) {
    const { bytes } = client
    const began = performance.now()
    client.type('x')
    await client.until((now) => now.bytes > bytes)
    taken.push(performance.now() - began)
  }
  return { wallMs: median(taken) }
}

const rssOf = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? Number.NaN)

async function memoryOfSessions(place, pid) {
  const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  await settle()
  const before = rssOf(pid)
  const clients = []
  for (let i = 0; i < SESSIONS; i++) clients.push(await shell(place))
  await settle()
  const taken = (rssOf(pid) - before) / SESSIONS
  for (const client of clients) client.end()
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))))
  return taken
}

/** Each session writes a megabyte a second, for some seconds; all of it must come, or a snapshot in its place. */
async function atOnce(place, seconds) {
  const clients = []
  for (let i = 0; i < SESSIONS; i++) clients.push(await shell(place))
  const began = performance.now()
  const before = clients.map(({ bytes }) => bytes)
  const line = `for i in $(seq ${seconds}); do tr '\\0' x </dev/zero | head -c 1000000; sleep 1; done; echo; echo end-$((1+1))\r`
  for (const client of clients) client.type(line)
  await Promise.all(clients.map((client) => client.until(({ tail }) => tail.includes('end-2'))))
  const wallMs = performance.now() - began
  clients.forEach(({ bytes, skips }, i) => {
    if (skips === 0 && bytes - before[i] < seconds * 1_000_000)
      throw new Error(`${bytes - before[i]} bytes of ${seconds} MB came`)
  })
  const skips = clients.reduce((sum, client) => sum + client.skips, 0)
  for (const client of clients) client.end()
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))))
  return { wallMs, skips }
}

async function reattach(place, session) {
  const began = performance.now()
  const client = await connect({ ...place, url: `${place.url}&session=${session}` })
  await client.until(({ snapshot, bytes }) => snapshot > 0 && bytes >= snapshot)
  const wallMs = performance.now() - began
  client.socket.close()
  return { wallMs }
}

async function startBare(context, container) {
  const socket = SOCKETS[context.engine]?.find(existsSync)
  if (socket === undefined) throw new Error(`no API socket of ${context.engine}`)
  const child = spawn(context.node, [join(context.root, 'test/bench/proxy/bare-tty.mjs'), socket, container], {
    env: context.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.undo(() => child.kill('SIGKILL'))
  const port = await new Promise((resolve) => child.stdout.once('data', (data) => resolve(Number(data.toString()))))
  return { kind: 'bare', url: `ws://127.0.0.1:${port}/` }
}

/**
 * ttyd on this machine, with the same shell in the same container. Null where it is not installed; `PLOINKY_BENCH_TTYD` says
 * where it is. Debian 12 has no package of it.
 */
async function startTtyd(context, container) {
  const file = process.env['PLOINKY_BENCH_TTYD'] ?? which('ttyd')
  if (file === null) return null
  const port = await freePort()
  const args = ['--writable', '--interface', 'lo', '--port', String(port), '--debug', '0']
  const child = spawn(file, [...args, context.engine, 'exec', '-it', container, 'sh'], { stdio: 'ignore' })
  context.undo(() => child.kill('SIGKILL'))
  await waitForPort(port)
  return { kind: 'ttyd', url: `ws://127.0.0.1:${port}/ws` }
}

async function containerOf(context, dir) {
  const { stdout } = await must([context.engine, 'ps', '-q', '--no-trunc'], {})
  for (const id of stdout.trim().split('\n')) {
    const { stdout: text } = await must([context.engine, 'inspect', id], {})
    if (text.includes(dir)) return id
  }
  throw new Error('the container of the bench was not found')
}

/** @param {import('../workspace.mjs').Context} context */
export async function terminal(context) {
  const workspace = await openWorkspace(context)
  await workspace.must('start', 'demo')
  const { token } = await workspace.json('token')
  const url = `ws://127.0.0.1:${workspace.port}/webtty/demo/ws?command=shell`
  const ours = { kind: 'ours', url, headers: { authorization: `Bearer ${token}` } }
  const container = await containerOf(context, workspace.dir)
  const bare = await startBare(context, container)
  const megabytes = context.quick ? 10 : 50
  const size = megabytes * 1024 * 1024
  const line = 'The quick brown fox jumps over the lazy dog, and then once more: 0123456789'
  await must([context.engine, 'exec', container, 'sh', '-c', `yes "${line}" | head -c ${size} >/tmp/bench.txt`], {})
  const ttyd = await startTtyd(context, container)
  const rounds = context.quick ? 2 : 5
  const seconds = context.quick ? 2 : 5
  const clients = { ours: await shell(ours), bare: await shell(bare) }
  if (ttyd !== null) clients.ttyd = await shell(ttyd)
  const each = (run) => Object.fromEntries(Object.entries(clients).map(([name, client]) => [name, () => run(client)]))
  const cats = await alternate(
    each((client) => cat(client, '/tmp/bench.txt', size)),
    { rounds },
  )
  const reattached = await alternate({ ours: () => reattach(ours, clients.ours.session) }, { rounds })
  for (const client of Object.values(clients)) {
    client.type('stty echo; cat >/dev/null\r')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const count = context.quick ? 50 : 300
  const echoes = await alternate(
    each((client) => keys(client, count)),
    { rounds },
  )
  const { pid } = workspace.read('running/router.json')
  const memory = await memoryOfSessions(ours, pid)
  for (const { socket } of Object.values(clients)) socket.close()
  const many = await alternate({ ours: () => atOnce(ours, seconds), bare: () => atOnce(bare, seconds) }, { rounds: 2 })
  const skips = many.ours.reduce((sum, sample) => sum + sample.skips, 0)
  const of = (skipped) => (skipped > 0 ? `, ${skipped} skips` : '')
  const named = (name, baseline, bound) => ({ name: `terminal: ${name}`, baseline, bound })
  const catName = `cat ${megabytes} MB${of(clients.ours.skips)}`
  const fixed = (name, value, limit, unit) => ({
    name: `terminal: ${name}`,
    baseline: 'limit',
    unit,
    ours: value,
    theirs: limit,
    ratio: value / limit,
    bound: 1,
  })
  return [
    compare(named(catName, 'ws + PTY', 1.05), cats.ours, cats.bare),
    ...(ttyd === null ? [] : [compare(named(catName, 'ttyd', 1), cats.ours, cats.ttyd)]),
    compare(named(`${SESSIONS} sessions at 1 MB/s${of(skips)}`, 'ws + PTY', null), many.ours, many.bare),
    compare(named('key echo, p50', 'ws + PTY', 1.15), echoes.ours, echoes.bare),
    ...(ttyd === null ? [] : [compare(named('key echo, p50', 'ttyd', null), echoes.ours, echoes.ttyd)]),
    fixed(`memory a session of ${SESSIONS}`, memory, 300, 'KB'),
    fixed('back with 10,000 lines', median(reattached.ours.map(({ wallMs }) => wallMs)), 200, 'ms'),
  ]
}
