import { describe, expect, it } from 'vitest'
import { createEventBus } from '../../../src/core/events.ts'
import { PloinkyError } from '../../../src/core/error.ts'
import { followOver } from '../../../src/features/logs/follow.ts'
import { mergeEnding, mergeFollowed } from '../../../src/features/logs/merge.ts'
import type { LogEntry } from '../../../src/features/logs/types.ts'
import { writeLines } from '../../../src/http/ndjson.ts'

const entry = (source: string, second: number, text = `${source}${second}`): LogEntry => ({
  ...{ source, stream: 'stdout', text },
  at: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(),
})
async function* log(...entries: LogEntry[]): AsyncGenerator<LogEntry> {
  yield* entries
}
async function textsOf(entries: AsyncIterable<LogEntry>): Promise<string[]> {
  const texts: string[] = []
  for await (const { text } of entries) texts.push(text)
  return texts
}

describe('several logs', () => {
  it.each([
    ['that end', mergeEnding],
    ['that are followed', mergeFollowed],
  ])('%s are one by time', async (_what, merge) => {
    const merged = merge([log(entry('a', 1), entry('a', 4)), log(entry('b', 2), entry('b', 3)), log()])
    expect(await textsOf(merged)).toEqual(['a1', 'b2', 'b3', 'a4'])
  })

  it('are let go of when the reader goes, and fail with the first that fails', async () => {
    let isClosed = false
    async function* endless(): AsyncGenerator<LogEntry> {
      try {
        for (let second = 0; ; second++) yield entry('a', second)
      } finally {
        isClosed = true
      }
    }
    for await (const _line of mergeEnding([endless(), log(entry('b', 5))])) break
    expect(isClosed).toBe(true)
    async function* broken(): AsyncGenerator<LogEntry> {
      yield entry('b', 1)
      throw new PloinkyError('RUNTIME_UNAVAILABLE', 'away')
    }
    await expect(textsOf(mergeFollowed([log(entry('a', 1)), broken()]))).rejects.toMatchObject({
      code: 'RUNTIME_UNAVAILABLE',
    })
  })
})

describe('a log that is followed over restarts', () => {
  it('goes on with the next start, and tells no line twice', async () => {
    const events = createEventBus()
    const ended = new AbortController()
    const asked: (string | null)[] = []
    const runs = [
      [entry('a', 1, 'one'), entry('a', 2, 'two'), entry('a', 2, 'two again')],
      // Of the same second, both are given again.
      [entry('a', 2, 'two'), entry('a', 2, 'two again'), entry('a', 3, 'three')],
    ]
    const followed = followOver({
      ...{ agent: 'a', events, signal: ended.signal },
      async *open(since) {
        asked.push(since)
        if (asked.length === 2) throw new PloinkyError('WORKLOAD_NOT_FOUND', 'gone')
        yield* runs.shift() ?? []
      },
    })
    const seen: string[] = []
    for await (const { text } of followed) {
      seen.push(text)
      if (text === 'two again') {
        events.emit({ type: 'agent.started', subject: 'other' })
        setTimeout(() => events.emit({ type: 'agent.started', subject: 'a' }), 5)
        setTimeout(() => events.emit({ type: 'agent.ready', subject: 'a' }), 20)
      }
      if (text === 'three') ended.abort()
    }
    expect(seen).toEqual(['one', 'two', 'two again', 'three'])
    expect(asked[2]).toBe(entry('a', 2).at)
  })
})

describe('lines over HTTP', () => {
  it('leave together, and an error is the last of them', async () => {
    const written: string[] = []
    const sink = { aborted: false, write: async (text: string) => written.push(text) }
    async function* items(): AsyncGenerator<unknown> {
      for (let i = 0; i < 1000; i++) yield { i }
      throw new PloinkyError('AGENT_NOT_FOUND', 'gone')
    }
    await writeLines(sink, items(), 'id')
    const lines = written.join('').trim().split('\n')
    expect(lines).toHaveLength(1001)
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ error: { code: 'AGENT_NOT_FOUND' } })
    expect(written.length).toBeLessThan(20)
  })

  it('hold back whoever makes them while nobody reads', async () => {
    let made = 0
    async function* items(): AsyncGenerator<string> {
      for (; made < 100_000; made++) yield 'x'.repeat(1000)
    }
    let release = (): void => {}
    const sink = { aborted: false, write: () => new Promise<void>((resolve) => (release = resolve)) }
    const writing = writeLines(sink, items(), 'id')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(made).toBeLessThan(1500)
    sink.aborted = true
    release()
    await writing
  })
})
