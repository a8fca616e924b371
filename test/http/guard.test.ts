/** Who may pass, decided on the head alone. */
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/core/principal.ts'
import { COOKIE, createGuard } from '../../src/http/guard.ts'
import { isAgentPath, parseTarget, readCookies, takeToken } from '../../src/http/request.ts'

const OPERATOR: Principal = { id: 'operator', roles: ['admin'] }
const GOOD: Readonly<Record<string, string>> = { bearer: 'good', query: 'good', cookie: 's1.good' }
const guard = createGuard({
  verify: ({ kind, value }) => (value === GOOD[kind] ? OPERATOR : null),
  cookieName: `${COOKIE}_abcd`,
  allowedHosts: new Set(['my.host', 'other', 'named.localhost']),
  sites: {
    cookieName: 'ploinky_agent_abcd',
    agentOf: (label) => (label === 'demo' ? 'Demo' : null),
    verify: (agent, value) => (agent === 'Demo' && value === 'a1.good' ? OPERATOR : null),
  },
})

function identify(headers: Record<string, string>, at: { method?: string; url?: string; upgrade?: boolean } = {}) {
  const all: Record<string, string> = { host: '127.0.0.1:8088', ...headers }
  const rawHeaders = Object.entries(all).flat()
  const incoming = { method: at.method ?? 'GET', headers: all, rawHeaders } as unknown as IncomingMessage
  const target = parseTarget(at.url ?? '/')
  if (target === null) throw new Error('no target')
  return guard.identify(incoming, target, at.upgrade)
}
const DENIED = expect.objectContaining({ code: 'DENIED' }) as Error

describe('hosts and origins', () => {
  it.each(['my.host', 'MY.HOST:80', 'other:1', '[::1]:8088', 'localhost:1', 'named.localhost'])(
    '%s is a host of ours',
    (host) => {
      expect(identify({ host }).principal).toBeNull()
    },
  )

  it.each([
    'not.my.host',
    'my.host.evil',
    'my.host@evil',
    'my.host:x',
    'my.host:123456',
    '',
    'my host',
    '[::1',
    '[::g]',
    '1.2.3.4.5',
    'a.localhost',
    'x.demo.localhost',
    '.localhost',
    'constructor.localhost',
  ])('%s is not', (host) => {
    expect(() => identify({ host })).toThrow(DENIED)
  })

  it('an allowed name is an allowed origin too; the host itself is by whichever scheme', () => {
    for (const origin of ['http://my.host', 'https://other:444', 'http://127.0.0.1:8088', 'HTTPS://127.0.0.1:8088'])
      expect(identify({ origin }).principal).toBeNull()
    for (const origin of [
      'http://127.0.0.1',
      'http://127.0.0.1:80',
      'ftp://my.host',
      'http://my.host/',
      'my.host',
      'null',
      '',
    ])
      expect(() => identify({ origin })).toThrow(DENIED)
  })
})

describe('credentials', () => {
  it('in their order, each falling back to the next', () => {
    const cookie = `a=b; ${COOKIE}_abcd=s1.good`
    expect(identify({ authorization: 'Bearer good', cookie }).via).toBe('bearer')
    expect(identify({ authorization: 'Bearer bad', cookie }).via).toBe('cookie')
    expect(identify({ cookie: `${COOKIE}=bad; ${COOKIE}=s1.good` }).via).toBe('cookie')
    expect(identify({ cookie: `${COOKIE}_other=s1.good; x${COOKIE}=s1.good` }).via).toBeNull()
    expect(identify({ authorization: 'Basic good' }).via).toBeNull()
    expect(identify({}, { url: '/?token=good' }).via).toBe('query')
    expect(identify({}, { url: '/?token=bad' })).toMatchObject({ via: null, queryToken: 'bad', query: '' })
  })

  it('our token leaves the address; an agent’s own of that name stays, for those who are known', () => {
    const known = { authorization: 'Bearer good' }
    expect(identify(known, { url: '/?a=1&token=good&b=2' })).toMatchObject({ query: '?a=1&b=2', queryToken: 'good' })
    expect(identify(known, { url: '/?token=l1.1.x.y' })).toMatchObject({ query: '', queryToken: 'l1.1.x.y' })
    expect(identify(known, { url: '/?a=%20&token=jupyter' })).toMatchObject({
      query: '?a=%20&token=jupyter',
      queryToken: null,
    })
    expect(identify({}, { url: '/?a=1&token=jupyter' })).toMatchObject({
      query: '?a=1',
      queryToken: 'jupyter',
      via: null,
    })
  })
})

describe('forged requests', () => {
  const cookie = `${COOKIE}=s1.good`

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'get', 'X'])('%s by cookie needs a word of where from', (method) => {
    expect(() => identify({ cookie }, { method })).toThrow(DENIED)
    for (const site of ['cross-site', 'same-site', '', 'x']) {
      expect(() => identify({ cookie, 'sec-fetch-site': site }, { method })).toThrow(DENIED)
      const own = { cookie, 'sec-fetch-site': site, origin: 'http://127.0.0.1:8088' }
      expect(() => identify(own, { method })).toThrow(DENIED)
    }
    expect(identify({ cookie, 'sec-fetch-site': 'same-origin' }, { method }).via).toBe('cookie')
    expect(identify({ cookie, origin: 'http://127.0.0.1:8088' }, { method }).via).toBe('cookie')
  })

  it('so does an upgrade; reading does not, and other credentials are not sent by browsers alone', () => {
    expect(() => identify({ cookie }, { upgrade: true })).toThrow(DENIED)
    expect(identify({ cookie, origin: 'http://127.0.0.1:8088' }, { upgrade: true }).via).toBe('cookie')
    expect(identify({ cookie }).via).toBe('cookie')
    expect(identify({ authorization: 'Bearer good' }, { method: 'POST' }).via).toBe('bearer')
  })
})

describe('parseTarget()', () => {
  it.each(['', '*', 'http://x/', '//x', '/\\x', 'x', ' /'])('%j is none', (url) => {
    expect(parseTarget(url)).toBeNull()
  })

  it.each([
    ['/mcps/demo/mcp', { surface: 'mcps', name: 'demo', rest: '/mcp' }],
    ['/services/a.b-c_d', { surface: 'services', name: 'a.b-c_d', rest: '' }],
    ['/services/demo//x/../%2e', { surface: 'services', name: 'demo', rest: '//x/../%2e' }],
    ['/services/demo/?a=/mcps/x', { surface: 'services', name: 'demo', rest: '/' }],
    ['/mcps/%64emo/mcp', null],
    ['/mcps/../x', null],
    ['/mcps//x', null],
    [`/mcps/${'x'.repeat(64)}/`, null],
    ['/mcps', null],
    ['/Mcps/demo/', null],
  ])('%s', (url, agent) => {
    const target = parseTarget(url)
    expect(target?.agent).toEqual(agent)
    expect(`${target?.path}${target?.query}`).toBe(url)
    expect(isAgentPath(target?.path ?? '')).toBe(/^\/(?:mcps|services)\//.test(url))
  })
})

it.each([
  ['', null, ''],
  ['?a=1', null, '?a=1'],
  ['?token=x', 'x', ''],
  ['?token=', '', ''],
  ['?a&token=x%2Fy&b=c+d', 'x/y', '?a&b=c+d'],
  ['?token=1&token=2', '1', ''],
  ['?token=%zz', '%zz', ''],
  ['?mytoken=1', null, '?mytoken=1'],
  ['?Token=1', null, '?Token=1'],
  ['?%74oken=1', null, '?%74oken=1'],
  ['?a=token=1', null, '?a=token=1'],
])('takeToken(%j)', (query, token, rest) => {
  expect(takeToken(query)).toEqual({ token, query: rest })
})

it.each([
  [undefined, []],
  ['', []],
  ['a=1; x=2;x=3 ;b', ['2', '3']],
  ['x', []],
  ['=x', []],
  ['x==;x="a b"', ['=', '"a b"']],
])('readCookies(%j)', (header, values) => {
  expect(readCookies(header, (name) => name === 'x')).toEqual(values)
})

describe('the origin of an agent', () => {
  const host = 'demo.localhost:8088'
  const cookie = 'ploinky_agent_abcd=a1.good'

  it('knows its own cookie, and bearers', () => {
    expect(identify({ host, cookie })).toMatchObject({ via: 'site', site: 'Demo', host, principal: OPERATOR })
    expect(identify({ host: 'DEMO.localhost', cookie }).site).toBe('Demo')
    expect(identify({ host, authorization: 'Bearer good' })).toMatchObject({ via: 'bearer', site: 'Demo' })
  })

  it('knows neither the cookie of the router nor a token in the address, and passes no token on', () => {
    for (const other of [
      `${COOKIE}_abcd=s1.good`,
      `${COOKIE}=s1.good`,
      `${COOKIE}_abcd=a1.good`,
      'ploinky_agent_abcd=s1.good',
    ])
      expect(identify({ host, cookie: other }).principal).toBeNull()
    expect(identify({ host }, { url: '/?token=good&a=1' })).toMatchObject({ principal: null, query: '?a=1' })
    expect(identify({ host, cookie }, { url: '/?token=good&a=1' })).toMatchObject({ via: 'site', query: '?a=1' })
    // And the other way round: its cookie is worth nothing at the router.
    expect(identify({ cookie }).principal).toBeNull()
    expect(identify({ cookie: `${COOKIE}_abcd=a1.good` }).principal).toBeNull()
  })

  it('other sites get nothing with its cookie but a visit', () => {
    for (const site of ['cross-site', 'same-site']) {
      const from = { host, cookie, 'sec-fetch-site': site }
      const visit = { ...from, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
      expect(identify(visit).via).toBe('site')
      expect(() => identify(visit, { method: 'POST' })).toThrow(DENIED)
      for (const dest of ['empty', 'script', 'image', 'style']) {
        expect(() => identify({ ...from, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': dest })).toThrow(DENIED)
      }
      expect(() => identify({ ...visit, 'sec-fetch-dest': 'iframe' })).toThrow(DENIED)
    }
    for (const origin of [
      'http://localhost:8088',
      'http://127.0.0.1:8088',
      'http://other.localhost:8088',
      'http://my.host',
      'null',
    ])
      expect(() => identify({ host, cookie, origin })).toThrow(DENIED)
    expect(() => identify({ host, cookie }, { upgrade: true })).toThrow(DENIED)
    expect(identify({ host, cookie, origin: `http://${host}` }, { upgrade: true }).via).toBe('site')
    // Nor does the router take a page of an agent for one of its own.
    expect(() => identify({ cookie: `${COOKIE}_abcd=s1.good`, origin: `http://${host}` })).toThrow(DENIED)
  })
})
