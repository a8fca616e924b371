/** The router is killed while agents run; `start` finds them again. */
import { alternate, compare, must, ran } from '../measure.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'

const AGENTS = 5
/** "Under a second." */
const LIMIT_MS = 1000

/** @param {import('../workspace.mjs').Context} context */
export async function adoption(context) {
  const { node, env, engine, quick } = context
  const workspace = await openWorkspace(context)
  const names = agentNames(AGENTS)
  workspace.define(names)
  workspace.enable(names)
  await workspace.must('start')
  const containers = (await workspace.json('status')).agents.map(({ container }) => container)
  const began = async () =>
    (await must([engine, 'inspect', '--format', '{{.Id}} {{.State.StartedAt}}', ...containers], { env })).stdout
  const before = await began()
  const adopt = async () => {
    process.kill(workspace.read('running/router.json').pid, 'SIGKILL')
    const result = await workspace.run('start')
    if (result.code !== 0) throw new Error(`start ended with ${result.code}`)
    return result
  }
  const samples = await alternate({ empty: () => ran([node, '-e', '0'], { env }), adopt }, { rounds: quick ? 3 : 9 })
  if ((await began()) !== before) throw new Error('a container was restarted')
  const second = Array.from(samples.adopt, () => ({ wallMs: LIMIT_MS }))
  const name = `start after kill -9 of the router, ${AGENTS} agents`
  return [
    compare({ name, baseline: 'node -e 0', bound: null }, samples.adopt, samples.empty),
    { ...compare({ name, baseline: 'one second', bound: 1 }, samples.adopt, second), cpuRatio: undefined },
  ]
}
