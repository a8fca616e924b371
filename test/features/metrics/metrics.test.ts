import { describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../../../src/core/log.ts'
import { bucketOf, BUCKETS, quantile, valueOf } from '../../../src/features/metrics/histogram.ts'
import { createHistory, type Point } from '../../../src/features/metrics/history.ts'
import { createMetrics, type Sample } from '../../../src/features/metrics/index.ts'
import { createTraffic } from '../../../src/features/metrics/traffic.ts'

describe('times in buckets', () => {
  it('are told with an error of an eighth at most', () => {
    for (let value = 0.004; value < 60_000; value *= 1.37) {
      const told = valueOf(bucketOf(value))
      expect(Math.abs(told - value) / value).toBeLessThanOrEqual(0.13)
    }
  })

  it.each([0, -1, Number.NaN, 1e12, Number.POSITIVE_INFINITY])('are in a bucket whatever they are: %d', (value) => {
    expect(bucketOf(value)).toBeGreaterThanOrEqual(0)
    expect(bucketOf(value)).toBeLessThan(BUCKETS)
  })

  it('give quantiles, and none of nothing', () => {
    const counts = new Uint32Array(BUCKETS)
    expect(quantile(counts, 0.5)).toBeNull()
    for (let value = 1; value <= 100; value++) counts[bucketOf(value)] = (counts[bucketOf(value)] ?? 0) + 1
    expect(Math.abs((quantile(counts, 0.5) ?? 0) - 50)).toBeLessThan(8)
    expect(Math.abs((quantile(counts, 0.95) ?? 0) - 95)).toBeLessThan(13)
  })
})

describe('traffic', () => {
  it('is summed up for each agent and for all, and begins anew', () => {
    const traffic = createTraffic()
    for (let i = 0; i < 9; i++) traffic.record('a', 200, 10)
    traffic.record('a', 503, 500)
    traffic.record('b', 0, 1)
    traffic.record('b', 404, 1)
    const { agents, total } = traffic.roll()
    expect(agents.get('a')).toMatchObject({ requests: 10, errors: 1 })
    expect(agents.get('a')?.p50).toBeCloseTo(10, -1)
    expect(agents.get('b')).toMatchObject({ requests: 2, errors: 1 })
    expect(total).toMatchObject({ requests: 12, errors: 2 })
    expect(traffic.roll()).toMatchObject({ total: { requests: 0, p50: null } })
  })
})

const point = (cpuPercent: number | null, requests: number): Point => ({
  ...{ cpuPercent, memoryBytes: 5, requests, errors: 0, p50Ms: null, p95Ms: null },
})

describe('the hour', () => {
  it('is a ring: what is older is forgotten, gaps are gaps', () => {
    const history = createHistory(6)
    history.write(0, new Map([['a', point(1, 1)]]))
    history.write(3, new Map([['a', point(4, 4)]]))
    expect(history.read('a', 3, 1)?.cpuPercent).toEqual([null, null, 1, null, null, 4])
    history.write(7, new Map([['a', point(8, 8)]]))
    expect(history.read('a', 7, 1)?.cpuPercent).toEqual([null, 4, null, null, null, 8])
    // Slots that came since tell nothing of it.
    expect(history.read('a', 9, 1)?.cpuPercent).toEqual([null, null, null, 8, null, null])
    history.write(14, new Map([['b', point(0, 0)]]))
    expect(history.names()).toEqual(['b'])
  })

  it('joins slots: counts are summed, the rest is told by its mean or its most', () => {
    const history = createHistory(6)
    for (let slot = 0; slot < 6; slot++) history.write(slot, new Map([['a', point(slot, slot)]]))
    expect(history.read('a', 5, 3)).toMatchObject({ cpuPercent: [1, 4], requests: [3, 12], memoryBytes: [5, 5] })
    expect(history.read('nobody', 5, 1)).toBeNull()
  })
})

describe('metrics', () => {
  it('asks what agents use in each slot while somebody looks, and once a minute otherwise', async () => {
    vi.useFakeTimers()
    try {
      const usage = vi.fn(async () => [{ agent: 'a', cpuPercent: 3, memoryBytes: 7 }])
      const metrics = createMetrics({ log: silentLogger, usage })
      metrics.traffic.record('a', 200, 4)
      await vi.advanceTimersByTimeAsync(120_000)
      expect(usage.mock.calls.length).toBeLessThanOrEqual(3)
      const seen: Sample[] = []
      const before = usage.mock.calls.length
      const stop = metrics.watch((sample) => seen.push(sample))
      await vi.advanceTimersByTimeAsync(30_000)
      expect(usage.mock.calls.length - before).toBeGreaterThanOrEqual(3)
      expect(seen.at(-1)?.agents['a']).toMatchObject({ cpuPercent: 3, memoryBytes: 7 })
      stop()
      const report = metrics.read({ agents: ['a', 'unknown'], stepSeconds: 60 })
      expect(report.agents.map(({ agent }) => agent)).toEqual(['a'])
      expect(report.agents[0]?.requests.reduce((a, b) => (a ?? 0) + (b ?? 0), 0)).toBe(1)
      metrics.close()
    } finally {
      vi.useRealTimers()
    }
  })

  it('asks less often where asking takes long', async () => {
    vi.useFakeTimers()
    try {
      const usage = vi.fn(async () => {
        await new Promise((resolve) => setTimeout(resolve, 8000))
        return []
      })
      const metrics = createMetrics({ log: silentLogger, usage })
      metrics.watch(() => {})
      await vi.advanceTimersByTimeAsync(120_000)
      expect(usage.mock.calls.length).toBeLessThanOrEqual(4)
      metrics.close()
    } finally {
      vi.useRealTimers()
    }
  })
})
