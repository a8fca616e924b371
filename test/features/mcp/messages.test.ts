import { describe, expect, it } from 'vitest'
import { isStateless, readMessage, resultIn } from '../../../src/features/mcp/messages.ts'
import { waitOf } from '../../../src/http/prefer.ts'

const KEY = 'io.modelcontextprotocol/protocolVersion'
const message = (method: string, version?: string) => {
  const read = readMessage(
    JSON.stringify({ method, params: version === undefined ? {} : { _meta: { [KEY]: version } } }),
  )
  if (read === null) throw new Error('not a message')
  return read
}

describe('the era of a request', () => {
  it.each([
    ['tools/list', '2026-07-28', undefined, true],
    ['tools/list', '2025-11-25', '2026-07-28', false],
    ['tools/list', undefined, '2026-07-28', true],
    ['tools/list', undefined, '2025-06-18', false],
    ['tools/list', undefined, undefined, false],
    // One without a version in itself begins a session, whatever a header says.
    ['initialize', undefined, '2026-07-28', false],
    ['initialize', '2026-07-28', undefined, true],
  ])('%s with %s and header %s', (method, version, header, stateless) => {
    expect(isStateless(message(method, version), header)).toBe(stateless)
  })
})

it('what is not one message is nobody’s', () => {
  for (const text of ['', '[]', '[{"method":"x"}]', '1', '{', 'null']) expect(readMessage(text)).toBeNull()
})

it('a result is found in JSON and in events, by its id', () => {
  const answer = JSON.stringify({ jsonrpc: '2.0', id: 1, result: { a: 1 } })
  const other = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: {} })
  expect(resultIn('application/json', answer, 1)).toEqual({ a: 1 })
  expect(resultIn('application/json', answer, 2)).toBeNull()
  expect(resultIn('text/event-stream', `: x\n\ndata: ${other}\n\nid: 1\ndata: ${answer}\n\n`, 1)).toEqual({ a: 1 })
  expect(resultIn('text/event-stream', 'data:\n\n', 1)).toBeNull()
})

it('clients say how long they wait', () => {
  expect(waitOf({ prefer: 'respond-async, wait=7' })).toBe(7000)
  expect(waitOf({ prefer: 'wait=0' })).toBe(0)
  expect(waitOf({ prefer: 'wait=999999' })).toBe(600_000)
  for (const prefer of ['wait=-1', 'await=3', 'wait=x', '']) expect(waitOf({ prefer })).toBe(50_000)
})
