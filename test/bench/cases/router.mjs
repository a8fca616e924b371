/** From the start of the router's process to its first answer. */
import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { fileURLToPath } from 'node:url'
import { alternate, compare } from '../measure.mjs'
import { cpuMicros, freePort } from '../proxy/processes.mjs'
import { openWorkspace } from '../workspace.mjs'

export const BARE_SERVER = fileURLToPath(new URL('bare-server.mjs', import.meta.url))
const LIMIT_MS = 30_000

/** The status of one GET, or 0 when nobody listens. */
export function ask(port, path = '/health') {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode))
    })
    request.once('error', () => resolve(0))
  })
}

/** Starts a server and waits for its first 200. */
export async function startServer(context, argv, { port, cwd, env }) {
  const began = performance.now()
  const child = spawn(argv[0], argv.slice(1), { cwd, env, stdio: 'ignore' })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const stop = context.undo(async () => {
    child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(hard)
  })
  while ((await ask(port)) !== 200) {
    if (child.exitCode !== null) throw new Error(`${argv.join(' ')} ended with ${child.exitCode}`)
    if (performance.now() - began > LIMIT_MS) throw new Error(`${argv.join(' ')} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const wallMs = performance.now() - began
  return { pid: child.pid, wallMs, cpuMs: cpuMicros(child.pid) / 1000, stop }
}

export const startBare = async (context) => {
  const port = await freePort()
  return startServer(context, [context.node, BARE_SERVER], { port, env: { ...context.env, PORT: String(port) } })
}

export const startRouter = (context, workspace) =>
  startServer(context, workspace.argv('--workspace', workspace.dir, 'router-serve'), {
    port: workspace.port,
    cwd: workspace.dir,
    env: workspace.env,
  })

/** @param {import('../workspace.mjs').Context} context */
export async function router(context) {
  const workspace = await openWorkspace(context)
  await workspace.must('token')
  const once = (start) => async () => {
    const server = await start()
    await server.stop()
    return server
  }
  const samples = await alternate(
    { bare: once(() => startBare(context)), router: once(() => startRouter(context, workspace)) },
    { rounds: context.quick ? 5 : 15 },
  )
  const what = { name: 'router start to first 200', baseline: 'bare node:http', bound: 3 }
  return [compare(what, samples.router, samples.bare)]
}
