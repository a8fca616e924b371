/** CPU time of the router per relayed request, sign-in check included, beside nginx in the same minute. */
import { which } from '../../setup/process.mjs'
import { must } from '../measure.mjs'
import { benchProxy } from '../proxy/index.mjs'
import { freePort, Stage, startNginx } from '../proxy/processes.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'
import { startRouter } from './router.mjs'

const BOUND = 3.2

/** Routes to an upstream that is no container: the table of the router does not care. */
function route(port) {
  return (name) => ({
    container: `ploinky-${name}-bench`,
    runtime: 'host',
    hostIp: '127.0.0.1',
    hostPort: port,
    containerPort: 7000,
    mcp: 'container',
    mcpPath: '/mcp',
    files: null,
  })
}

async function cookieOf(port, token) {
  const answer = await fetch(`http://127.0.0.1:${port}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: `http://127.0.0.1:${port}` },
    body: JSON.stringify({ token }),
  })
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0]
  if (cookie === undefined) throw new Error(`signing in failed: ${answer.status} ${await answer.text()}`)
  return cookie
}

/** @param {import('../workspace.mjs').Context} context */
export async function relay(context) {
  const { quick } = context
  for (const program of ['nginx', 'wrk', 'taskset'])
    if (which(program) === null) return [{ name: 'relay, beside nginx', skipped: `${program} is not installed` }]
  const stage = new Stage()
  context.undo(() => stage.close())
  const upstreamPort = await freePort()
  await startNginx(stage, { port: upstreamPort, core: 1 })
  const rows = []
  for (const count of [1, 100]) {
    const workspace = await openWorkspace(context)
    const names = agentNames(count)
    workspace.define(names)
    workspace.enable(names)
    workspace.write('routing.json', {
      static: null,
      routes: Object.fromEntries(names.map((name) => [name, route(upstreamPort)(name)])),
    })
    const { token } = await workspace.json('token')
    const server = await startRouter(context, workspace)
    await must(['taskset', '--all-tasks', '--pid', '--cpu-list', '0', String(server.pid)])
    const cookie = await cookieOf(workspace.port, token)
    const credentials = {
      bearer: { Authorization: `Bearer ${token}` },
      cookie: { Cookie: `theme=dark; panel=left; ${cookie}` },
    }
    for (const [kind, headers] of Object.entries(credentials)) {
      const result = await benchProxy({
        routerUrl: names.map((name) => `http://127.0.0.1:${workspace.port}/services/${name}/x`),
        routerPid: server.pid,
        headers,
        upstreamPort,
        rounds: quick ? 2 : 5,
        seconds: quick ? 1 : 2,
      })
      const name = `relayed request, ${count} agent${count === 1 ? '' : 's'}, ${kind}`
      rows.push(result.skipped === undefined ? toRow(name, result.rows) : { name, skipped: result.skipped })
    }
    await server.stop()
    await workspace.close()
  }
  return rows
}

function toRow(name, [nginx, ours]) {
  return {
    name,
    baseline: 'nginx',
    unit: 'µs CPU',
    ours: ours.cpuMicrosPerRequest,
    theirs: nginx.cpuMicrosPerRequest,
    ratio: ours.ratio,
    least: ours.bestRatio,
    bound: BOUND,
  }
}
