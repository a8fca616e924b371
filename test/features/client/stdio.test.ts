import { expect, test } from 'vitest'
import { encodeHeader as headerValue } from '../../../src/core/mcp.ts'
import { mirroredOf, statelessHeaders, versionOf } from '../../../src/features/client/stdio/headers.ts'
import { type ServerEvent, serverEvents } from '../../../src/features/client/stdio/sse.ts'

async function events(...chunks: (string | Uint8Array)[]): Promise<ServerEvent[]> {
  async function* body() {
    for (const chunk of chunks) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk
  }
  const found: ServerEvent[] = []
  for await (const event of serverEvents(body())) found.push(event)
  return found
}
const data = (list: readonly ServerEvent[]) => list.map((event) => event.data)

test('events arrive whole, however they are cut', async () => {
  const text =
    ': hello\r\nid: 7\nretry: 300\nevent: message\ndata: {"a":\ndata: "ă"}\r\n\r\ndata: two\n\nid: 8\ndata:\n\ndata: never'
  const whole = await events(text)
  expect(whole).toEqual([
    { id: '7', type: 'message', data: '{"a":\n"ă"}', retryMs: 300 },
    { id: '7', type: 'message', data: 'two', retryMs: 300 },
    { id: '8', type: 'message', data: '', retryMs: 300 },
  ])
  const bytes = new TextEncoder().encode(text)
  expect(await events(...Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(whole)
  expect(data(await events('data:a\n', '\ndata: b\n\n'))).toEqual(['a', 'b'])
})

test('headers repeat what the body says', () => {
  const meta = { _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } }
  const call = { method: 'tools/call', params: { name: 'café', arguments: { region: 'eu', deep: { n: 5 } }, ...meta } }
  expect(versionOf(call)).toBe('2026-07-28')
  expect(versionOf({ method: 'initialize', params: {} })).toBe(null)
  const schema = {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { type: 'object', properties: { n: { type: 'integer', 'x-mcp-header': 'Depth' } } },
      missing: { type: 'string', 'x-mcp-header': 'Missing' },
      bad: { type: 'string', 'x-mcp-header': 'not a token' },
    },
  }
  expect(mirroredOf(schema).map(({ header }) => header)).toEqual(['Region', 'Depth', 'Missing'])
  expect(statelessHeaders(call, '2026-07-28', () => mirroredOf(schema))).toEqual({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': '=?base64?Y2Fmw6k=?=',
    'mcp-param-region': 'eu',
    'mcp-param-depth': '5',
  })
  expect(statelessHeaders({ method: 'resources/read', params: { uri: 'a://b' } }, 'v', () => [])).toMatchObject({
    'mcp-name': 'a://b',
  })
})

test.each([
  ['plain text', 'plain text'],
  ['', '=?base64??='],
  [' edge', '=?base64?IGVkZ2U=?='],
  ['line\nbreak', '=?base64?bGluZQpicmVhaw==?='],
  ['=?base64?eA==?=', '=?base64?PT9iYXNlNjQ/ZUE9PT89?='],
])('header value %j', (text, value) => {
  expect(headerValue(text)).toBe(value)
})
