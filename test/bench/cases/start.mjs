/** Starting agents whose image is here, beside the engine's own `run` and the agent's own time until it answers. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { alternate, compare, must, ran } from '../measure.mjs'
import { freePort } from '../proxy/processes.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'

const IMAGE = 'docker.io/library/node:24-alpine'
const LIMIT_MS = 60_000
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
})

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

/** `run --detach` by hand with what the demo agent gets, until the agent answers. */
function byHand({ engine, bin, env, undo }) {
  const dist = dirname(bin)
  const work = mkdtempSync(join(tmpdir(), 'ploinky-bench-hand-'))
  undo(() => rmSync(work, { recursive: true, force: true }))
  let count = 0
  return async () => {
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
    const remove = undo(() => ran([engine, 'rm', '--force', name], { env }))
    const began = performance.now()
    const { cpuMs } = await must(argv, { env })
    while (!(await answersMcp(port))) {
      if (performance.now() - began > LIMIT_MS) throw new Error('the agent started by hand does not answer')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const wallMs = performance.now() - began
    await remove()
    return { wallMs, cpuMs }
  }
}

async function started(workspace, ...args) {
  const result = await workspace.run('start', ...args)
  if (result.code === 0) return result
  // Once more, for its words.
  await workspace.must('start', ...args)
  throw new Error('start failed once, then worked')
}

/** @param {import('../workspace.mjs').Context} context */
export async function start(context) {
  const { engine, env, quick } = context
  const workspace = await openWorkspace(context)
  const fresh = async () => {
    const place = await openWorkspace(context)
    const sample = await started(place, 'demo')
    await place.close()
    return sample
  }
  const again = async () => {
    await workspace.must('shutdown')
    return await started(workspace, 'demo')
  }
  const beside = async () => {
    const { agents } = await workspace.json('status')
    await must([engine, 'rm', '--force', agents[0].container], { env })
    return await started(workspace, 'demo')
  }
  await started(workspace, 'demo')
  const samples = await alternate({ hand: byHand(context), fresh, again, beside }, { rounds: quick ? 3 : 9 })
  const baseline = `${engine} run -d + agent's own time`
  const row = (name, ours) => compare({ name, baseline, bound: 1.25 }, ours, samples.hand)
  return [
    row('start demo, new folder', samples.fresh),
    row('start demo again, router down', samples.again),
    row('start demo again, router up', samples.beside),
  ]
}

/** Twenty agents beside one, both from nothing. @param {import('../workspace.mjs').Context} context */
export async function many(context) {
  const sample = (count) => async () => {
    const place = await openWorkspace(context)
    mkdirSync(join(place.dir, '.ploinky'), { recursive: true })
    place.define(agentNames(count))
    place.enable(agentNames(count))
    const result = await started(place)
    await place.close()
    return result
  }
  const samples = await alternate({ one: sample(1), twenty: sample(20) }, { rounds: context.quick ? 1 : 3 })
  return [compare({ name: 'start 20 agents', baseline: 'start 1 agent', bound: 6 }, samples.twenty, samples.one)]
}
