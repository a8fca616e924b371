/** `/mcp` and `/mcp/<name>`: loaded with the first request for one. */
import type { McpExchange } from '../../http/mcp-exchange.ts'
import type { HttpClient } from '../../platform/index.ts'
import { createAgentAccess } from './access.ts'
import type { Aggregate } from './aggregate/index.ts'
import type { Backends, McpGatewayOptions } from './types.ts'
import type { ServedWay } from './access.ts'
import { createVisibility } from './visibility.ts'

export function lateAggregate(options: McpGatewayOptions, { backends, way }: { backends: Backends; way: ServedWay }) {
  const { platform, routes, events, vouch } = options
  let client: HttpClient | null = null
  let loading: Promise<Aggregate> | null = null
  let loaded: Aggregate | null = null

  async function load(): Promise<Aggregate> {
    const { createAggregate } = await import('./aggregate/index.ts')
    const access = createAgentAccess({
      routes,
      vouch,
      way,
      demand: options.demand,
      net: platform.net,
      visibility: createVisibility(options.policy),
      client: () => (client ??= platform.net.createHttpClient()),
      backend: (kind) => backends[kind],
      onChange: (listener) =>
        events.on(({ type }) => {
          if (type === 'routing.changed' || type.startsWith('agent.')) listener()
        }),
    })
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
      client?.close()
    },
  }
}
