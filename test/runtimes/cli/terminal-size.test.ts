import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createRepeatedSizing } from '../../../runtimes/cli/terminal-size.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function recorded() {
  const sent: string[] = []
  const sizing = createRepeatedSizing(async (cols, rows) => void sent.push(`${cols}x${rows}`))
  return { sent, sizing }
}

describe('a size that may be lost', () => {
  test('is sent again soon, and later, when it closely follows the start', async () => {
    const { sent, sizing } = recorded()
    let told = false
    void sizing.resize(100, 30).then(() => (told = true))
    await vi.advanceTimersByTimeAsync(10)
    expect([sent, told]).toEqual([['100x30'], false])
    await vi.advanceTimersByTimeAsync(100)
    expect([sent, told]).toEqual([['100x30', '100x30'], true])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent).toEqual(['100x30', '100x30', '100x30'])
  })

  test('is sent once when there was none before it for a while', async () => {
    const { sent, sizing } = recorded()
    await vi.advanceTimersByTimeAsync(2000)
    await sizing.resize(100, 30)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent).toEqual(['100x30'])
  })

  test('gives way to a newer one: only the last is sent again', async () => {
    const { sent, sizing } = recorded()
    for (const cols of [90, 91, 92]) void sizing.resize(cols, 30)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent).toEqual(['90x30', '91x30', '92x30', '92x30', '92x30'])
  })

  test('is not sent to a terminal that has ended', async () => {
    const { sent, sizing } = recorded()
    const done = sizing.resize(100, 30)
    await vi.advanceTimersByTimeAsync(1)
    sizing.stop()
    await done
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sent).toEqual(['100x30'])
  })
})
