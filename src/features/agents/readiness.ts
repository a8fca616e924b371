/** Is an instance ready? One probe; waiting is `until` around it. */
import type { RouteEntry } from '../../config/documents.ts'
import type { Readiness } from '../../config/manifest/index.ts'
import type { Network } from '../../platform/index.ts'

const PROBE_TIMEOUT_MS = 2000
/** A forwarder that finds nobody hangs up within milliseconds; that of rootless podman on a busy machine within some hundreds. */
const HOLD_MS = 600
/** For one that was ready once: nobody waits for long to see a status. */
const SHORT_HOLD_MS = 100
/** Pauses between looks at a starting agent: short, then a twentieth of the time waited so far, so that little is lost. */
export const PROBE_PACE = { intervalMs: 10, growth: 1.05, maxIntervalMs: 500 } as const
export const INITIALIZE_ID = 1
/** How a client of any era may begin; who does not know it answers with an error. */
export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: INITIALIZE_ID,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'ploinky-probe', version: '1' } },
})
const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface Probe {
  readonly net: Network
  readonly protocol: Spoken
  readonly endpoint: Endpoint
  /** Of an HTTP probe. */
  readonly path: string
  readonly mcpPath: string
  /** A second by default. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

const callOf = ({ endpoint, timeoutMs, signal }: Probe) => ({
  ...endpoint,
  timeoutMs: timeoutMs ?? PROBE_TIMEOUT_MS,
  ...(signal ? { signal } : {}),
})

async function answersHttp(probe: Probe): Promise<boolean> {
  const answer = await probe.net.request({ ...callOf(probe), method: 'GET', path: probe.path })
  await answer.text(1024 * 1024).catch(() => '')
  return answer.status < 500
}

/** A full `initialize`, not only an open port: engines' port forwarders accept connections before the program listens. */
async function answersMcp(probe: Probe): Promise<boolean> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const common = { ...callOf(probe), path: probe.mcpPath }
  const answer = await probe.net.request({ ...common, method: 'POST', headers, body: INITIALIZE })
  await answer.text(1024 * 1024).catch(() => '')
  const session = answer.headers['mcp-session-id']
  if (session !== undefined) {
    // The probe's session would otherwise stay in the agent until it times out. Nothing waits for its end.
    const end = { ...common, method: 'DELETE', headers: { 'mcp-session-id': session } }
    probe.net
      .request(end)
      .then((ended) => ended.text(1024))
      .catch(() => '')
  }
  return answer.status === 200
}

/** As far as the network can tell. */
export async function isReady(probe: Probe): Promise<boolean> {
  try {
    switch (probe.protocol) {
      case 'none':
      case 'stdio':
        return true
      case 'tcp':
        return await probe.net.keepsConnection(probe.endpoint, { timeoutMs: PROBE_TIMEOUT_MS, holdMs: HOLD_MS })
      case 'http':
        return await answersHttp(probe)
      case 'mcp':
        return await answersMcp(probe)
    }
  } catch (error) {
    if (probe.signal?.aborted) throw error
    // Refused, reset, not HTTP yet: simply not ready.
    return false
  }
}

/**
 * Does an instance that was ready once still answer? Cheaper than asking whether it is ready: no session is made, so none
 * has to be ended, and a server that wants one refuses at once, which is an answer.
 */
export async function isAnswering(probe: Probe): Promise<boolean> {
  if (probe.protocol === 'tcp')
    return await probe.net.keepsConnection(probe.endpoint, { timeoutMs: PROBE_TIMEOUT_MS, holdMs: SHORT_HOLD_MS })
  if (probe.protocol !== 'mcp') return await isReady(probe)
  try {
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const answer = await probe.net.request({
      ...callOf(probe),
      path: probe.mcpPath,
      method: 'POST',
      headers,
      body: PING,
    })
    await answer.text(64 * 1024).catch(() => '')
    return answer.status < 500
  } catch (error) {
    if (probe.signal?.aborted) throw error
    return false
  }
}

/** How readiness is asked: `stdio` is a program on standard streams, which only its runtime reaches (`stdio-ready.ts`). */
export type Spoken = Readiness['protocol'] | 'stdio'

/** Tools that run through exec need no port: an instance that runs is ready. A server on standard streams has none. */
export function effectiveProtocol(protocol: Readiness['protocol'], mcp: RouteEntry['mcp']): Spoken {
  if (protocol !== 'mcp') return protocol
  if (mcp === 'stdio') return 'stdio'
  return mcp === 'exec' ? 'none' : protocol
}
