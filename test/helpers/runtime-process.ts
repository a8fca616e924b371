/** Doing things to plain processes behind an adapter's back. */
import type { Workload } from '../../runtimes/adapter.ts'
import { until } from '../../src/core/time.ts'
import { testPlatform } from './runtime-engines.ts'

/** The id begins with the leader of the group: program and supervisor die at the same moment. */
export async function killGroup({ id, pid }: Workload): Promise<void> {
  const { processes } = testPlatform
  const leader = Number(id.split('-')[0])
  processes.signal(leader, 'SIGKILL', { group: true })
  await until(async () => ((await processes.info(leader)) ?? (await processes.info(pid ?? 0))) === null || null, {
    timeoutMs: 30_000,
    what: 'the end of the killed processes',
  })
}
