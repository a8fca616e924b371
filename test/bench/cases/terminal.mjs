/** A terminal in the web against the least that can be one: `ws` and the engine's pseudo-terminal, in a process of its own. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { alternate, compare, median, must } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'

const PROTOCOL = 'ploinky.tty.v1'
const ACK_BYTES = 32 * 1024
/** All that one agent may have, with the one that is open already. */
const SESSIONS = 49
const SETTLE_MS = 2000
const SOCKETS = { docker: ['/var/run/docker.sock'], podman: ['/run/podman/podman.sock'] }

/** A client that does as little as possible: it counts, acknowledges to ours, and keeps the end of what came. */
function connect(url, options) {
  const socket = new WebSocket(url, options.ours ? [PROTOCOL] : [], {
    headers: options.headers,
    perMessageDeflate: false,
  })
  const client = { socket, tail: '', bytes: 0, session: null, snapshot: 0, skips: 0, wake: () => {} }
  let [drawn, told] = [0, 0]
  socket.on('message', (data, isBinary) => {
    if (!isBinary && options.ours) {
      const message = JSON.parse(data.toString())
      if (message.type === 'error') client.tail += ` (${message.message})`
      if (message.type === 'attached') {
        client.session = message.session.id
        client.snapshot = message.snapshotBytes
        drawn = -message.snapshotBytes
      } else if (message.type === 'snapshot') {
        // It was more than a megabyte behind: from here on it is counted anew.
        client.skips += 1
        told = 0
        drawn = -message.bytes
      }
      return client.wake()
    }
    client.bytes += data.length
    drawn += data.length
    client.tail = (client.tail + data.toString('latin1', Math.max(0, data.length - 200))).slice(-200)
    if (options.ours && drawn - told >= ACK_BYTES) {
      told = drawn
      socket.send(JSON.stringify({ type: 'ack', bytes: drawn }))
    }
    client.wake()
  })
  socket.once('close', (code, reason) => (client.tail += ` (closed: ${code} ${reason.toString()})`))
  client.until = (check) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `${options.ours ? 'our' : 'the bare'} terminal shows ${JSON.stringify(client.tail)} after ${client.bytes} bytes`,
            ),
          ),
        60_000,
      )
      client.wake = () => {
        if (!check(client)) return
        clearTimeout(timer)
        client.wake = () => {}
        resolve()
      }
      client.wake()
    })
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(client))
    socket.once('error', reject)
  })
}

async function shell(url, options) {
  const client = await connect(url, options)
  await client.until(({ tail }) => /[#$] /.test(tail))
  client.socket.send(Buffer.from('PS1=; stty -echo; echo up-$((1+1))\r'))
  await client.until(({ tail }) => tail.includes('up-2'))
  return client
}

/** All of a large file, as fast as it comes. */
async function cat(client, file, size) {
  const before = client.bytes
  const began = performance.now()
  client.tail = ''
  client.socket.send(Buffer.from(`cat ${file}; echo end-$((1+1))\r`))
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
    client.socket.send(Buffer.from('x'))
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
  for (let i = 0; i < SESSIONS; i++) clients.push(await shell(place.url, place.options))
  await settle()
  const taken = (rssOf(pid) - before) / SESSIONS
  for (const { socket } of clients) socket.send(JSON.stringify({ type: 'end' }))
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))))
  return taken
}

/** Each session writes a megabyte a second, for some seconds; all of it must come, or a snapshot in its place. */
async function atOnce(place, seconds) {
  const clients = []
  for (let i = 0; i < SESSIONS; i++) clients.push(await shell(place.url, place.options))
  const began = performance.now()
  const before = clients.map(({ bytes }) => bytes)
  const line = `for i in $(seq ${seconds}); do tr '\\0' x </dev/zero | head -c 1000000; sleep 1; done; echo; echo end-$((1+1))\r`
  for (const { socket } of clients) socket.send(Buffer.from(line))
  await Promise.all(clients.map((client) => client.until(({ tail }) => tail.includes('end-2'))))
  const wallMs = performance.now() - began
  clients.forEach(({ bytes, skips }, i) => {
    if (skips === 0 && bytes - before[i] < seconds * 1_000_000)
      throw new Error(`${bytes - before[i]} bytes of ${seconds} MB came`)
  })
  const skips = clients.reduce((sum, client) => sum + client.skips, 0)
  for (const { socket } of clients)
    socket.send(place.options.ours ? JSON.stringify({ type: 'end' }) : Buffer.from('exit\r'))
  await Promise.all(clients.map(({ socket }) => new Promise((resolve) => socket.once('close', resolve))))
  return { wallMs, skips }
}

async function reattach(place, session) {
  const began = performance.now()
  const client = await connect(`${place.url}&session=${session}`, place.options)
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
  return { url: `ws://127.0.0.1:${port}/`, options: { ours: false, headers: {} } }
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
  const ours = { url, options: { ours: true, headers: { authorization: `Bearer ${token}` } } }
  const container = await containerOf(context, workspace.dir)
  const bare = await startBare(context, container)
  const megabytes = context.quick ? 10 : 50
  const size = megabytes * 1024 * 1024
  const line = 'The quick brown fox jumps over the lazy dog, and then once more: 0123456789'
  await must([context.engine, 'exec', container, 'sh', '-c', `yes "${line}" | head -c ${size} >/tmp/bench.txt`], {})
  const rounds = context.quick ? 2 : 5
  const [a, b] = [await shell(ours.url, ours.options), await shell(bare.url, bare.options)]
  const cats = await alternate({ ours: () => cat(a, '/tmp/bench.txt', size), bare: () => cat(b, '/tmp/bench.txt', size) }, { rounds }) // prettier-ignore
  const reattached = await alternate({ ours: () => reattach(ours, a.session) }, { rounds })
  for (const client of [a, b]) {
    client.socket.send(Buffer.from('stty echo; cat >/dev/null\r'))
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const count = context.quick ? 50 : 300
  const echoes = await alternate({ ours: () => keys(a, count), bare: () => keys(b, count) }, { rounds })
  const { pid } = workspace.read('running/router.json')
  const memory = await memoryOfSessions(ours, pid)
  for (const { socket } of [a, b]) socket.close()
  const seconds = context.quick ? 2 : 5
  const many = await alternate({ ours: () => atOnce(ours, seconds), bare: () => atOnce(bare, seconds) }, { rounds: 2 })
  const skips = many.ours.reduce((sum, sample) => sum + sample.skips, 0)
  const fixed = (name, value, limit, unit) => ({
    ...{ name, baseline: 'limit', unit, ours: value, theirs: limit, ratio: value / limit, bound: 1 },
  })
  return [
    compare(
      {
        name: `terminal: cat ${megabytes} MB${a.skips > 0 ? `, ${a.skips} skips` : ''}`,
        baseline: 'ws + PTY',
        bound: 1.05,
      },
      cats.ours,
      cats.bare,
    ),
    compare(
      {
        name: `terminal: ${SESSIONS} sessions at 1 MB/s${skips > 0 ? `, ${skips} skips` : ''}`,
        baseline: 'ws + PTY',
        bound: null,
      },
      many.ours,
      many.bare,
    ),
    compare({ name: 'terminal: key echo, p50', baseline: 'ws + PTY', bound: 1.15 }, echoes.ours, echoes.bare),
    fixed(`terminal: memory a session of ${SESSIONS}`, memory, 300, 'KB'),
    fixed('terminal: back with 10,000 lines', median(reattached.ours.map(({ wallMs }) => wallMs)), 200, 'ms'),
  ]
}
