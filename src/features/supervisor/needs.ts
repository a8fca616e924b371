/** What a manifest asks of the supervisor, with the defaults of one that says nothing. */
import type { Health, Manifest as NormalManifest, RestartPolicy } from '../../config/manifest/types.ts'

export const NO_HEALTH: Health = { startup: null, liveness: null, readiness: null }
/** The numbers of the original's watchdog. */
export const DEFAULT_RESTART: RestartPolicy = {
  policy: 'always',
  maxRestarts: 5,
  windowSeconds: 60,
  backoffSeconds: 1,
  maxBackoffSeconds: 30,
  resetSeconds: 60,
}

export interface Needs {
  readonly health: Health
  readonly restart: RestartPolicy
}

export function needsOf(manifest: object): Needs {
  const { health = NO_HEALTH, restart = DEFAULT_RESTART } = manifest as Partial<NormalManifest>
  return { health, restart }
}
