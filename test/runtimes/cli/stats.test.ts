import { expect, it } from 'vitest'
import { cpuPercent, parseSample, parseStats, type Sample } from '../../../runtimes/cli/stats.ts'
import { recorded } from './support.ts'

const source = { runtime: 'x', command: 'x stats' }

it.each(['docker/20.10.24', 'podman/4.3.1'])('reads what %s says', (version) => {
  const stats = parseStats(recorded(`${version}/stats.json`), source)
  expect(stats.memoryBytes).toBeGreaterThan(100_000)
  expect(stats.memoryBytes).toBeLessThan(10_000_000)
  expect(stats.pids).toBe(2)
  expect(stats.cpuPercent).not.toBeNull()
})

it('knows units, and says when it does not know', () => {
  const line = (memory: string, cpu: string, pids: string): string =>
    JSON.stringify({ MemUsage: memory, CPUPerc: cpu, PIDs: pids })
  expect(parseStats(line('1.5MiB / 2GiB', '12.50%', '7'), source)).toEqual({
    cpuPercent: 12.5,
    memoryBytes: 1_572_864,
    pids: 7,
  })
  expect(parseStats(line('2GB / 4GB', '0.00%', '1'), source).memoryBytes).toBe(2e9)
  expect(parseStats(line('-- / --', '--', '--'), source)).toEqual({ cpuPercent: null, memoryBytes: null, pids: null })
  expect(() => parseStats('[]', source)).toThrowError(/Cannot read/)
})

it('takes the file cache out of the memory of a sample', () => {
  const body = (stats: Record<string, number>): string =>
    JSON.stringify({
      cpu_stats: { cpu_usage: { total_usage: 5e6 } },
      memory_stats: { usage: 1000, stats },
      pids_stats: { current: 3 },
    })
  expect(parseSample(body({ total_inactive_file: 400 }), source, 1)).toEqual({
    cpuNanoseconds: 5e6,
    readAt: 1,
    memoryBytes: 600,
    pids: 3,
  })
  expect(parseSample(body({ inactive_file: 100 }), source, 1).memoryBytes).toBe(900)
})

it('measures the processor between two samples', () => {
  const sample = (cpuNanoseconds: number, readAt: number): Sample => ({
    cpuNanoseconds,
    readAt,
    memoryBytes: 0,
    pids: 0,
  })
  expect(cpuPercent(undefined, sample(1, 1))).toBeNull()
  expect(cpuPercent(sample(0, 0), sample(1e9, 2000))).toBe(50)
  expect(cpuPercent(sample(5, 0), sample(0, 2000))).toBeNull()
  expect(cpuPercent(sample(0, 5), sample(5, 5))).toBeNull()
})
