import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createInvocationVerifier, createKeyFile } from '../../src/agent/invocation.ts'
import { agentPrincipal } from '../../src/core/principal.ts'
import { createInvocations, createKeyRing, claimedAgent } from '../../src/features/callers/index.ts'
import { hashing } from '../../src/platform/hashing.ts'

const BODY = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'add' } })
const a = agentPrincipal('a')
const operator = { id: 'operator', roles: ['admin'] } as const

function pair(agent = 'b', now = { ms: 1_800_000_000_000 }) {
  const clock = () => now.ms
  const maker = createInvocations({ hash: hashing, keyOf: (name) => `key of ${name}`, now: clock })
  const verifier = createInvocationVerifier({ agent, key: () => `key of ${agent}`, now: clock })
  const verify = (token: string | null, text = BODY, path = '/mcp') => {
    const headers = token === null ? {} : { 'x-ploinky-invocation': token }
    const request = new Request(`http://agent${path}`, { method: 'POST', headers, body: text })
    return verifier.verify(request, JSON.parse(text), text)
  }
  const bound = (name = 'b', text = BODY) =>
    maker.bound(a, name, { method: 'tools/call', tool: 'add', depth: 1, body: new TextEncoder().encode(text) })
  return { maker, verify, bound, now }
}

describe('invocations', () => {
  it('say who is calling, and with what', () => {
    const { verify, bound, maker } = pair()
    expect(verify(bound())).toMatchObject({
      ...{ sub: 'agent:a', aud: 'agent:b', roles: [], tool: 'add', method: 'tools/call', depth: 1 },
    })
    expect(verify(maker.unbound(operator, 'b'))).toMatchObject({ sub: 'user:operator', roles: ['admin'] })
  })

  it('are good once, when they are bound to a request', () => {
    const { verify, bound, maker } = pair()
    const token = bound()
    verify(token)
    expect(() => verify(token)).toThrow('used before')
    const people = maker.unbound(operator, 'b')
    verify(people)
    expect(verify(people)).toMatchObject({ sub: 'user:operator' })
  })

  it('are not good for another body, another agent or another time', () => {
    const { verify, bound, now } = pair()
    expect(() => verify(bound(), `${BODY} `)).toThrow('another body')
    expect(() => verify(bound('c'))).toThrow('signature')
    const late = bound()
    now.ms += 40_000
    expect(() => verify(late)).toThrow('over')
    const early = bound()
    now.ms -= 20_000
    expect(() => verify(early)).toThrow('over')
  })

  it('cannot be changed, nor made without the key', () => {
    const { verify, bound } = pair()
    const [head = '', , signature = ''] = (bound() ?? '').split('.')
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = encode({ sub: 'user:operator', roles: ['admin'], aud: 'agent:b' })
    for (const token of [
      `${head}.${claims}.${signature}`,
      `${encode({ alg: 'none' })}.${claims}.`,
      `${head}.${claims}`,
      'x',
      '',
      '.'.repeat(20_000),
    ])
      expect(() => verify(token)).toThrow()
  })

  it('an agent is bound to what it says: a word on it alone is none', () => {
    const { verify, maker } = pair()
    expect(() => verify(maker.unbound(a, 'b'))).toThrow('bound to no request')
    expect(() => verify(maker.bound(a, 'b', {}))).toThrow('bound to no request')
  })

  it('what was made before the agent began may have been used already', () => {
    const now = { ms: 1_800_000_000_000 }
    const token = pair('b', now).bound()
    now.ms += 10_000
    expect(() => pair('b', now).verify(token)).toThrow('before this agent began')
  })

  it('are asked for by whatever does something; lists and handshakes go without', () => {
    const { verify } = pair()
    for (const method of ['initialize', 'ping', 'tools/list', 'server/discover', 'notifications/initialized'])
      expect(verify(null, JSON.stringify({ jsonrpc: '2.0', id: 1, method }))).toBeNull()
    for (const method of ['tools/call', 'resources/read', 'prompts/get', 'tasks/get', 'anything'])
      expect(() => verify(null, JSON.stringify({ jsonrpc: '2.0', id: 1, method }))).toThrow('through the router')
    expect(() => verify(null, '{"jsonrpc":"2.0","id":1,"result":{}}')).toThrow('through the router')
    expect(() => verify(null, '{"method":"ping"}', '/task')).toThrow('through the router')
  })
})

describe('keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ploinky-key-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('follow from who the agent is and when it was enabled', () => {
    const ring = createKeyRing('secret', hashing)
    const record = { repo: 'r', agent: 'x', enabledAt: '1' }
    const keys = ring.keysOf('a', record)
    expect(createKeyRing('secret', hashing).keysOf('a', { ...record })).toEqual(keys)
    const others = [
      ring.keysOf('b', { ...record }),
      ring.keysOf('a', { ...record, enabledAt: '2' }),
      ring.keysOf('a', { ...record, agent: 'y' }),
      createKeyRing('other', hashing).keysOf('a', { ...record }),
    ]
    const all = [keys, ...others].flatMap(({ credential, invocation }) => [credential, invocation])
    expect(new Set(all).size).toBe(10)
  })

  it('a credential names its agent', () => {
    const { credential } = createKeyRing('s', hashing).keysOf('a.b', { repo: 'r', agent: 'x', enabledAt: '1' })
    expect(claimedAgent(credential)).toBe('a.b')
    for (const text of ['', 'pa1', 'pa1.', 'pa1.x', 'token']) expect(claimedAgent(text) ?? '').toBe('')
  })

  it('are read again when they were written anew', () => {
    const file = join(folder, 'key')
    const key = createKeyFile(file)
    expect(key()).toBeNull()
    writeFileSync(file, 'one')
    expect(key()).toBe('one')
    writeFileSync(file, 'two')
    utimesSync(file, 1, 2)
    expect(key()).toBe('two')
  })
})
