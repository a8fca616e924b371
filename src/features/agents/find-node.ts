/** Whether an instance's image has Node (18 or later), without which its tools run through the engine's exec. */
import { delay, until } from '../../core/time.ts'
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import type { Network } from '../../platform/index.ts'
import { type Endpoint, isReady, PROBE_PACE } from './readiness.ts'

/**
 * Time for the AgentServer to answer, ms, before the image is looked into. An answer proves Node as well and costs nothing,
 * while a program started in a container that is just starting takes its processor time.
 */
const LOOK_AFTER_MS = 250
/** The same question as in `src/agent/AgentServer.sh`: the two must agree on who runs the tools. */
const HAS_NODE = 'case $(node --version 2>/dev/null) in v[0-9].* | v1[0-7].* | "") exit 1 ;; v*) exit 0 ;; esac; exit 1'
const GIVE_UP_MS = 60_000

export interface Started {
  readonly adapter: RuntimeAdapter
  readonly workload: Workload
  /** Where the AgentServer would answer; null when nothing is published. */
  readonly endpoint: Endpoint | null
  readonly signal?: AbortSignal
}

/** Whatever tells first. Null: the image could not be looked into. */
export async function findNode(net: Network, started: Started): Promise<boolean | null> {
  const over = new AbortController()
  const signal = started.signal === undefined ? over.signal : AbortSignal.any([started.signal, over.signal])
  const looked = look({ ...started, signal })
  try {
    return await Promise.race([answer(net, { ...started, signal }).catch(() => looked), looked])
  } finally {
    over.abort()
  }
}

async function answer(net: Network, { endpoint, signal }: Started): Promise<true> {
  if (endpoint === null) throw new Error('Nothing is published')
  const probe = { net, protocol: 'mcp', endpoint, path: '/', mcpPath: '/mcp', signal } as const
  const options = { ...PROBE_PACE, timeoutMs: GIVE_UP_MS, what: 'the AgentServer', ...(signal ? { signal } : {}) }
  return await until(async () => ((await isReady(probe)) ? true : null), options)
}

async function look({ adapter, workload, endpoint, signal }: Started): Promise<boolean | null> {
  const options = signal === undefined ? {} : { signal }
  try {
    if (endpoint !== null) await delay(LOOK_AFTER_MS, signal)
    const session = await adapter.exec(workload.name, ['sh', '-c', HAS_NODE], options)
    return (await session.exit) === 0
  } catch {
    return null
  }
}
