/**
 * The engine's API served by the engine's own program on a socket of ours, for engines without a daemon whose socket is
 * not set up. Started at the first terminal; it ends by itself soon after its last use, also when we are killed.
 */
import { until } from '../../src/core/time.ts'
import { createApi, type EngineApi } from './api.ts'
import { bufferBytes } from './bytes.ts'
import type { Engine } from './dialect.ts'

const START_MS = 10_000
/** Unix socket paths are limited to 107 bytes; a deep workspace folder would not fit. */
const MAX_SOCKET_PATH = 100

export interface Service {
  /** Null when this engine cannot serve, or did not. */
  open(): Promise<EngineApi | null>
}

/** A private folder of our own: beside our state where the path is short enough, so that nothing is left elsewhere. */
function socketFolder({ platform, stateDir }: Engine): string {
  const name = `api-${platform.hash.randomToken(6)}`
  const near = `${stateDir}/${name}`
  if (near.length + 9 <= MAX_SOCKET_PATH) return near
  return `${platform.env['XDG_RUNTIME_DIR'] || platform.os.tempDir}/ploinky-${name}`
}

export function createService(engine: Engine): Service {
  const { platform, dialect, log } = engine
  let running: Promise<EngineApi | null> | undefined

  async function start(): Promise<EngineApi | null> {
    const folder = socketFolder(engine)
    const socket = `${folder}/api.sock`
    const args = dialect.serviceArgs(socket)
    if (args === null || socket.length > MAX_SOCKET_PATH) return null
    await platform.fs.mkdir(folder, { mode: 0o700 })
    const child = engine.stream(args, {})
    for (const output of [child.stdout, child.stderr]) bufferBytes(output).discard()
    let ended = false
    let ready = false
    const forget = engine.track(async () => {
      child.kill('SIGTERM')
      await child.exit.catch(() => 1)
      await platform.fs.remove(folder)
    })
    const over = child.exit
      .catch(() => 1)
      .then(async () => {
        // An idle service has ended by itself: the next terminal starts another.
        if (ready) running = undefined
        ended = true
        forget()
        await platform.fs.remove(folder)
      })
    over.catch(() => {})
    const api = createApi(platform.net, socket)
    const ping = async (): Promise<boolean | null> => {
      if (ended) return false
      const answer = await api.call('GET', '/_ping').catch(() => null)
      return answer?.status === 200 ? true : null
    }
    const what = `${dialect.displayName} API service`
    ready = await until(ping, { timeoutMs: START_MS, what }).catch(() => false)
    if (ready) return api
    child.kill('SIGTERM')
    log.warn('the engine API could not be served', { program: engine.program })
    return null
  }

  return {
    async open() {
      running ??= start().catch((error: unknown) => {
        log.warn('the engine API could not be served', { error })
        return null
      })
      // Not tried again when it failed: every terminal would wait for it, and there is another way.
      return running
    },
  }
}
