import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEventBus, type PloinkyEvent } from '../../../src/core/events.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { audited, createEventReader, readRecord } from '../../../src/features/events/index.ts'
import { createFileSystem } from '../../../src/platform/files.ts'

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString()
const event = (seq: number, type = 'agent.started', more: object = {}): string =>
  JSON.stringify({ seq, pid: 1, type, at: at(seq), subject: seq % 2 === 0 ? 'even' : 'odd', data: {}, ...more })

describe('the event log', () => {
  let dir: string
  let path: string
  const reader = () => createEventReader(createFileSystem(), path)
  const ids = (events: readonly { id: string }[]): number[] => events.map(({ id }) => Number(id.split('-')[1]))

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ploinky-test-events-'))
    path = join(dir, 'events.ndjson')
  })
  afterEach(() => rm(dir, { recursive: true, force: true }))

  it('is read from the newest on, over rotated files, each event once', async () => {
    await writeFile(`${path}.000001`, `${[1, 2, 3].map((seq) => event(seq)).join('\n')}\n`)
    await writeFile(`${path}.000002`, `${[4, 5].map((seq) => event(seq)).join('\n')}\n`)
    await writeFile(path, `${[6, 7].map((seq) => event(seq)).join('\n')}\n`)
    const first = await reader().page({ filter: {}, limit: 3 })
    expect(ids(first.events)).toEqual([7, 6, 5])
    // Rotated between two pages: the place is still the same.
    await rename(path, `${path}.000003`)
    await writeFile(path, `${event(8)}\n`)
    const second = await reader().page({ filter: {}, limit: 100, cursor: first.next ?? '' })
    expect(ids(second.events)).toEqual([4, 3, 2, 1])
    expect(second.next).toBeNull()
  })

  it('is filtered, and is not read beyond the time that is asked for', async () => {
    const lines = [
      event(1),
      event(2, 'agent.refused', { principal: 'agent:x' }),
      event(3, 'command.done', { principal: 'operator', data: { agent: 'even' } }),
      event(4, 'agent.called', { principal: 'agent:x', data: { status: 502, caller: 'agent:x' } }),
    ]
    await writeFile(path, `${lines.join('\n')}\n`)
    const found = async (filter: object) => ids((await reader().page({ filter, limit: 10 })).events)
    expect(await found({ types: ['agent.'] })).toEqual([4, 2, 1])
    expect(await found({ agents: ['even'] })).toEqual([4, 3, 2])
    expect(await found({ agents: ['x'] })).toEqual([4])
    expect(await found({ audit: true, principal: 'operator' })).toEqual([3])
    expect(await found({ outcome: 'refused' })).toEqual([2])
    expect(await found({ outcome: 'failed' })).toEqual([4])
    expect(await found({ since: at(3) })).toEqual([4, 3])
    expect(await found({ until: at(2) })).toEqual([2, 1])
  })

  it('survives what is no event, and what is longer than it reads at a time', async () => {
    const long = event(2, 'agent.failed', { data: { message: 'x'.repeat(600_000) } })
    await writeFile(path, `${event(1)}\nnot json\n\n[]\n${long}\n{"type":5}\n${event(3)}\n${event(4).slice(0, 20)}`)
    expect(ids((await reader().page({ filter: {}, limit: 10 })).events)).toEqual([3, 2, 1])
    await expect(reader().page({ filter: {}, limit: 1, cursor: '../etc' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    await rm(path)
    expect(await reader().page({ filter: {}, limit: 1 })).toEqual({ events: [], next: null })
  })

  it('is followed: the last ones, then those that come', async () => {
    await writeFile(path, `${[1, 2, 3].map((seq) => event(seq)).join('\n')}\n`)
    const ended = new AbortController()
    const seen: number[] = []
    for await (const { id } of reader().follow({}, { last: 2, signal: ended.signal })) {
      seen.push(Number(id.split('-')[1]))
      if (seen.length === 2) await appendFile(path, `${event(4)}\n`)
      if (seen.length === 3) ended.abort()
    }
    expect(seen).toEqual([2, 3, 4])
  })
})

describe('audit records', () => {
  it('tell who did what to which, how it came out, and no value', async () => {
    const bus = createEventBus()
    const told: PloinkyEvent[] = []
    bus.on((one) => told.push(one))
    const about = { command: { name: 'var' }, input: { name: 'API_KEY', value: 'hunter2' }, principal: 'operator' }
    await audited(bus, about, Promise.resolve(1))
    const failure = new PloinkyError('AGENT_NOT_FOUND', 'No such agent')
    await expect(audited(bus, about, Promise.reject(failure))).rejects.toBe(failure)
    expect(told.map(({ type, principal }) => [type, principal])).toEqual([
      ['command.done', 'operator'],
      ['command.failed', 'operator'],
    ])
    expect(told[1]?.data).toMatchObject({ command: 'var', name: 'API_KEY', code: 'AGENT_NOT_FOUND' })
    expect(JSON.stringify(told)).not.toContain('hunter2')
    expect(readRecord(JSON.stringify(told[1]))?.outcome).toBe('failed')
  })

  it('of a command at this machine name who is at it; what was passed on names whom it names', () => {
    const bus = createEventBus({ principal: () => 'local' })
    expect(bus.emit({ type: 'a', subject: 's' }).principal).toBe('local')
    expect(bus.emit({ type: 'a', subject: 's', principal: 'agent:x' }).principal).toBe('agent:x')
    expect(bus.emit({ type: 'a', subject: 's', relayed: true }).principal).toBeUndefined()
  })
})
