/** Whether an engine's API socket is there for us. */
import type { Engine } from './dialect.ts'

const PING_TIMEOUT_MS = 5_000

/** The path when an engine answers on it, otherwise null: without the API everything goes through the CLI. */
export async function reachableSocket(engine: Engine, path: string | null): Promise<string | null> {
  if (path === null || path === '') return null
  // Another program in the engine's place may speak to another engine, or none: its word alone counts.
  if (engine.program !== engine.dialect.program) return null
  const answer = await engine.platform.net
    .request({
      socketPath: path,
      method: 'GET',
      path: '/_ping',
      headers: { host: 'localhost' },
      timeoutMs: PING_TIMEOUT_MS,
    })
    .catch(() => null)
  if (answer === null) return null
  await answer.text().catch(() => '')
  return answer.status === 200 ? path : null
}
