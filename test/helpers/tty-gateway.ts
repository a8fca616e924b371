/** The gateway of terminals with its manager, over an adapter that a test gives; connections end in memory. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RuntimeAdapter, Workload } from '../../runtimes/adapter.ts'
import { createEventBus } from '../../src/core/events.ts'
import { silentLogger } from '../../src/core/log.ts'
import type { Principal } from '../../src/core/principal.ts'
import { createTerminalGateway } from '../../src/features/terminals/gateway.ts'
import { createLeftovers } from '../../src/features/terminals/leftovers.ts'
import { loadTerminalLibrary } from '../../src/features/terminals/library.ts'
import { createManager } from '../../src/features/terminals/manager.ts'
import { createShares } from '../../src/features/terminals/shares.ts'
import type { TerminalRequest } from '../../src/http/terminal-gateway.ts'
import type { WebSocketListener, WebSocketPeer } from '../../src/platform/index.ts'
import { createFileSystem } from '../../src/platform/files.ts'
import { hashing as hash } from '../../src/platform/hashing.ts'

export interface Told {
  readonly message: unknown
  readonly close: { readonly code: number; readonly reason: string }
}

export async function createGatewayOf(adapter: RuntimeAdapter) {
  const dir = await mkdtemp(join(tmpdir(), 'ploinky-test-gateway-'))
  const [fs, log] = [createFileSystem(), silentLogger]
  const leftovers = createLeftovers({ fs, log, path: join(dir, 'open.json') })
  const manager = createManager({
    ...{ hash, log, leftovers, events: createEventBus(), library: await loadTerminalLibrary() },
    shares: createShares(hash),
    limits: { scrollback: 10, commands: [], most: 10, mostOfAgent: 10, detachedSeconds: 60, totalSeconds: 0 },
    record: () => Promise.reject(new Error('nothing is recorded here')),
    target: async (agent) => ({
      agent,
      adapter,
      workload: { name: agent } as Workload,
      cli: ['sh'],
      use: () => () => {},
    }),
  })
  /** What a page is told, and how its connection ends. */
  const open = (principal: Principal | null): Promise<Told> =>
    new Promise((resolve) => {
      let message: unknown = null
      const gateway = createTerminalGateway({
        log,
        manager: async () => manager,
        net: {
          acceptWebSocket: async (_request, _options, onOpen) => {
            const peer: WebSocketPeer = {
              ...{ protocol: 'ploinky.tty.v1', buffered: 0, ping: () => {}, terminate: () => {} },
              send: (data: string | Uint8Array) => void (message = JSON.parse(String(data))),
              close(code: number, reason: string) {
                listener.closed(code, reason)
                gateway.close()
                resolve({ message, close: { code, reason } })
              },
            }
            const listener: WebSocketListener = onOpen(peer)
            return peer
          },
        },
      })
      gateway.upgrade({ agent: 'demo', principal, query: new URLSearchParams(), requestId: 'r1' } as TerminalRequest)
    })
  return {
    ...{ manager, open },
    async leftovers(): Promise<string> {
      await leftovers.settled()
      return await readFile(join(dir, 'open.json'), 'utf8')
    },
    async close(): Promise<void> {
      await manager.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
