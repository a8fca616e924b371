/** What makes terminals in the web: loaded with the first of them, since most routers never have one. */
import type { Demand } from './features/demand/index.ts'
import type { McpRoutes } from './features/mcp/index.ts'
import { createTerminals } from './features/terminals/in-router.ts'
import { createLeftovers } from './features/terminals/leftovers.ts'
import { loadTerminalLibrary } from './features/terminals/library.ts'
import { createManager } from './features/terminals/manager.ts'
import { createRecorder } from './features/terminals/recorder.ts'
import { createShares } from './features/terminals/shares.ts'
import type { Services } from './services.ts'

/** An agent that starts on demand may take so long, ms. */
const WAKE_MS = 60_000

export async function loadTerminals(services: Services, { demand, routes }: { demand: Demand; routes: McpRoutes }) {
  const { platform, paths, events, log, registry, instances } = services
  const { fs, hash } = platform
  const settings = services.settings.values
  const shares = createShares(hash)
  const manager = createManager({
    ...{ hash, events, log, shares, library: await loadTerminalLibrary() },
    leftovers: createLeftovers({ fs, log, path: paths.openTerminals }),
    limits: {
      scrollback: settings.terminalScrollback,
      commands: settings.terminalCommands.split(/[\s,]+/).filter(Boolean),
      ...{ most: settings.terminalLimit, mostOfAgent: settings.terminalAgentLimit },
      ...{ detachedSeconds: settings.terminalDetached, totalSeconds: settings.terminalLongest },
    },
    async record({ agent, ...about }) {
      const { path } = await services.recordings.create(agent)
      return createRecorder({ ...about, fs, log, path, maxBytes: settings.recordingLimit })
    },
    async target(name) {
      const agent = await registry.get(name)
      if (demand.has(name) && routes.find(name) === 'stopped') {
        await demand.wake(name, WAKE_MS)
        await routes.reload()
      }
      const [{ adapter, workload }, cli] = await Promise.all([instances.running(agent), instances.cli(agent, [])])
      return { agent: name, adapter, workload, cli, use: () => demand.use(name) }
    },
  })
  return { manager, terminals: createTerminals(manager, { shares, events }) }
}
