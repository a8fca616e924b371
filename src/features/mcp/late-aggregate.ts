/** `/mcp` and `/mcp/<name>`: loaded with the first request for one. */
import { lazy } from '../../core/lazy.ts'
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { AgentAccess } from './access.ts'
import type { Aggregate } from './aggregate/index.ts'
import type { McpGatewayOptions } from './gateway-options.ts'

export function lateAggregate(options: McpGatewayOptions, access: AgentAccess) {
  const { platform } = options
  let made: Aggregate | null = null
  const loaded = lazy(async () => {
    const { createAggregate } = await import('./aggregate/index.ts')
    const { store, log, version, prefix } = options
    made = createAggregate({ access, store, log, version, prefix, newId: () => platform.hash.randomToken(24) })
    return made
  })

  return {
    handle(exchange: McpExchange): void {
      if (made !== null) return made.handle(exchange)
      loaded.get().then((aggregate) => aggregate.handle(exchange), exchange.fail)
    },
    async close(): Promise<void> {
      const aggregate = await loaded.begun()?.catch(() => null)
      aggregate?.close()
    },
  }
}
