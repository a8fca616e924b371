/** What a command needs to ask the running router, and nothing else: `status` need not load the rest of the program. */
import { join } from 'node:path'
import { workspacePaths } from './config/paths.ts'
import { createEventBus } from './core/events.ts'
import { operatorToken } from './features/auth/index.ts'
import { createRouterClient } from './features/router/client.ts'
import { createRouterDaemon } from './features/router/daemon.ts'
import { createSecretStore } from './features/secrets/index.ts'
import { findWorkspaceRoot } from './features/workspace/root.ts'
import type { Platform } from './platform/index.ts'
import { VERSION } from './version.ts'

export { createPlatform } from './platform/create.ts'

export interface AskOptions {
  readonly platform: Platform
  /** `--workspace`. */
  readonly workspace: string | undefined
  readonly warn: (message: string) => void
}

/** The answer of this workspace's router to `GET path`; null when none runs, or one of another version does. */
export async function askRouter(path: string, { platform, workspace, warn }: AskOptions): Promise<unknown> {
  const root = await findWorkspaceRoot(platform.fs, {
    flag: workspace,
    env: platform.env['PLOINKY_WORKSPACE'],
    cwd: platform.cwd(),
  })
  const paths = workspacePaths(root)
  const daemon = createRouterDaemon({ platform, paths, events: createEventBus() })
  const running = await daemon.info()
  if (running === null || running.version !== VERSION) return null
  const secrets = createSecretStore({
    fs: platform.fs,
    lock: platform.lock,
    file: paths.secrets,
    lockFile: join(paths.running, 'secrets.lock'),
    masterKey: platform.env['PLOINKY_MASTER_KEY'],
    onWarning: warn,
  })
  const token = () => operatorToken(secrets, platform.hash)
  return await createRouterClient({ net: platform.net, daemon, token }).get(path)
}
