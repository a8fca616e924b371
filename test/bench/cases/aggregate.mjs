/** A call at `/mcp` beside the same call at the agent's own endpoint: of a tool that starts a program, and of one that costs nothing. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'

const BOUND = 1.3
const FIXTURE = fileURLToPath(new URL('../../fixtures/mcp-agent.mjs', import.meta.url))
const VERSION = '2026-07-28'

/** One call over a kept connection; milliseconds to the end of its answer. */
function callTool(agent, { port, token, path, name }) {
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: {
      ...{ name, arguments: { text: 'bench' } },
      _meta: { 'io.modelcontextprotocol/protocolVersion': VERSION, 'io.modelcontextprotocol/clientCapabilities': {} },
    },
  })
  const headers = {
    ...{
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    ...{ 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': name },
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const began = performance.now()
    const outgoing = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => (text += piece))
      answer.once('end', () => {
        if (answer.statusCode === 200 && text.includes('bench')) resolve(performance.now() - began)
        else reject(new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

async function compareCalls(workspace, token, { agent, calls, rounds, bound }) {
  const sockets = new Agent({ keepAlive: true, maxSockets: 1 })
  const sides = {
    own: { port: workspace.port, token, path: `/mcps/${agent}/mcp`, name: 'echo' },
    all: { port: workspace.port, token, path: '/mcp', name: `${agent}__echo` },
  }
  const samples = { own: [], all: [] }
  for (const side of ['own', 'all']) for (let i = 0; i < 5; i++) await callTool(sockets, sides[side])
  for (let round = 0; round < rounds; round++)
    for (const side of round % 2 === 0 ? ['own', 'all'] : ['all', 'own']) {
      const taken = []
      for (let i = 0; i < calls; i++) taken.push(await callTool(sockets, sides[side]))
      samples[side].push(median(taken))
    }
  sockets.destroy()
  return {
    ...{ name: `tools/call ${agent} at /mcp, p50`, baseline: `/mcps/${agent}/mcp`, unit: 'ms', bound },
    ...{ ours: median(samples.all), theirs: median(samples.own) },
    ratio: median(samples.all.map((value, index) => value / samples.own[index])),
    least: Math.min(...samples.all) / Math.min(...samples.own),
  }
}

/** @param {import('../workspace.mjs').Context} context */
export async function aggregate(context) {
  const workspace = await openWorkspace(context)
  await workspace.must('init')
  const dir = join(workspace.dir, '.ploinky/repos/wire/light')
  mkdirSync(dir, { recursive: true })
  cpSync(FIXTURE, join(dir, 'server.mjs'))
  const manifest = {
    ...{ about: 'light', container: 'docker.io/library/node:24-alpine', agent: 'exec node server.mjs' },
    ...{ env: { NAME: 'light' }, readiness: { protocol: 'http' } },
  }
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest))
  workspace.write('enabled_repos.json', { repos: ['builtin', 'wire'] })
  await workspace.must('enable', 'agent', 'wire/light')
  await workspace.must('start', 'light')
  await workspace.must('start', 'demo')
  const { token } = await workspace.json('token')
  const { quick } = context
  const rows = [
    await compareCalls(workspace, token, {
      agent: 'demo',
      bound: BOUND,
      calls: quick ? 10 : 40,
      rounds: quick ? 2 : 6,
    }),
    await compareCalls(workspace, token, {
      agent: 'light',
      bound: null,
      calls: quick ? 200 : 1000,
      rounds: quick ? 2 : 10,
    }),
  ]
  await workspace.close()
  return rows
}
