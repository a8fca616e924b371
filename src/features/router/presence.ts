/** Keeps a running router findable: its files are written again when they get lost; when the workspace is gone, it ends. */
import type { WorkspacePaths } from '../../config/paths.ts'
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { Platform } from '../../platform/index.ts'
import { findRouter, type RouterInfo } from './daemon.ts'

/** Between two looks, ms. A folder that is moved away and back within two of them is not noticed. */
const LOOK_MS = 2000

export interface PresenceOptions {
  readonly platform: Platform
  readonly paths: WorkspacePaths
  readonly log: Logger
  readonly info: RouterInfo
  readonly intervalMs?: number
}

export interface Presence {
  /** Resolves when the workspace folder is gone for good, or another router serves it. */
  readonly gone: Promise<void>
  close(): void
}

/** Writes the files by which commands find the router. */
export async function writePresence({ fs }: Platform, paths: WorkspacePaths, info: RouterInfo): Promise<void> {
  await fs.writeAtomic(paths.routerPid, `${info.pid}\n`)
  await fs.writeAtomic(paths.routerInfo, textOf(info), { mode: 0o600 })
}

/** Removes them, unless they are another router's by now. */
export async function removePresence(platform: Platform, paths: WorkspacePaths, info: RouterInfo): Promise<void> {
  if (await isAnothers(platform, paths, info)) return
  await platform.fs.remove(paths.routerInfo)
  await platform.fs.remove(paths.routerPid)
}

/** The folder was removed and made anew, and another router serves it: only a process that really runs counts. */
async function isAnothers(platform: Platform, paths: WorkspacePaths, info: RouterInfo): Promise<boolean> {
  const found = await findRouter(platform, paths)
  return found !== null && found.pid !== info.pid
}

const textOf = (info: RouterInfo): string => `${JSON.stringify(info, null, 2)}\n`

export function keepPresence(options: PresenceOptions): Presence {
  const { platform, paths, log, info } = options
  const { fs } = platform
  let missed = 0
  let closed = false
  let busy = false
  let end = (): void => {}
  const gone = new Promise<void>((resolve) => (end = resolve))
  const leave = (why: string): void => {
    log.error(`${why}, this router ends`, { workspace: paths.root })
    close()
    end()
  }

  async function look(): Promise<void> {
    if ((await fs.stat(paths.dir)) === null) {
      // Nothing is written: that would make a part of the folder anew.
      missed += 1
      if (missed >= 2) leave('the workspace folder is gone')
      return
    }
    missed = 0
    const text = await fs.readText(paths.routerInfo).catch(() => null)
    if (text === textOf(info) || closed) return
    if (await isAnothers(platform, paths, info)) return leave('another router serves the workspace now')
    log.warn('router.json was lost or changed; it is written again', {})
    await writePresence(platform, paths, info)
  }

  const check = (): void => {
    if (busy) return
    busy = true
    look()
      .catch((error: unknown) => log.warn('the files of the router cannot be kept', { error: messageOf(error) }))
      .finally(() => (busy = false))
  }
  const timer = setInterval(check, options.intervalMs ?? LOOK_MS)
  timer.unref?.()
  function close(): void {
    closed = true
    clearInterval(timer)
  }
  return { gone, close }
}
