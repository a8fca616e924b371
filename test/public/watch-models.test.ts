import { describe, expect, it } from 'vitest'
import { readStatus } from '../../public/dashboard/model.ts'
import { eventsAddress, mergeRows, passes, readEvent, readPage } from '../../public/dashboard/watch/events-model.ts'
import {
  errorShare,
  extend,
  niceMax,
  perSecond,
  readReport,
  readSample,
  stretches,
  summaryOf,
} from '../../public/dashboard/watch/metrics-model.ts'
import { edgesOf, layOut } from '../../public/dashboard/watch/topology-model.ts'
import { bytes, milliseconds, percent } from '../../public/dashboard/watch/units.ts'

const NONE = { type: '', agent: '', principal: '', outcome: '', audit: false, since: '' } as const

describe('events', () => {
  const at = '2026-01-01T00:00:00.000Z'
  it('of the log and of the stream are read alike', () => {
    const refused = {
      at,
      type: 'agent.refused',
      subject: 'b',
      principal: 'agent:a',
      data: { caller: 'agent:a', tool: 't' },
    }
    expect(readEvent(refused)).toMatchObject({ outcome: 'refused', principal: 'agent:a', about: 't' })
    expect(readEvent({ ...refused, type: 'agent.called', data: { status: 502 } })?.outcome).toBe('failed')
    expect([readEvent(null), readEvent({ type: 'x' }), readEvent({ at, type: '' })]).toEqual([null, null, null])
    expect(readPage({ events: [refused, 5], next: '1-2' })).toMatchObject({
      rows: [{ type: 'agent.refused' }],
      next: '1-2',
    })
  })

  it('pass the filter that the router would apply', () => {
    const row = readEvent({ at, type: 'agent.called', subject: 'b', principal: 'agent:a', data: { caller: 'agent:a' } })
    if (row === null) throw new Error('no event')
    expect(passes(row, NONE)).toBe(true)
    expect(passes(row, { ...NONE, type: 'agent.', agent: 'a', audit: true })).toBe(true)
    expect(passes(row, { ...NONE, agent: 'c' })).toBe(false)
    expect(passes({ ...row, principal: null }, { ...NONE, audit: true })).toBe(false)
    expect(eventsAddress({ ...NONE, type: 'agent.', audit: true }, 10, '1-2')).toBe(
      'api/v1/events/log?type=agent.&audit=true&limit=10&before=1-2',
    )
  })

  it('are shown once, newest first, and no more than the limit', () => {
    const rows = ['3', '1', '2', '3'].flatMap((key) => readEvent({ at: key, type: 't', subject: key }) ?? [])
    expect(mergeRows(rows.slice(0, 2), rows.slice(2), 2).map(({ at: time }) => time)).toEqual(['3', '2'])
  })
})

describe('the last hour', () => {
  const report = readReport({
    at: '2026-01-01T00:00:00Z',
    stepSeconds: 10,
    total: null,
    agents: [{ agent: 'a', cpuPercent: [...Array.from({ length: 359 }, () => 1), 2], requests: ['x', null] }, 7],
  })

  it('is carried on by samples, gaps included, and by none twice', () => {
    const sample = readSample(
      '{"at":"2026-01-01T00:00:30Z","slotSeconds":10,"total":{},"agents":{"a":{"cpuPercent":9},"b":{"cpuPercent":4}}}',
    )
    if (sample === null) throw new Error('no sample')
    const next = extend(report, sample)
    expect(next.agents.get('a')?.cpuPercent.slice(-4)).toEqual([2, null, null, 9])
    expect(next.agents.get('a')?.cpuPercent).toHaveLength(360)
    expect(next.agents.get('b')?.cpuPercent.filter((value) => value !== null)).toEqual([4])
    expect(extend(next, sample)).toBe(next)
    expect([readSample('{'), readSample('{"at":"x"}')]).toEqual([null, null])
  })

  it('is told in rates, shares and ends of an axis', () => {
    expect(perSecond([20, null], 10)).toEqual([2, null])
    const counts = { requests: [10, 0, null], errors: [1, 0, null] }
    const none = { cpuPercent: [], memoryBytes: [], p50Ms: [], p95Ms: [] }
    expect(errorShare({ ...none, ...counts })).toEqual([10, null, null])
    expect(summaryOf([1, null, 3])).toEqual({ last: 3, mean: 2, max: 3 })
    expect([niceMax(0, 10), niceMax(7, 10), niceMax(23, 10), niceMax(70e6, 1024)]).toEqual([1, 10, 25, 100 * 1024 ** 2])
    expect(stretches([1, null, 2, 4], 4).map((points) => points.length)).toEqual([1, 2])
    expect([bytes(0), bytes(72e6), percent(12.345), milliseconds(1234)]).toEqual([
      '0 B',
      '68.7 MiB',
      '12.3 %',
      '1.23 s',
    ])
  })
})

describe('the topology', () => {
  const agents = readStatus(
    {
      agents: [
        { name: 'a', state: 'ready', needs: ['b'], calls: [{ agent: 'b', tools: ['x'] }] },
        { name: 'b', state: 'failed', needs: ['c'] },
        { name: 'c', state: 'ready', calls: [{ agent: 'a', tools: null }] },
        { name: 'd', state: 'ready', needs: ['gone', 'd'] },
        { name: 'e', state: 'ready' },
      ],
    },
    0,
  ).agents

  it('joins what is needed and called between two', () => {
    expect(edgesOf(agents)[0]).toEqual({ from: 'a', to: 'b', needs: true, calls: true, tools: ['x'] })
  })

  it('draws circles, what is missing, and nothing over another', () => {
    const { nodes, alone } = layOut(agents)
    expect(nodes.map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c', 'd', 'gone'])
    expect(nodes.find(({ name }) => name === 'gone')?.state).toBeNull()
    expect(alone.map(({ name }) => name)).toEqual(['e'])
    expect(new Set(nodes.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length)
    expect(layOut([]).nodes).toEqual([])
  })
})
