/** The demo agent in a container that was started by hand: the engine and the agent's own time, nothing of ours in between. */
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { must, ran } from './measure.mjs'
import { freePort } from './proxy/processes.mjs'

const IMAGE = 'docker.io/library/node:24-alpine'
const LIMIT_MS = 60_000
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
})
let count = 0

function answersMcp(port) {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const call = request({ host: '127.0.0.1', port, path: '/mcp', method: 'POST', headers, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode === 200))
    })
    call.once('error', () => resolve(false))
    call.end(INITIALIZE)
  })
}

/**
 * `run --detach` with what the demo agent gets, until the agent answers.
 * @param {import('./workspace.mjs').Context} context
 * @returns {Promise<{ port: number, wallMs: number, cpuMs: number, remove: () => Promise<void> }>}
 */
export async function startByHand({ engine, bin, env, undo }) {
  const dist = dirname(bin)
  const work = mkdtempSync(join(tmpdir(), 'ploinky-bench-hand-'))
  const removeWork = undo(() => rmSync(work, { recursive: true, force: true }))
  const name = `ploinky-bench-${process.pid}-${(count += 1)}`
  const port = await freePort()
  const mount = (source, target, mode) => ['--mount', `type=bind,source=${source},target=${target}${mode}`]
  const flags =
    'run --detach --pull never --init --pids-limit 512 --security-opt no-new-privileges --workdir /code ' +
    `--env PORT=7000 --env AGENT_NAME=demo --env PLOINKY_MCP_CONFIG_PATH=/code/mcp-config.json ` +
    `--name ${name} --publish 127.0.0.1:${port}:7000`
  const mounts = [
    mount(join(dist, 'Agent'), '/Agent', ',readonly'),
    mount(join(dist, 'repositories/builtin/demo/code'), '/code', ',readonly'),
    mount(work, work, ''),
  ]
  const argv = [engine, ...flags.split(' '), ...mounts.flat(), IMAGE, 'sh', '/Agent/server/AgentServer.sh']
  const removeContainer = undo(() => ran([engine, 'rm', '--force', name], { env }))
  const began = performance.now()
  const { cpuMs } = await must(argv, { env })
  while (!(await answersMcp(port))) {
    if (performance.now() - began > LIMIT_MS) throw new Error('the agent started by hand does not answer')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const wallMs = performance.now() - began
  const remove = async () => {
    await removeContainer()
    await removeWork()
  }
  return { port, wallMs, cpuMs, remove }
}
