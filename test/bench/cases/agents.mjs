/** Many agents: a graph of needs beside its longest way by hand, and what agents cost that are only enabled. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alternate, compare, median, must } from '../measure.mjs'
import { agentNames, openWorkspace } from '../workspace.mjs'
import { startRouter } from './router.mjs'

const IMAGE = 'docker.io/library/alpine:3'
const DEPTH = 4
const AGENTS = 20
const FEW = 5
const MANY = 200
/** Node gives memory back for a while after its start. */
const SETTLE_MS = 4000

/** Agents that only wait, in levels: each needs one of the level below. */
function defineGraph(place) {
  const perLevel = AGENTS / DEPTH
  const names = agentNames(AGENTS)
  names.forEach((name, index) => {
    const folder = join(place.dir, '.ploinky/repos/bench', name)
    mkdirSync(folder, { recursive: true })
    const enable = index >= perLevel ? [names[index - perLevel]] : []
    const manifest = { container: IMAGE, start: 'sleep 1000', readiness: { protocol: 'none' }, enable }
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
  })
  place.write('enabled_repos.json', { repos: ['builtin', 'bench'] })
  place.enable(names)
}

/** @param {import('../workspace.mjs').Context} context */
export async function graph(context) {
  const { engine, env, quick, undo } = context
  let count = 0
  const byHand = async () => {
    const began = performance.now()
    const removals = []
    for (let level = 0; level < DEPTH; level++) {
      const name = `ploinky-bench-graph-${process.pid}-${(count += 1)}`
      removals.push(undo(() => must([engine, 'rm', '--force', name], { env })))
      const flags = '--init --pids-limit 512 --security-opt no-new-privileges --pull never --publish 127.0.0.1::7000'
      await must([engine, 'run', '--detach', ...flags.split(' '), '--name', name, IMAGE, 'sleep', '1000'], { env })
    }
    const wallMs = performance.now() - began
    for (const remove of removals) await remove()
    return { wallMs }
  }
  const ours = async () => {
    const place = await openWorkspace(context)
    mkdirSync(join(place.dir, '.ploinky'), { recursive: true })
    defineGraph(place)
    const result = await place.run('start')
    if (result.code !== 0) throw new Error(`start ended with ${result.code}`)
    await place.close()
    return result
  }
  const samples = await alternate({ byHand, ours }, { rounds: quick ? 1 : 3 })
  const name = `start ${AGENTS} agents, needs of depth ${DEPTH}`
  return [
    {
      ...compare(
        { name, baseline: `${DEPTH} ${engine} run, one after the other`, bound: 1.5 },
        samples.ours,
        samples.byHand,
      ),
      cpuRatio: undefined,
    },
  ]
}

async function routerMemoryKb(context, place) {
  const server = await startRouter(context, place)
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const status = readFileSync(`/proc/${server.pid}/status`, 'latin1')
  await server.stop()
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN)
}

/** @param {import('../workspace.mjs').Context} context */
export async function enabled(context) {
  const places = []
  for (const count of [FEW, MANY]) {
    const place = await openWorkspace(context)
    place.define(agentNames(count))
    place.enable(agentNames(count))
    await place.must('token')
    places.push(place)
  }
  const [few, many] = places
  const rounds = context.quick ? 5 : 15
  const samples = await alternate({ few: () => few.run('status'), many: () => many.run('status') }, { rounds })
  const kb = { few: [], many: [] }
  for (let round = 0; round < (context.quick ? 1 : 3); round++) {
    kb.few.push(await routerMemoryKb(context, few))
    kb.many.push(await routerMemoryKb(context, many))
  }
  const each = (median(kb.many) - median(kb.few)) / (MANY - FEW)
  return [
    compare(
      { name: `status, ${MANY} agents enabled`, baseline: `status, ${FEW} enabled`, bound: 3 },
      samples.many,
      samples.few,
    ),
    {
      ...{ name: 'router memory for an idle agent', baseline: '100 KB', unit: 'KB' },
      ...{ ours: each, theirs: 100, ratio: each / 100, bound: 1 },
    },
  ]
}
