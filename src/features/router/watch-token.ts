import { basename } from 'node:path'
import type { WorkspacePaths } from '../../config/paths.ts'
import { messageOf } from '../../core/error.ts'
import type { Logger } from '../../core/log.ts'
import type { Platform } from '../../platform/index.ts'
import type { Authenticator } from '../auth/index.ts'

interface WatchTokenOptions {
  platform: Platform
  paths: WorkspacePaths
  log: Logger
  authenticator(): Promise<Authenticator>
}

/** A rotated token takes effect at once: every session signed with the old one ends. */
export function watchToken(
  options: WatchTokenOptions,
  use: (authenticator: Authenticator) => Promise<void>,
): () => void {
  const { platform, paths, log } = options
  const reload = async (): Promise<void> => {
    // Reading the token makes one where there is none: a file (or a workspace) that was removed must not come back.
    if ((await platform.fs.stat(paths.secrets)) !== null) await use(await options.authenticator())
    else log.error('.secrets is gone; the token stays in force until the router ends', {})
  }
  try {
    return platform.fs.watch(paths.dir, (name) => {
      if (name !== null && name !== basename(paths.secrets)) return
      reload().catch((error: unknown) => log.error('token not reloaded', { error: messageOf(error) }))
    })
  } catch (error) {
    log.warn('secrets are not watched; restart the router after rotating the token', { error: messageOf(error) })
    return () => {}
  }
}
