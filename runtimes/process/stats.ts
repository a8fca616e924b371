/** Memory and processor time of an instance: the sum over its processes, from /proc. */
import { delay } from '../../src/core/time.ts'
import type { WorkloadStats } from '../adapter.ts'
import { WORKLOAD_TAG } from './processes.ts'
import { readState, type ProcessContext } from './state.ts'

/** Clock ticks a second in /proc/<pid>/stat: fixed at 100 for programs on every architecture that we run on (man 7 time, USER_HZ). */
const TICKS_PER_SECOND = 100
/** The first question has nothing to compare with. */
const FIRST_WINDOW_MS = 200
const MIN_WINDOW_MS = 50

interface Sample {
  readonly run: string
  readonly atMs: number
  /** By process: one that ended takes its time with it and must not make the sum shrink. */
  readonly ticks: ReadonlyMap<number, number>
}

export function createProcessStats(context: ProcessContext) {
  const { platform, processes, records } = context
  const samples = new Map<string, Sample>()
  const readText = (path: string): Promise<string | null> => platform.fs.readText(path).catch(() => null)

  async function measure(name: string, run: string): Promise<{ sample: Sample; memoryBytes: number }> {
    const pids = await processes.family({ variable: WORKLOAD_TAG, value: name })
    const ticks = new Map<number, number>()
    let memoryBytes = 0
    for (const pid of pids) {
      const [stat, status] = await Promise.all([readText(`/proc/${pid}/stat`), readText(`/proc/${pid}/status`)])
      if (stat === null || status === null) continue
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      ticks.set(pid, Number(fields[11]) + Number(fields[12]))
      memoryBytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
    }
    return { sample: { run, atMs: performance.now(), ticks }, memoryBytes }
  }

  return async function stats(name: string, signal?: AbortSignal): Promise<WorkloadStats | null> {
    const record = await records.read(name)
    if (record === null || !processes.hasProc) return null
    if ((await readState(context, record)).state !== 'running') return null
    let before = samples.get(name)
    if (before?.run !== record.run) {
      before = (await measure(name, record.run)).sample
      await delay(FIRST_WINDOW_MS, signal)
    }
    const { sample, memoryBytes } = await measure(name, record.run)
    const seconds = (sample.atMs - before.atMs) / 1000
    if (seconds * 1000 >= MIN_WINDOW_MS) samples.set(name, sample)
    let used = 0
    for (const [pid, ticks] of sample.ticks) used += Math.max(0, ticks - (before.ticks.get(pid) ?? 0))
    const cpuPercent = seconds > 0 ? (used / TICKS_PER_SECOND / seconds) * 100 : null
    return { cpuPercent, memoryBytes, pids: sample.ticks.size }
  }
}
