/** `status` while five agents run. */
import { alternate, compare, ran } from '../measure.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'

const AGENTS = 5

/** @param {import('../workspace.mjs').Context} context */
export async function status(context) {
  const { node, env, quick } = context
  const workspace = await openWorkspace(context)
  const names = agentNames(AGENTS)
  workspace.define(names)
  workspace.enable(names)
  await workspace.must('start')
  const { agents } = await workspace.json('status')
  if (agents.some(({ state }) => state !== 'ready')) throw new Error('an agent of the bench is not ready')
  const samples = await alternate(
    { empty: () => ran([node, '-e', '0'], { env }), status: () => workspace.run('status') },
    { rounds: quick ? 7 : 21 },
  )
  return [
    compare(
      { name: `ploinky status, ${AGENTS} agents run`, baseline: 'node -e 0', bound: 4 },
      samples.status,
      samples.empty,
    ),
  ]
}
