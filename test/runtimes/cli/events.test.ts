import { describe, expect, it } from 'vitest'
import { parseEvent } from '../../../runtimes/cli/events.ts'
import { recorded } from './support.ts'

const source = { runtime: 'x', command: 'x events' }

describe.each(['docker/20.10.24', 'podman/4.3.1'])('%s', (version) => {
  it('tells a life in our words', () => {
    const lines = recorded(`${version}/events.ndjson`).trim().split('\n')
    const events = lines.map((line) => parseEvent(line, source)).filter((event) => event !== null)
    expect(events.map(({ type, exitCode }) => [type, exitCode])).toEqual([
      ['started', null],
      ['paused', null],
      ['unpaused', null],
      ['exited', 3],
      ['removed', null],
    ])
    expect(lines.length).toBeGreaterThan(events.length)
    expect(new Set(events.map(({ key }) => key)).size).toBe(5)
    for (const event of events) {
      expect(event).toMatchObject({ name: 'ploinky-fixture-w1', agent: 'fixture', workspace: 'w1' })
      expect(event.at).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    }
  })
})

it('says nothing of jobs', () => {
  const labels = { 'ploinky.workspace': 'w1', 'ploinky.job': 'demo', 'ploinky.agent': '', 'ploinky.spec': '' }
  expect(parseEvent(podmanEvent({ Attributes: labels }), source)).toBeNull()
})

const podmanEvent = (change: Record<string, unknown>): string =>
  JSON.stringify({
    Status: 'died',
    ID: 'a'.repeat(64),
    Name: 'n',
    Time: '2026-01-02T03:04:05+02:00',
    Attributes: { 'ploinky.workspace': 'w1' },
    ...change,
  })

it('podman leaves an exit code of zero out', () => {
  expect(parseEvent(podmanEvent({}), source)).toMatchObject({ type: 'exited', exitCode: 0 })
})

it('what is not ours says nothing', () => {
  expect(parseEvent(podmanEvent({ Attributes: null }), source)).toBeNull()
  expect(parseEvent(podmanEvent({ Status: 'exec_died' }), source)).toBeNull()
})

it('what cannot be read is an error', () => {
  for (const line of ['{', '{}', '[]', 'died']) {
    expect(() => parseEvent(line, source)).toThrowError(
      expect.objectContaining({ code: 'RUNTIME_OUTPUT_UNREADABLE' }) as Error,
    )
  }
})
