import { describe, expect, it } from 'vitest'
import { duplicateKey } from '../../../src/features/callers/duplicate-key.ts'
import { headerMismatch } from '../../../src/features/callers/header-match.ts'
import { readMessage } from '../../../src/features/callers/message.ts'
import type { IncomingMessage } from '../../../src/platform/index.ts'

const read = (text: string | object) =>
  readMessage(new TextEncoder().encode(typeof text === 'string' ? text : JSON.stringify(text)))
const asked = (method: string, params: object = {}) => {
  const message = read({ jsonrpc: '2.0', id: 1, method, params })
  return message.ok ? message.asked : message.problem
}

describe('what an agent asks for', () => {
  it.each([
    ['tools/call', { name: 'add' }, { kind: 'tool', method: 'tools/call', name: 'add' }],
    ['prompts/get', { name: 'p' }, { kind: 'prompt', method: 'prompts/get', name: 'p' }],
    ['resources/read', { uri: 'a:b' }, { kind: 'resource', method: 'resources/read', name: 'a:b' }],
    ['resources/subscribe', { uri: 'a:b' }, { kind: 'resource', method: 'resources/subscribe', name: 'a:b' }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'a:{b}' } },
      { kind: 'resource', method: 'completion/complete', name: 'a:{b}' },
    ],
    [
      'subscriptions/listen',
      { notifications: { resourceSubscriptions: ['a:b', 'c:d'] } },
      { kind: 'resources', method: 'subscriptions/listen', names: ['a:b', 'c:d'] },
    ],
    ['tools/list', {}, { kind: 'protocol', method: 'tools/list' }],
    ['notifications/cancelled', {}, { kind: 'protocol', method: 'notifications/cancelled' }],
    ['constructor', {}, { kind: 'unknown', method: 'constructor' }],
    ['tools/run', { name: 'add' }, { kind: 'unknown', method: 'tools/run' }],
  ])('%s', (method, params, expected) => {
    expect(asked(method, params)).toEqual(expected)
  })

  it.each([
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['resources/read', { name: 'add' }],
    ['completion/complete', { ref: { type: 'ref/other', name: 'x' } }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: [1] } }],
  ])('%s that does not say what is refused', (method, params) => {
    expect(asked(method, params)).toContain('does not say what it asks for')
  })

  it('an answer to a question of the other agent is one', () => {
    expect(read({ jsonrpc: '2.0', id: 3, result: {} })).toEqual({
      ...{ ok: true, id: 3, asked: { kind: 'protocol', method: null } },
    })
  })

  it.each([
    ['a batch', '[{"jsonrpc":"2.0","method":"tools/list"}]'],
    ['no JSON', '{"jsonrpc"'],
    ['bytes of another encoding', '{"a":"\ud800"}'],
    ['a method in other letters', '{"jsonrpc":"2.0","Method":"tools/call"}'],
    ['a method twice', '{"jsonrpc":"2.0","method":"tools/list","method":"tools/call"}'],
    ['a method twice, once escaped', '{"jsonrpc":"2.0","method":"tools/list","m\\u0065thod":"tools/call"}'],
    ['a name twice', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","name":"b"}}'],
    ['a name in other letters', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a","NAME":"b"}}'],
    ['parameters as a list', '{"jsonrpc":"2.0","method":"tools/call","params":["a"]}'],
    ['nothing at all', '{"jsonrpc":"2.0"}'],
    ['a mark before it', '\ufeff{"jsonrpc":"2.0","method":"ping"}'],
  ])('%s is refused', (_what, text) => {
    const message = read(text)
    // An unpaired surrogate is encoded as the replacement character, which no member is named by.
    expect(message.ok).toBe(false)
  })
})

describe('keys that are there twice', () => {
  it('are found where they count, and arguments may be what they like', () => {
    expect(duplicateKey('{"a":{"b":1,"c":{"d":1,"d":2}}}', 2)).toBeNull()
    expect(duplicateKey('{"a":{"b":1,"c":{"d":1,"d":2}}}', 3)).toBe('d')
    expect(duplicateKey('{"a":["a","a"],"b":"a\\"a:{","c":"\\\\"}', 2)).toBeNull()
    expect(duplicateKey('{"a":[{"x":1,"x":2}],"A" : 1}', 2)).toBe('A')
    expect(duplicateKey('{ "a" : 1 , "b" : {} , "a" : 2 }', 1)).toBe('a')
  })
})

describe('headers that repeat the body', () => {
  const mismatch = (headers: Record<string, string>) =>
    headerMismatch({ headers } as unknown as IncomingMessage, { kind: 'tool', method: 'tools/call', name: 'größe' })

  it('have to say the same', () => {
    expect(mismatch({})).toBeNull()
    expect(mismatch({ 'mcp-method': 'tools/call', 'mcp-name': '=?base64?Z3LDtsOfZQ==?=' })).toBeNull()
    expect(mismatch({ 'mcp-method': 'tools/list' })).toContain('Mcp-Method')
    expect(mismatch({ 'mcp-name': 'other' })).toContain('Mcp-Name')
    expect(mismatch({ 'mcp-name': 'größe, größe' })).toContain('Mcp-Name')
  })
})
