/** The router as a background process: started once, found again, stopped; never mistaken for somebody else's process. */
import type { WorkspacePaths } from '../../config/paths.ts'
import { SETTINGS } from '../../config/settings.ts'
import { fromErrorBody, isPloinkyError, PloinkyError } from '../../core/error.ts'
import type { EventBus } from '../../core/events.ts'
import { parseJson } from '../../core/json.ts'
import { until } from '../../core/time.ts'
import type { Platform } from '../../platform/index.ts'
import { reachable } from './address.ts'
import { watchdogArgs } from './watchdog.ts'

/** Time for the router to listen, ms; it takes a tenth of a second on an idle machine. */
const START_TIMEOUT_MS = 30_000
/** Time for open requests to finish when it stops, ms (plus a margin before it is killed). */
export const STOP_GRACE_MS = 3000
const KILL_AFTER_MS = STOP_GRACE_MS + 7000
const HEALTH_TIMEOUT_MS = 5000

/** What a running router writes into `running/router.json`. */
export interface RouterInfo {
  readonly pid: number
  /** Start time of the process: a pid that was given to another program is not ours. */
  readonly startTicks: string | null
  readonly host: string
  readonly port: number
  readonly version: string
  readonly startedAt: string
  /** Who starts it again when it crashes; null for a router in the foreground. */
  readonly watchdog: { readonly pid: number; readonly startTicks: string | null } | null
}

export interface RouterDaemon {
  /** The running router, or null. */
  info(): Promise<RouterInfo | null>
  /** Starts it in the background unless it runs; fails with the router's own error. */
  start(args: readonly string[]): Promise<{ info: RouterInfo; started: boolean }>
  stop(signal?: AbortSignal): Promise<boolean>
  /** Ends a watchdog that waits to start a crashed router again: whoever asks starts one now. */
  takeOver(): Promise<void>
  /** Whether the running router answers. */
  isHealthy(): Promise<boolean>
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
  const { pid, startTicks, host, port, version, startedAt, watchdog } = json.value as Record<string, unknown>
  if (!isPid(pid)) return null
  if (SETTINGS.port.parse(String(port)) === null || typeof host !== 'string' || SETTINGS.host.parse(host) === null)
    return null
  return {
    pid,
    startTicks: typeof startTicks === 'string' ? startTicks : null,
    host,
    port: Number(port),
    version: String(version),
    startedAt: String(startedAt),
    watchdog: toWatchdog(watchdog),
  }
}

const isPid = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) > 1

function toWatchdog(value: unknown): RouterInfo['watchdog'] {
  if (typeof value !== 'object' || value === null) return null
  const { pid, startTicks } = value as Record<string, unknown>
  return isPid(pid) ? { pid, startTicks: typeof startTicks === 'string' ? startTicks : null } : null
}

/** Whether that very process still runs. */
async function isRunning(platform: Platform, named: { pid: number; startTicks: string | null }): Promise<boolean> {
  const process = await platform.processes.info(named.pid)
  // Where the system tells start times, a file without one is no proof: the pid may be anybody's.
  return process !== null && process.startTicks === named.startTicks
}

/** What the workspace's file says, whether or not that router still runs. */
async function readInfo(platform: Platform, paths: WorkspacePaths): Promise<RouterInfo | null> {
  const text = await platform.fs.readText(paths.routerInfo).catch((error: unknown) => {
    // Something else in its place names nobody.
    if (isPloinkyError(error) && error.details['reason'] !== undefined) return null
    throw error
  })
  return text === null ? null : toInfo(text)
}

/** The router that the workspace's file names, if that very process still runs. */
export async function findRouter(platform: Platform, paths: WorkspacePaths): Promise<RouterInfo | null> {
  const found = await readInfo(platform, paths)
  return found !== null && (await isRunning(platform, found)) ? found : null
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

  async function findWatchdog(): Promise<RouterInfo['watchdog']> {
    const watchdog = (await readInfo(platform, paths))?.watchdog ?? null
    return watchdog !== null && (await isRunning(platform, watchdog)) ? watchdog : null
  }

  /** The processes themselves, not the file: the router removes that before it has ended. */
  async function end(processes: readonly { pid: number; startTicks: string | null }[], signal?: AbortSignal) {
    const gone = async (): Promise<true | null> => {
      const left = await Promise.all(processes.map((item) => isRunning(platform, item)))
      return left.includes(true) ? null : true
    }
    const options = {
      intervalMs: 10,
      maxIntervalMs: 100,
      what: `the router (process ${processes.map(({ pid }) => pid).join(', ')}) does not end`,
      ...(signal === undefined ? {} : { signal }),
    }
    // The watchdog passes it on; a router that is asked twice does not wait for its open requests.
    const [asked] = processes
    if (asked !== undefined) platform.processes.signal(asked.pid, 'SIGTERM')
    try {
      await until(gone, { ...options, timeoutMs: KILL_AFTER_MS })
    } catch (error) {
      if (signal?.aborted) throw error
      for (const item of processes) if (await isRunning(platform, item)) platform.processes.signal(item.pid, 'SIGKILL')
      await until(gone, { ...options, timeoutMs: 5000 })
    }
  }

  async function takeOver(): Promise<void> {
    const watchdog = await findWatchdog()
    if (watchdog !== null && (await info()) === null) await end([watchdog])
  }

  return {
    info,
    takeOver,
    async isHealthy() {
      const running = await info()
      if (running === null) return false
      try {
        const { port } = running
        const call = {
          host: reachable(running.host),
          port,
          method: 'GET',
          path: '/health',
          timeoutMs: HEALTH_TIMEOUT_MS,
        }
        const answer = await platform.net.request(call)
        await answer.text(64 * 1024)
        return answer.status === 200
      } catch {
        return false
      }
    },
    async start(args) {
      const running = await info()
      if (running !== null) return { info: running, started: false }
      await platform.fs.mkdir(paths.running)
      const errorFile = `${paths.running}/router-error-${platform.hash.randomToken(6)}.json`
      await takeOver()
      const command = platform.selfCommand(['--workspace', paths.root, 'router-serve', ...args])
      const watchdog = watchdogArgs({ errorFile, log: paths.routerLog }, command)
      const { pid } = await platform.processes.detach(
        { file: '/bin/sh', args: watchdog, cwd: paths.root, env: { ...platform.env, ...command.env } },
        { stdout: paths.routerLog, stderr: paths.routerLog },
      )
      try {
        const found = await until(
          async () => {
            const listening = await info()
            if (listening !== null && (listening.watchdog?.pid ?? pid) === pid) return listening
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
        events.emit({ type: 'router.started', subject: 'router', data: { pid: found.pid, port: found.port } })
        return { info: found, started: true }
      } finally {
        await platform.fs.remove(errorFile)
      }
    },
    async stop(signal) {
      const [watchdog, running] = await Promise.all([findWatchdog(), info()])
      const processes = [watchdog, running].filter((item) => item !== null)
      if (processes.length === 0) return false
      await end(processes, signal)
      await platform.fs.remove(paths.routerInfo)
      await platform.fs.remove(paths.routerPid)
      events.emit({ type: 'router.stopped', subject: 'router' })
      return true
    },
  }
}
