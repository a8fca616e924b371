/** How a run ended, as its engine and its log tell. */
import type { RuntimeAdapter, Workload } from '../../../runtimes/adapter.ts'
import { type LastExit, signalOf } from '../../core/last-exit.ts'

/** Lines of its log that are kept with an end, and how much of each. */
const LINES = 12
const LINE_LENGTH = 500
/** A log that cannot be read must not hold a restart up. */
const READ_MS = 2000

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
    lines: workload === null ? [] : await lastLines(adapter, workload.name),
  }
}

async function lastLines(adapter: RuntimeAdapter, name: string): Promise<string[]> {
  const lines: string[] = []
  try {
    for await (const { text } of adapter.logs(name, { tail: LINES, signal: AbortSignal.timeout(READ_MS) }))
      lines.push(text.slice(0, LINE_LENGTH))
  } catch {
    // The container was removed meanwhile: the rest is known all the same.
  }
  return lines.slice(-LINES)
}

/** Milliseconds of the run that ended; 0 when nobody knows. */
export function ranFor(workload: Workload | null, begin: number | null, now: number): number {
  const startedAt = workload?.startedAt ? Date.parse(workload.startedAt) : begin
  const finishedAt = workload?.finishedAt ? Date.parse(workload.finishedAt) : now
  return startedAt === null ? 0 : Math.max(0, finishedAt - startedAt)
}
