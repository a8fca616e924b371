/** The same program on Deno. */
import { alternate, compare, ran } from '../measure.mjs'
import { findDeno } from '../../setup/deno.mjs'
import { openWorkspace } from '../workspace.mjs'
import { startBare, startServer } from './router.mjs'

/** @param {import('../workspace.mjs').Context} context */
export async function deno(context) {
  const { root, node, bin, env, quick } = context
  const program = findDeno(root)
  if (program === null) return [{ name: 'on Deno', skipped: 'the npm package deno is not installed' }]
  const rounds = quick ? 5 : 15
  const quiet = { env: { ...env, DENO_NO_UPDATE_CHECK: '1' } }
  const cli = await alternate(
    {
      empty: () => ran([node, '-e', '0'], quiet),
      version: () => ran([program, 'run', '-A', bin, '--version'], quiet),
    },
    { rounds },
  )
  const workspace = await openWorkspace(context)
  await workspace.must('token')
  const argv = [program, 'run', '-A', bin, '--workspace', workspace.dir, 'router-serve']
  const place = { port: workspace.port, cwd: workspace.dir, env: { ...workspace.env, ...quiet.env } }
  const once = (start) => async () => {
    const server = await start()
    await server.stop()
    return server
  }
  const servers = await alternate(
    { bare: once(() => startBare(context)), router: once(() => startServer(context, argv, place)) },
    { rounds: quick ? 3 : 9 },
  )
  return [
    compare({ name: 'Deno: ploinky --version', baseline: 'node -e 0', bound: null }, cli.version, cli.empty),
    compare(
      { name: 'Deno: router start to first 200', baseline: 'bare node:http', bound: null },
      servers.router,
      servers.bare,
    ),
  ]
}
