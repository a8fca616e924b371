/** A thousand event streams at once through the router: what is lost, how late the latest event is, and what a stream holds. */
import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { freePort, residentKb } from '../proxy/processes.mjs'
import { openWorkspace } from '../workspace.mjs'
import { startRouter, startServer } from './router.mjs'

const SOURCE = fileURLToPath(new URL('sse-source.mjs', import.meta.url))
const STREAMS = 1000
const LATE_MS = 250
const STREAM_KB = 60

/** One stream; counts its events and keeps the greatest delay. */
function openStream(endpoint, seen) {
  const { port, path, headers } = endpoint
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      if (answer.statusCode !== 200) return reject(new Error(`a stream was answered with ${answer.statusCode}`))
      let text = ''
      let last = 0
      answer.setEncoding('utf8').on('data', (piece) => {
        const now = performance.timeOrigin + performance.now()
        text += piece
        const events = text.split('\n\n')
        text = events.pop()
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1]
          // Comments keep a connection open.
          if (data === undefined) continue
          const { id, at } = JSON.parse(data).params.data
          if (id !== last + 1) seen.lost += id - last - 1
          last = id
          seen.events += 1
          seen.late = Math.max(seen.late, now - at)
        }
      })
      answer.once('close', () => (seen.closed += 1))
      answer.once('error', () => {})
      resolve(() => request.destroy())
    })
    request.once('error', reject)
  })
}

async function watched(endpoint, { count = STREAMS, seconds, measure = () => 0 }) {
  const seen = { events: 0, lost: 0, late: 0, closed: 0 }
  const streams = []
  for (let at = 0; at < count; at += 50)
    streams.push(...(await Promise.all(Array.from({ length: 50 }, () => openStream(endpoint, seen)))))
  // Opening is work that nobody promised to be quick.
  Object.assign(seen, { events: 0, lost: 0, late: 0 })
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const result = { ...seen, measured: measure() }
  for (const close of streams) close()
  if (result.closed > 0 || result.lost > 0)
    throw new Error(`${result.closed} streams were closed, ${result.lost} events lost`)
  if (result.events < count * (seconds - 1)) throw new Error(`only ${result.events} events came in ${seconds} s`)
  return result
}

/** @param {import('../workspace.mjs').Context} context */
export async function streams(context) {
  const seconds = context.quick ? 10 : 60
  const sourcePort = await freePort()
  const env = { ...context.env, PORT: String(sourcePort) }
  const source = await startServer(context, [context.node, SOURCE], { port: sourcePort, env })
  const workspace = await openWorkspace(context)
  workspace.define(['streams'])
  workspace.enable(['streams'])
  const route = {
    ...{ container: 'ploinky-streams-bench', runtime: 'host', hostIp: '127.0.0.1', hostPort: sourcePort },
    ...{ containerPort: 7000, mcp: 'container', mcpPath: '/mcp', files: null },
  }
  workspace.write('routing.json', { static: null, routes: { streams: route } })
  const { token } = await workspace.json('token')
  const router = await startRouter(context, workspace)
  const accept = { accept: 'text/event-stream', 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': 'bench' }
  const direct = await watched({ port: sourcePort, path: '/mcp', headers: accept }, { seconds })
  const headers = { ...accept, authorization: `Bearer ${token}` }
  const endpoint = { port: workspace.port, path: '/mcps/streams/mcp', headers }
  // Its code is loaded before memory is compared.
  await watched(endpoint, { count: 50, seconds: 3 })
  await new Promise((resolve) => setTimeout(resolve, 2000))
  const before = residentKb(router.pid)
  const through = await watched(endpoint, { seconds, measure: () => residentKb(router.pid) })
  const each = Math.max(0, through.measured - before) / STREAMS
  await router.stop()
  await source.stop()
  await workspace.close()
  const what = `${STREAMS} streams, an event a second each, ${seconds} s`
  return [
    {
      name: `${what}: latest event (${direct.late.toFixed(0)} ms without the router)`,
      ...{ baseline: 'limit', unit: 'ms', bound: 1 },
      ...{ ours: through.late, theirs: LATE_MS, ratio: through.late / LATE_MS },
    },
    {
      ...{ name: `${what}: memory for one`, baseline: 'limit', unit: 'KB', bound: 1 },
      ...{ ours: each, theirs: STREAM_KB, ratio: each / STREAM_KB },
    },
  ]
}
