import { expect, test } from 'vitest'
import { changeEvent, readEvents, type SseEvent } from '../../../../src/features/mcp/sse.ts'

async function read(text: string, size: number): Promise<SseEvent[]> {
  const bytes = new TextEncoder().encode(text)
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const events: SseEvent[] = []
  for await (const event of readEvents(pieces())) events.push(event)
  return events
}

const STREAM =
  ': ping\n\nid: 7\nretry: 250\ndata:\n\nevent: message\ndata: {"ü":1,\ndata: "b":2}\nx-other: kept\n\r\n\r\nid: 8\r\ndata: end\r\n\r\n'

test.each([1, 2, 3, 7, 1000])('events come out whole, cut into pieces of %i bytes', async (size) => {
  const events = (await read(STREAM, size)).filter(({ raw }) => raw.trim() !== '')
  expect(events.map(({ id, data, retry }) => [id, data, retry])).toEqual([
    [undefined, null, undefined],
    ['7', '', 250],
    [undefined, '{"ü":1,\n"b":2}', undefined],
    ['8', 'end', undefined],
  ])
  expect(events[2]?.raw).toContain('x-other: kept')
})

test.each([1, 2, 3, 1000])('any two ends of a line end an event, cut into pieces of %i bytes', async (size) => {
  const ends = ['\n\n', '\r\r', '\n\r', '\r\n\r\n', '\r\n\n', '\r\n\r', '\n\r\n', '\r\r\n']
  const events = await read(`${ends.map((end, index) => `data: ${index}${end}`).join('')}data: not ended\r\n`, size)
  expect(events.flatMap(({ data }) => (data === null ? [] : [data]))).toEqual(ends.map((_, index) => String(index)))
})

test('an event keeps what is not changed of it', async () => {
  const [, primer, message] = await read(STREAM, 1000)
  expect(changeEvent(primer as SseEvent, { id: 'p:a/7' })).toBe('id: p:a/7\nretry: 250\ndata:')
  expect(changeEvent(message as SseEvent, { data: '{}' })).toBe('event: message\ndata: {}\nx-other: kept')
})
