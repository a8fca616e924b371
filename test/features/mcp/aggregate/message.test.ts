import { expect, test } from 'vitest'
import { RpcFailure } from '../../../../src/features/mcp/aggregate/failure.ts'
import { encodeHeader } from '../../../../src/core/mcp.ts'
import { eraOf, parseMessage, rewrite, spanOf } from '../../../../src/features/mcp/aggregate/message.ts'

const parse = (text: string) => parseMessage(new TextEncoder().encode(text))
const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}
const call = (params: object = {}, more: object = {}) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'a__b', _meta: META, ...params },
    ...more,
  })

function refused(run: () => unknown): { status: number; code: number } | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof RpcFailure) return { status: error.status, code: error.error.code }
    throw error
  }
}

test('only the name changes: numbers, spaces, order and unknown keys stay as they came', () => {
  const text =
    '{ "jsonrpc":"2.0", "z":1e400,"params":{"arguments":{"name":"a__x","n":12345678901234567890.10,"2":0,"1":0},\n "name" : "a__b\\"\\\\" , "x":[{"name":"}"}]},"method":"tools/call","id":7}'
  const span = spanOf(text, ['params', 'name'])
  expect(span === null ? null : rewrite(text, [{ ...span, value: 'b"\\' }])).toBe(
    text.replace('"a__b\\"\\\\"', '"b\\"\\\\"'),
  )
  expect(spanOf(text, ['params', 'none'])).toBe(null)
  expect(spanOf(text, ['id', 'name'])).toBe(null)
})

test.each([
  '{"params":{"name":"a","name":"b"}}',
  '{"params":{"name":"a","n\\u0061me":"b"}}',
  '{"params":{"name":"a"},"params":{"name":"b"}}',
  '{"id":1,"params":{"name":"a"},"id":2}',
])('a key that stands twice is refused, since two readers would see two messages: %s', (text) => {
  expect(refused(() => spanOf(text, ['params', 'name']))).toEqual({ status: 400, code: -32600 })
})

test.each([
  ['', -32700],
  ['{', -32700],
  ['\ufeff{}', -32700],
  ['[]', -32600],
  ['{}', -32600],
  ['{"jsonrpc":"2.0"}', -32600],
  ['{"jsonrpc":"2.0","id":{},"method":"x"}', -32600],
  ['{"jsonrpc":"2.0","id":1,"method":5}', -32600],
])('what is no message is refused: %s', (text, code) => {
  expect(refused(() => parse(text))).toEqual({ status: 400, code })
})

const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'a__b' }
const era = (text: string, headers: Record<string, string | undefined> = HEADERS) =>
  eraOf(parse(text), (name) => headers[name])

test('a message says of which era it is', () => {
  expect(era(call())).toBe('modern')
  expect(era(call({ _meta: {} }), {})).toBe('legacy')
  expect(era('{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}', {})).toBe('legacy')
  expect(era('{"jsonrpc":"2.0","id":1,"result":{}}', {})).toBe('legacy')
})

test.each([
  ['another revision', { ...HEADERS, 'mcp-protocol-version': '2025-11-25' }],
  ['no revision', { ...HEADERS, 'mcp-protocol-version': undefined }],
  ['another method', { ...HEADERS, 'mcp-method': 'tools/list' }],
  ['no method', { ...HEADERS, 'mcp-method': undefined }],
  ['another name', { ...HEADERS, 'mcp-name': 'a__c' }],
  ['no name', { ...HEADERS, 'mcp-name': undefined }],
  ['a name that is wrongly encoded', { ...HEADERS, 'mcp-name': '=?base64?***?=' }],
])('headers that say %s than the body are refused', (_what, headers) => {
  expect(refused(() => era(call(), headers))).toEqual({ status: 400, code: -32020 })
})

test('a name may be encoded, and is when it has to be', () => {
  expect(era(call(), { ...HEADERS, 'mcp-name': `=?base64?${btoa('a__b')}?=` })).toBe('modern')
  expect(encodeHeader('plain name')).toBe('plain name')
  expect(era(call({ name: 'Ünï' }), { ...HEADERS, 'mcp-name': encodeHeader('Ünï') })).toBe('modern')
  expect(encodeHeader(' edge')).toMatch(/^=\?base64\?/)
  expect(encodeHeader('=?base64?x?=')).toMatch(/^=\?base64\?PT9/)
})

test('a revision that nobody knows, and an incomplete envelope', () => {
  const other = { ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' }
  expect(refused(() => era(call({ _meta: other }), { ...HEADERS, 'mcp-protocol-version': '2099-01-01' }))).toEqual({
    status: 400,
    code: -32022,
  })
  expect(refused(() => era(call({ _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' } })))).toEqual({
    status: 400,
    code: -32602,
  })
  expect(refused(() => era(call({ _meta: {} })))).toEqual({ status: 400, code: -32602 })
})
