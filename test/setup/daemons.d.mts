export interface Daemon {
  readonly name: string
  readonly pid: number
  readonly startTime: string
}

export function startDaemon(
  name: string,
  argv: readonly string[],
  options?: { uid?: number; gid?: number; env?: NodeJS.ProcessEnv; cwd?: string },
): string
export function ownDaemons(): Daemon[]
export function stopDaemon(daemon: Daemon, graceMs?: number): Promise<boolean>
