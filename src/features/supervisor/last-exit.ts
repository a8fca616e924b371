/** How a run ended, as its engine and its log tell. */
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { type LastExit, signalOf } from '../../core/last-exit.ts'
import { readLastLines } from '../../core/last-lines.ts'

export async function lastExitOf(ended: {
  adapter: RuntimeAdapter
  workload: Workload | null
  now: number
}): Promise<LastExit> {
  const { adapter, workload, now } = ended
  return {
    at: workload?.finishedAt ?? new Date(now).toISOString(),
    exitCode: workload?.exitCode ?? null,
    signal: signalOf(workload?.exitCode ?? null),
    oomKilled: workload?.oomKilled ?? false,
    removed: workload === null,
    lines:
      workload === null ? [] : await readLastLines((tail, signal) => adapter.logs(workload.name, { tail, signal })),
  }
}

/** Milliseconds of the run that ended; 0 when nobody knows. */
export function ranFor(workload: Workload | null, begin: number | null, now: number): number {
  const startedAt = workload?.startedAt ? Date.parse(workload.startedAt) : begin
  const finishedAt = workload?.finishedAt ? Date.parse(workload.finishedAt) : now
  return startedAt === null ? 0 : Math.max(0, finishedAt - startedAt)
}
