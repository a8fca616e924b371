/** Who waits for a job, as the text of a label: the process by what names it for ever on this machine. */
import type { Platform } from '../../src/platform/index.ts'

/** `host pid ticks`; ticks are empty where the system does not tell them. */
export async function ownerOf({ os, pid, processes }: Platform): Promise<string> {
  const info = await processes.info(pid)
  return `${os.hostname} ${pid} ${info?.startTicks ?? ''}`
}

/** True only when it is certain: an owner on another machine, or one that cannot be read, may still be waiting. */
export async function isOwnerGone({ os, processes }: Platform, owner: string): Promise<boolean> {
  const [host, pid, ticks] = owner.split(' ')
  if (host !== os.hostname || !/^[1-9][0-9]{0,9}$/.test(pid ?? '')) return false
  const info = await processes.info(Number(pid))
  return info === null || (info.startTicks ?? '') !== ticks
}
