/** What makes terminals in the web: loaded with the first of them, since most routers never have one. */
import type { Demand } from './features/demand/index.ts'
import type { McpRoutes } from './features/mcp/index.ts'
import { loadTerminalLibrary } from './features/terminals/library.ts'
import { createManager } from './features/terminals/manager.ts'
import type { Services } from './services.ts'

/** An agent that starts on demand may take so long, ms. */
const WAKE_MS = 60_000

export async function loadTerminals(services: Services, { demand, routes }: { demand: Demand; routes: McpRoutes }) {
  const { platform, events, log, registry, instances, settings } = services
  return createManager({
    ...{ hash: platform.hash, events, log, library: await loadTerminalLibrary() },
    scrollback: settings.values.terminalScrollback,
    commands: settings.values.terminalCommands.split(/[\s,]+/).filter(Boolean),
    async target(name) {
      const agent = await registry.get(name)
      if (demand.has(name) && routes.find(name) === 'stopped') {
        await demand.wake(name, WAKE_MS)
        await routes.reload()
      }
      const [{ adapter, workload }, cli] = await Promise.all([instances.running(agent), instances.cli(agent, [])])
      return { agent: name, adapter, workload, cli }
    },
  })
}
