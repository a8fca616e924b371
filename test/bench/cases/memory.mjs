/** What the router holds while nobody asks for anything. */
import { readdirSync, readFileSync } from 'node:fs'
import { median } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'
import { startBare, startRouter } from './router.mjs'

/** Node gives memory back for a while after its start. */
const SETTLE_MS = 4000

const childrenOf = (pid) =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((each) => {
      try {
        const stat = readFileSync(`/proc/${each}/stat`, 'latin1')
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })

/** Resident MB of a process and of everything that it started. */
function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  const own = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024
  return childrenOf(pid).reduce((sum, each) => sum + memoryOf(each), own)
}

async function settled(context, start) {
  const server = await start()
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const taken = memoryOf(server.pid)
  await server.stop()
  return taken
}

/** @param {import('../workspace.mjs').Context} context */
export async function memory(context) {
  const empty = await openWorkspace(context)
  await empty.must('token')
  const busy = await openWorkspace(context)
  await busy.must('start', 'demo')
  // The router goes, the agent stays: the router of the bench adopts it and follows its engine.
  await busy.must('restart', 'router')
  const variants = {
    bare: () => settled(context, () => startBare(context)),
    idle: () => settled(context, () => startRouter(context, empty)),
    following: async () => {
      const { pid, watchdog } = busy.read('running/router.json')
      // First who would bring it back.
      if (watchdog !== null) process.kill(watchdog.pid, 'SIGKILL')
      process.kill(pid, 'SIGKILL')
      return await settled(context, () => startRouter(context, busy))
    },
  }
  const samples = { bare: [], idle: [], following: [] }
  for (let round = 0; round < (context.quick ? 1 : 3); round++)
    for (const [name, sample] of Object.entries(variants)) {
      samples[name].push(await sample())
      if (name === 'following') await busy.must('start')
    }
  const theirs = median(samples.bare)
  const row = (name, ours) => ({
    name,
    baseline: 'bare node:http',
    unit: 'MB',
    ours: median(ours),
    theirs,
    ratio: median(ours) / theirs,
    bound: 1.6,
  })
  return [row('idle router', samples.idle), row('idle router and its children, 1 agent', samples.following)]
}
