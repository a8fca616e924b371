/** The router as a background process: started once, found again, stopped; never mistaken for somebody else's process. */
import type { WorkspacePaths } from '../../config/paths.ts'
import { SETTINGS } from '../../config/settings.ts'
import { fromErrorBody, isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { parseJson } from '../../core/json.ts'
import { until } from '../../core/time.ts'
import type { Platform } from '../../platform/index.ts'

/** Time for the router to listen, ms; it takes a tenth of a second on an idle machine. */
const START_TIMEOUT_MS = 30_000
/** Time for open requests to finish when it stops, ms (plus a margin before it is killed). */
export const STOP_GRACE_MS = 3000
const KILL_AFTER_MS = STOP_GRACE_MS + 7000

/** What a running router writes into `running/router.json`. */
export interface RouterInfo {
  readonly pid: number
  /** Start time of the process: a pid that was given to another program is not ours. */
  readonly startTicks: string | null
  readonly host: string
  readonly port: number
  readonly version: string
  readonly startedAt: string
}

export interface RouterDaemon {
  /** The running router, or null. */
  info(): Promise<RouterInfo | null>
  /** Starts it in the background unless it runs; fails with the router's own error. */
  start(args: readonly string[]): Promise<{ info: RouterInfo; started: boolean }>
  stop(signal?: AbortSignal): Promise<boolean>
}

export interface DaemonOptions {
  platform: Platform
  paths: WorkspacePaths
  events: EventBus
}

/** Strict: what it says decides which process is signalled and where the operator's token is sent. */
function toInfo(text: string): RouterInfo | null {
  const json = parseJson(text)
  if (!json.ok || typeof json.value !== 'object' || json.value === null) return null
  const { pid, startTicks, host, port, version, startedAt } = json.value as Record<string, unknown>
  if (!Number.isSafeInteger(pid) || Number(pid) <= 1) return null
  if (SETTINGS.port.parse(String(port)) === null || typeof host !== 'string' || SETTINGS.host.parse(host) === null)
    return null
  return {
    pid: Number(pid),
    startTicks: typeof startTicks === 'string' ? startTicks : null,
    host,
    port: Number(port),
    version: String(version),
    startedAt: String(startedAt),
  }
}

/** The router that the workspace's file names, if that very process still runs. */
export async function findRouter(platform: Platform, paths: WorkspacePaths): Promise<RouterInfo | null> {
  const text = await platform.fs.readText(paths.routerInfo).catch((error: unknown) => {
    // Something else in its place names nobody.
    if (isPloinkyError(error) && error.details['reason'] !== undefined) return null
    throw error
  })
  const found = text === null ? null : toInfo(text)
  if (found === null) return null
  const process = await platform.processes.info(found.pid)
  // Where the system tells start times, a file without one is no proof: the pid may be anybody's.
  return process === null || process.startTicks !== found.startTicks ? null : found
}

export function createRouterDaemon({ platform, paths, events }: DaemonOptions): RouterDaemon {
  const info = (): Promise<RouterInfo | null> => findRouter(platform, paths)

  /** Errors that the router meets before it listens come back through a file, since it has no terminal. */
  async function failure(file: string): Promise<PloinkyError | null> {
    const text = await platform.fs.readText(file)
    const json = text === null ? null : parseJson(text)
    if (json === null || !json.ok) return null
    return fromErrorBody(json.value, 'ROUTER_FAILED')
  }

  return {
    info,
    async start(args) {
      const running = await info()
      if (running !== null) return { info: running, started: false }
      await platform.fs.mkdir(paths.running)
      const errorFile = `${paths.running}/router-error-${platform.hash.randomToken(6)}.json`
      const spec = platform.selfCommand(['--workspace', paths.root, 'router-serve', '--error-file', errorFile, ...args])
      const { pid } = await platform.processes.detach(
        { ...spec, cwd: paths.root, env: { ...platform.env } },
        { stdout: paths.routerLog, stderr: paths.routerLog },
      )
      try {
        const found = await until(
          async () => {
            const listening = await info()
            if (listening !== null && listening.pid === pid) return listening
            const failed = await failure(errorFile)
            if (failed !== null) throw failed
            if ((await platform.processes.info(pid)) !== null) return null
            // It ended between the two looks: its own word first.
            throw (
              (await failure(errorFile)) ??
              new PloinkyError('ROUTER_FAILED', 'The router ended while it started', {
                hint: 'Run: ploinky logs router',
              })
            )
          },
          {
            timeoutMs: START_TIMEOUT_MS,
            intervalMs: 5,
            maxIntervalMs: 50,
            what: 'the router does not listen; see: ploinky logs router',
          },
        )
        events.emit({ type: 'router.started', subject: 'router', data: { pid, port: found.port } })
        return { info: found, started: true }
      } finally {
        await platform.fs.remove(errorFile)
      }
    },
    async stop(signal) {
      const running = await info()
      if (running === null) return false
      platform.processes.signal(running.pid, 'SIGTERM')
      // The process itself, not its file: it removes the file before it has ended.
      const gone = async (): Promise<true | null> => {
        const now = await platform.processes.info(running.pid)
        return now === null || (running.startTicks !== null && now.startTicks !== running.startTicks) ? true : null
      }
      const options = {
        intervalMs: 10,
        maxIntervalMs: 100,
        what: `the router (process ${running.pid}) does not end`,
        ...(signal === undefined ? {} : { signal }),
      }
      try {
        await until(gone, { ...options, timeoutMs: KILL_AFTER_MS })
      } catch (error) {
        if (signal?.aborted) throw error
        platform.processes.signal(running.pid, 'SIGKILL')
        await until(gone, { ...options, timeoutMs: 5000 })
      }
      await platform.fs.remove(paths.routerInfo)
      await platform.fs.remove(paths.routerPid)
      events.emit({ type: 'router.stopped', subject: 'router' })
      return true
    },
  }
}
