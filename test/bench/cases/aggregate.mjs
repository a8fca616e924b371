/** A call at `/mcp` beside the same call at the agent's own endpoint: of a tool that starts a program, and of one that costs nothing. */
import { Agent } from 'node:http'
import { callTool, startLight } from '../mcp.mjs'
import { alternateMany, compare } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'

const BOUND = 1.3

async function compareCalls(workspace, token, { agent, calls, rounds, bound }) {
  const sockets = new Agent({ keepAlive: true, maxSockets: 1 })
  const sides = {
    own: { port: workspace.port, token, path: `/mcps/${agent}/mcp`, name: 'echo' },
    all: { port: workspace.port, token, path: '/mcp', name: `${agent}__echo` },
  }
  const takers = { own: () => callTool(sockets, sides.own), all: () => callTool(sockets, sides.all) }
  const { own, all } = await alternateMany(takers, { rounds, count: calls })
  sockets.destroy()
  return compare({ name: `tools/call ${agent} at /mcp, p50`, baseline: `/mcps/${agent}/mcp`, bound }, all, own)
}

/** @param {import('../workspace.mjs').Context} context */
export async function aggregate(context) {
  const workspace = await openWorkspace(context)
  await workspace.must('init')
  await startLight(workspace)
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
