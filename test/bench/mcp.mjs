/** Calls of tools over kept connections, and an agent whose tools cost nothing. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FIXTURE = fileURLToPath(new URL('../fixtures/mcp-agent.mjs', import.meta.url))
const MODERN = '2026-07-28'
const LEGACY = '2025-11-25'

/**
 * @typedef {{ port: number, path: string, name: string, token?: string }} Endpoint `name`: of a tool that says its argument `text` again
 */

const credential = ({ token }) => (token === undefined ? {} : { authorization: `Bearer ${token}` })

/** The body and headers of a call in the modern era. @param {Endpoint} endpoint */
export function toolCall(endpoint) {
  const body = JSON.stringify({
    ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
    params: {
      ...{ name: endpoint.name, arguments: { text: 'bench' } },
      _meta: { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': {} },
    },
  })
  const headers = {
    ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...credential(endpoint) },
    ...{ 'mcp-protocol-version': MODERN, 'mcp-method': 'tools/call', 'mcp-name': endpoint.name },
  }
  return { body, headers }
}

/** @returns {Promise<{ text: string, headers: import('node:http').IncomingHttpHeaders }>} */
function post(agent, { port, path }, { body, headers }) {
  const options = { host: '127.0.0.1', port, path, method: 'POST', agent }
  return new Promise((resolve, reject) => {
    const sent = { ...headers, 'content-length': Buffer.byteLength(body) }
    const outgoing = request({ ...options, headers: sent }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (piece) => (text += piece))
      answer.once('error', reject)
      answer.once('end', () => {
        if (answer.statusCode === 200 || answer.statusCode === 202) resolve({ text, headers: answer.headers })
        else reject(new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function mustSay(text, path) {
  if (!text.includes('bench')) throw new Error(`${path} answered ${text.slice(0, 300)}`)
}

/** One call; milliseconds to the end of its answer. @param {Endpoint} endpoint */
export async function callTool(agent, endpoint) {
  const call = toolCall(endpoint)
  const began = performance.now()
  const { text } = await post(agent, endpoint, call)
  const took = performance.now() - began
  mustSay(text, endpoint.path)
  return took
}

/** A session of the legacy era and its first call; milliseconds from the first byte to the end of the answer. @param {Endpoint} endpoint */
export async function callInNewSession(agent, endpoint) {
  const common = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const say = (message, session = {}) =>
    post(agent, endpoint, {
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      headers: { ...common, ...credential(endpoint), ...session },
    })
  const began = performance.now()
  const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: 'bench', version: '1' } }
  const { headers } = await say({ id: 1, method: 'initialize', params })
  const id = headers['mcp-session-id']
  const session = { 'mcp-protocol-version': LEGACY, ...(id === undefined ? {} : { 'mcp-session-id': id }) }
  await say({ method: 'notifications/initialized' }, session)
  const call = { id: 2, method: 'tools/call', params: { name: endpoint.name, arguments: { text: 'bench' } } }
  const { text } = await say(call, session)
  const took = performance.now() - began
  mustSay(text, endpoint.path)
  return took
}

/** Starts the agent `light`, whose answers are written by hand. @param {Awaited<ReturnType<import('./workspace.mjs').openWorkspace>>} workspace */
export async function startLight(workspace) {
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
}
