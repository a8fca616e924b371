/** Is an instance ready? One probe; waiting is `until` around it. */
import type { Readiness } from '../../config/manifest.ts'
import type { Network } from '../../platform/index.ts'

const PROBE_TIMEOUT_MS = 1000
const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'ploinky-probe', version: '1' } },
})

export interface Endpoint {
  readonly host: string
  readonly port: number
}

async function answersHttp(net: Network, endpoint: Endpoint, path: string, signal?: AbortSignal): Promise<boolean> {
  const answer = await net.request({
    ...endpoint,
    method: 'GET',
    path,
    timeoutMs: PROBE_TIMEOUT_MS,
    ...(signal ? { signal } : {}),
  })
  await answer.text(1024 * 1024).catch(() => '')
  return answer.status < 500
}

/** A full `initialize`, not only an open port: engines' port forwarders accept connections before the program listens. */
async function answersMcp(net: Network, endpoint: Endpoint, path: string, signal?: AbortSignal): Promise<boolean> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const common = { ...endpoint, path, timeoutMs: PROBE_TIMEOUT_MS, ...(signal ? { signal } : {}) }
  const answer = await net.request({ ...common, method: 'POST', headers, body: INITIALIZE })
  await answer.text(1024 * 1024).catch(() => '')
  const session = answer.headers['mcp-session-id']
  if (session !== undefined) {
    // The probe's session would otherwise stay in the agent until it times out.
    const ended = await net
      .request({ ...common, method: 'DELETE', headers: { 'mcp-session-id': session } })
      .catch(() => null)
    await ended?.text(1024).catch(() => '')
  }
  return answer.status === 200
}

export async function isReady(
  net: Network,
  protocol: Readiness['protocol'],
  target: { endpoint: Endpoint; path: string; mcpPath: string },
  signal?: AbortSignal,
): Promise<boolean> {
  try {
    switch (protocol) {
      case 'none':
        return true
      case 'tcp':
        return await net.isListening(target.endpoint.host, target.endpoint.port, PROBE_TIMEOUT_MS)
      case 'http':
        return await answersHttp(net, target.endpoint, target.path, signal)
      case 'mcp':
        return await answersMcp(net, target.endpoint, target.mcpPath, signal)
    }
  } catch (error) {
    if (signal?.aborted) throw error
    // Refused, reset, not HTTP yet: simply not ready.
    return false
  }
}
