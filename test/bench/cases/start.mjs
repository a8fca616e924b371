/** Starting agents whose image is here, beside the engine's own `run` and the agent's own time until it answers. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startByHand } from '../by-hand.mjs'
import { alternate, compare, must } from '../measure.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'

/** One start by hand; the container is gone before the next sample. */
const byHand = (context) => async () => {
  const { wallMs, cpuMs, remove } = await startByHand(context)
  await remove()
  return { wallMs, cpuMs }
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
