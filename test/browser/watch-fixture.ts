/** What the watching views ask for beside the state: logs that go on, the event log, the last hour. */
import type { Hono } from 'hono'
import { stream } from 'hono/streaming'
import type { StreamingApi } from 'hono/utils/stream'

export interface TestLine {
  source: string
  stream: 'stdout' | 'stderr' | 'log'
  at: string
  text: string
}

const START = Date.parse('2026-01-01T11:00:00Z')
export const timeOf = (milliseconds: number): string => new Date(START + milliseconds).toISOString()

export function line(source: string, index: number, text: string, where: TestLine['stream'] = 'stdout'): TestLine {
  return { source, stream: where, at: timeOf(index * 250), text }
}

export function startWatching() {
  const state = {
    lines: [] as TestLine[],
    events: [] as Record<string, unknown>[],
    report: { at: timeOf(3_600_000), stepSeconds: 10, total: null, agents: [] } as Record<string, unknown>,
    asked: [] as string[],
  }
  const readers = new Set<StreamingApi>()
  const ndjson = (items: readonly unknown[]): string => items.map((item) => `${JSON.stringify(item)}\n`).join('')

  function extend(app: Hono): void {
    app.use('/api/v1/*', async (c, next) => {
      state.asked.push(c.req.url.replace(/^.*\/api\/v1/, ''))
      await next()
    })
    app.get('/api/v1/logs', (c) => {
      const sources = (c.req.query('source') ?? '').split(',')
      const since = c.req.query('since') ?? ''
      return stream(c, async (out) => {
        const wanted = state.lines.filter(({ source, at }) => sources.includes(source) && at >= since)
        await out.write(ndjson(wanted.slice(-Number(c.req.query('lines') ?? 1e6))))
        if (c.req.query('follow') !== 'true') return
        readers.add(out)
        await new Promise<void>((resolve) => out.onAbort(resolve))
        readers.delete(out)
      })
    })
    app.get('/api/v1/events/log', (c) => {
      const [limit, from] = [Number(c.req.query('limit')), Number(c.req.query('before') ?? 0)]
      const type = c.req.query('type') ?? ''
      const found = state.events.filter((event) => String(event['type']).startsWith(type))
      const next = from + limit < found.length ? String(from + limit) : null
      return c.json({ events: found.slice(from, from + limit), next })
    })
    app.get('/api/v1/metrics', (c) => c.json(state.report))
  }

  return {
    state,
    extend,
    readers,
    async write(lines: readonly TestLine[]) {
      state.lines.push(...lines)
      for (const reader of readers) await reader.write(ndjson(lines))
    },
  }
}

/** A wave with a gap, as an hour of ten-second steps. */
export function hour(low: number, high: number, phase = 0): (number | null)[] {
  return Array.from({ length: 360 }, (_, index) => {
    if (index > 120 && index < 140) return null
    const wave = Math.sin(index / 23 + phase) + Math.sin(index / 7 + phase * 2) / 3
    return Math.round((low + ((wave + 1.34) / 2.68) * (high - low)) * 100) / 100
  })
}

export function series(scale: number, phase: number): Record<string, (number | null)[]> {
  return {
    cpuPercent: hour(0.5 * scale, 12 * scale, phase),
    memoryBytes: hour(60e6 * scale, 75e6 * scale, phase),
    requests: hour(0, 90 * scale, phase).map((value) => (value === null ? null : Math.round(value))),
    errors: hour(0, 3 * scale, phase).map((value) => (value === null ? null : Math.floor(value))),
    p50Ms: hour(1, 6 * scale, phase),
    p95Ms: hour(9, 40 * scale, phase),
  }
}
