/** `/mcp` and `/mcp/<name>`: loaded with the first request for one. */
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { AgentAccess } from './access.ts'
import type { Aggregate } from './aggregate/index.ts'
import type { McpGatewayOptions } from './gateway-options.ts'

export function lateAggregate(options: McpGatewayOptions, access: AgentAccess) {
  const { platform } = options
  let loading: Promise<Aggregate> | null = null
  let loaded: Aggregate | null = null

  async function load(): Promise<Aggregate> {
    const { createAggregate } = await import('./aggregate/index.ts')
    const { store, log, version, prefix } = options
    loaded = createAggregate({ access, store, log, version, prefix, newId: () => platform.hash.randomToken(24) })
    return loaded
  }

  return {
    handle(exchange: McpExchange): void {
      if (loaded !== null) return loaded.handle(exchange)
      loading ??= load()
      loading.then(
        (aggregate) => aggregate.handle(exchange),
        (error: unknown) => {
          loading = null
          exchange.fail(error)
        },
      )
    },
    async close(): Promise<void> {
      const aggregate = await loading?.catch(() => null)
      aggregate?.close()
    },
  }
}
