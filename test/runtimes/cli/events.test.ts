import { describe, expect, it } from 'vitest'
import { PloinkyError } from '../../../src/core/error.ts'
import type { RuntimeEvent } from '../../../runtimes/adapter.ts'
import type { Engine } from '../../../runtimes/cli/dialect.ts'
import { createEvents, parseEvent } from '../../../runtimes/cli/events.ts'
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

describe('a stream that the engine ends', () => {
  const at = (second: number): string =>
    podmanEvent({ Status: 'start', Time: `2026-01-02T03:04:0${second}+00:00`, Name: `n${second}` })

  /** Gives one list of lines after the other; `there` says whether it answers in between. */
  function engine(streams: string[][], there = true) {
    const asked: string[] = []
    async function* bytes(lines: readonly string[]): AsyncGenerator<Uint8Array> {
      yield new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''))
    }
    const made = {
      dialect: { displayName: 'Podman', jsonFormat: 'json', eventNames: [] },
      call: () => Promise.resolve({ exitCode: there ? 0 : 125, stdout: '', stderr: '' }),
      stream(args: readonly string[]) {
        asked.push(args[args.indexOf('--since') + 1] ?? '')
        return { stdout: bytes(streams.shift() ?? []), stderr: bytes([]), exit: Promise.resolve(0), kill: () => {} }
      },
      source: () => source,
      track: () => () => {},
      fail: () => new PloinkyError('RUNTIME_FAILED', 'no message'),
    }
    return { asked, events: createEvents(made as unknown as Engine, () => null)({ workspace: 'w1' }) }
  }

  async function read(events: AsyncIterable<RuntimeEvent>): Promise<{ names: string[]; code: string | null }> {
    const names: string[] = []
    try {
      for await (const { name } of events) names.push(name)
      return { names, code: null }
    } catch (error) {
      return { names, code: (error as PloinkyError).code }
    }
  }

  it('is opened again where it ended, and tells nothing twice', async () => {
    const { asked, events } = engine([[at(1), at(2)], [at(2), at(3)], []])
    expect(await read(events)).toEqual({ names: ['n1', 'n2', 'n3'], code: 'RUNTIME_UNAVAILABLE' })
    expect(asked.slice(1)).toEqual([
      String((Date.parse('2026-01-02T03:04:02Z') / 1000).toFixed(3)),
      String((Date.parse('2026-01-02T03:04:03Z') / 1000).toFixed(3)),
    ])
  })

  it('is an error at once when the engine does not answer', async () => {
    const { asked, events } = engine([[at(1)], [at(2)]], false)
    expect(await read(events)).toEqual({ names: ['n1'], code: 'RUNTIME_UNAVAILABLE' })
    expect(asked).toHaveLength(1)
  })
})
