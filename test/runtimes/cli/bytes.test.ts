import { expect, it } from 'vitest'
import { bufferBytes, textLines } from '../../../runtimes/cli/bytes.ts'
import { until } from '../../../src/core/time.ts'

const CHUNK = new Uint8Array(64 * 1024)

/** A source that counts how often it was asked. */
function source(chunks: number) {
  const state = { asked: 0, ended: false }
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < chunks; i++) {
      state.asked += 1
      yield CHUNK
    }
    state.ended = true
  }
  return { state, bytes: bytes() }
}

const eventually = (check: () => boolean, what: string): Promise<true> =>
  until(async () => (check() ? true : null), { timeoutMs: 10_000, what })

it('reads ahead before anybody reads, but only so far', async () => {
  const { state, bytes } = source(100)
  const buffered = bufferBytes(bytes)
  await eventually(() => state.asked >= 5, 'reading ahead')
  // Whatever was going to be read ahead has been: the source is only asked again when somebody reads.
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(state.asked).toBe(5)
  let size = 0
  for await (const chunk of buffered.bytes) size += chunk.byteLength
  expect(size).toBe(100 * CHUNK.byteLength)
})

it('throws the rest away when told, or when the reader leaves', async () => {
  const told = source(100)
  const buffered = bufferBytes(told.bytes)
  buffered.discard()
  await eventually(() => told.state.ended, 'the end of the source')
  const left = source(100)
  for await (const chunk of bufferBytes(left.bytes).bytes) {
    expect(chunk.byteLength).toBeGreaterThan(0)
    break
  }
  await eventually(() => left.state.ended, 'the end of the source')
})

it('passes an error on', async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield CHUNK
    throw new Error('pipe broke')
  }
  const read = async (): Promise<void> => {
    for await (const chunk of bufferBytes(broken()).bytes) void chunk
  }
  await expect(read()).rejects.toThrow('pipe broke')
})

it('splits text into lines, whatever the chunks', async () => {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const byte of new TextEncoder().encode('één\n\ntwo\nlast')) yield Uint8Array.of(byte)
  }
  const lines: string[] = []
  for await (const line of textLines(bytes(), 100)) lines.push(line)
  expect(lines).toEqual(['één', '', 'two', 'last'])
})

it('refuses a line without an end', async () => {
  const read = async (): Promise<void> => {
    for await (const line of textLines(source(10).bytes, 1000)) void line
  }
  await expect(read()).rejects.toThrow(/line longer/)
})
