/** The end of a program on standard streams whose input has ended. */
import { pause } from '../../core/time.ts'
import type { ExecSession } from '../../../runtimes/adapter.ts'

/** It ends by itself, or is killed after `graceMs`. */
export async function endOf(session: ExecSession, graceMs: number): Promise<void> {
  const over = new AbortController()
  const gone = session.exit.then(
    () => true,
    () => true,
  )
  const isGone = await Promise.race([gone, pause(graceMs, over.signal).then(() => false)])
  over.abort()
  if (!isGone) await session.kill()
}
