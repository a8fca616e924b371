/** Signing in: tokens, codes, cookies, forged requests, and that no credential ends in a log or an address. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import {
  type Answer,
  ask,
  errorOf,
  exchange,
  parseAnswer,
  type RawRequest,
  refusal,
  requestText,
} from '../helpers/raw-http.ts'

const PAGE = ['accept', 'text/html'] as const
const JSON_TYPE = ['content-type', 'application/json'] as const

describe.runIf(isHere)('signing in', () => {
  let router: TestRouter
  let cookie = ''
  const own = () => `http://127.0.0.1:${router.port}`
  const call = (request: RawRequest): Promise<Answer> => ask(router.port, request)
  const refused = (request: RawRequest) => refusal(router.port, request)
  const code = async (): Promise<string> =>
    (JSON.parse((await router.operator({ target: '/auth/link', method: 'POST' })).body) as { code: string }).code
  const cookieIn = (answer: Answer): string => answer.setCookies[0]?.split(';')[0] ?? ''

  beforeAll(async () => {
    // With the most talkative log: that is where a token would end.
    router = await createRouter([], { PLOINKY_DEBUG: '1' })
    cookie = cookieIn(await call({ target: `/dashboard/?token=${await code()}`, headers: [PAGE] }))
  })
  afterAll(() => router[Symbol.asyncDispose]())

  it('a browser keeps the named parts of a page, and asks each time for the page itself', async () => {
    const get = (path: string) => call({ target: `/dashboard/${path}`, headers: [['cookie', cookie]] })
    const page = await get('')
    const part = /"\.\/(part-[\w-]+\.js)"/.exec((await get('main.js')).body)?.[1] ?? ''
    const kept = async (path: string) => {
      const { status, headers } = await get(path)
      return [status, headers['cache-control']]
    }
    expect(page.headers['cache-control']).toBe('no-cache')
    expect(await kept('main.js')).toEqual([200, 'no-cache'])
    expect(await kept(part)).toEqual([200, 'private, max-age=31536000, immutable'])
    expect((await get('part-gone-AAAAAAAA.js')).headers['cache-control']).toBe('no-store')
  })

  describe('credentials', () => {
    it.each([
      ['none', []],
      ['an empty one', [['authorization', 'Bearer ']]],
      ['of another kind', [['authorization', 'Basic b3BlcmF0b3I6eA==']]],
      ['10 KB', [['authorization', `Bearer ${'x'.repeat(10_240)}`]]],
      ['10 KB of cookie', [['cookie', `ploinky_token=${'x'.repeat(10_240)}`]]],
      ['a thousand cookies', [['cookie', 'ploinky_token=x; '.repeat(1000)]]],
      ['broken cookies', [['cookie', ';;=;ploinky_token;=ploinky_token=;ploinky_token="\u0001']]],
      ['a forged session', [['cookie', 'ploinky_token=s1.9999999999.abc.def']]],
    ] as [string, [string, string][]][])('%s', async (_what, headers) => {
      for (const target of ['/status', '/api/v1/status', '/mcps/demo/mcp', '/services/demo/', '/blobs', '/nothing']) {
        const answer = await call({ target, headers })
        // A control character in a header is refused by the parser.
        expect([400, 401]).toContain(answer.status)
        errorOf(answer)
        if (answer.status === 401) expect(answer.headers['www-authenticate']).toBe('Bearer realm="ploinky"')
      }
    })

    it('a bad one in front does not hide a good one', async () => {
      const headers = [
        ['authorization', 'Bearer wrong'],
        ['cookie', `a=b; ploinky_token=wrong; ${cookie}`],
      ] as const
      expect((await call({ target: '/status', headers })).status).toBe(200)
    })

    it.each(['bearer', 'BEARER', 'Bearer  '])('the word %j may be written so', async (word) => {
      expect((await call({ target: '/status', headers: [['authorization', `${word} ${router.token}`]] })).status).toBe(
        200,
      )
    })
  })

  describe('a code in the address', () => {
    it('is exchanged once for a cookie, and leaves the address', async () => {
      const target = `/dashboard/?a=1&token=${await code()}&b=%202`
      const first = await call({ target, headers: [PAGE] })
      expect([first.status, first.headers['location']]).toEqual([303, '/dashboard/?a=1&b=%202'])
      expect(first.headers['referrer-policy']).toBe('no-referrer')
      expect(first.headers['cache-control']).toBe('no-store')
      expect(first.setCookies[0]).toMatch(
        /^ploinky_token_\w+=s1\.[^;]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/,
      )
      const again = await call({ target, headers: [PAGE] })
      expect(again.headers['location']).toMatch(/^\/auth\/login\?returnTo=/)
      expect(again.setCookies).toEqual([])
      const signedIn = await call({ target: '/api/v1/status', headers: [['cookie', cookieIn(first)]] })
      expect(signedIn.status).toBe(200)
    })

    it('also on the page of an agent', async () => {
      const answer = await call({ target: `/services/demo/?token=${await code()}`, headers: [PAGE] })
      expect([answer.status, answer.headers['location']]).toEqual([303, '/services/demo/'])
      const page = await call({ target: '/services/demo/', headers: [PAGE, ['cookie', cookieIn(answer)]] })
      // And on to the agent's own origin.
      expect(page.status).toBe(303)
      expect(page.headers['location']).toMatch(/^http:\/\/demo\.localhost:\d+\/\.ploinky\/session\?token=/)
      const stranger = await call({ target: '/services/demo/', headers: [PAGE] })
      expect(stranger.headers['location']).toBe('/auth/login?returnTo=%2Fservices%2Fdemo%2F')
    })

    it('is no credential for programs, and two of them are not tried in turn', async () => {
      expect(await refused({ target: `/api/v1/status?token=${await code()}` })).toEqual([401, 'UNAUTHENTICATED'])
      const both = await call({ target: `/dashboard/?token=wrong&token=${await code()}`, headers: [PAGE] })
      expect(both.setCookies).toEqual([])
    })

    it('the operator’s token works in the address too, and never reaches the agent', async () => {
      expect((await call({ target: `/api/v1/status?token=${router.token}` })).status).toBe(200)
      const answer = await call({ target: `/services/demo/nothing?x=1&token=${router.token}` })
      expect(answer.body).not.toContain(router.token)
    })

    it.each(['//evil.example/', '/\\evil.example/', '///evil.example', 'http://evil.example/'])(
      'never leads to another site: %s',
      async (target) => {
        for (const headers of [[PAGE], [PAGE, ['cookie', cookie] as const]]) {
          const answer = await call({ target: `${target}?token=${await code()}`, headers })
          expect([answer.status, answer.headers['location']]).toEqual([400, undefined])
        }
      },
    )
  })

  describe('the sign-in form', () => {
    const login = (body: string, request: RawRequest = {}) =>
      call({ target: '/auth/login', method: 'POST', body, ...request })

    it('takes the token as form or JSON', async () => {
      const form = await login(`token=${encodeURIComponent(router.token)}`)
      expect([form.status, form.headers['location'], form.setCookies.length]).toEqual([303, '/dashboard/', 1])
      const json = await login(JSON.stringify({ token: router.token }), { headers: [JSON_TYPE] })
      expect([json.status, json.setCookies.length]).toEqual([204, 1])
    })

    it.each([
      'http://evil.example/',
      '//evil.example',
      '/\\evil.example',
      '\\\\evil.example',
      'javascript:alert(1)',
      '/\t/evil.example',
      '/%0d%0aset-cookie:x=y',
      ' /x',
      '',
      '/auth/logout',
      'https:evil.example',
      '/\u00a0/evil',
    ])('leads to a page of ours, whatever returnTo says: %j', async (returnTo) => {
      const target = `/auth/login?returnTo=${encodeURIComponent(returnTo)}`
      const answer = await login(`token=${router.token}`, { target })
      expect(answer.status).toBe(303)
      const there = new URL(answer.headers['location'] ?? '', own())
      expect([there.origin, there.pathname.startsWith('/auth/')]).toEqual([own(), false])
      const shown = await call({ target })
      expect(new URL(shown.headers['location'] ?? '', own()).origin).toBe(own())
      expect(shown.setCookies).toEqual([])
    })

    it('a page that was asked for is where it leads', async () => {
      const answer = await login(`token=${router.token}`, {
        target: '/auth/login?returnTo=%2Fservices%2Fdemo%2F%3Fa%3D1',
      })
      expect(answer.headers['location']).toBe('/services/demo/?a=1')
    })
  })

  describe('forged requests', () => {
    const change: RawRequest = { target: '/auth/logout', method: 'POST', body: '' }
    const withCookie = (headers: readonly (readonly [string, string])[]): RawRequest => ({
      ...change,
      headers: [['cookie', cookie], ...headers],
    })

    it.each([
      ['another site', [['origin', 'http://evil.example']]],
      ['a sandboxed frame', [['origin', 'null']]],
      ['another site, without Origin', [['sec-fetch-site', 'cross-site']]],
      ['another port of this host', [['sec-fetch-site', 'same-site']]],
      ['no word of where from', []],
    ] as [string, [string, string][]][])('from %s change nothing', async (_what, headers) => {
      expect(await refused(withCookie(headers))).toEqual([403, 'DENIED'])
      for (const target of ['/api/v1/agents/demo/stop', '/mcps/demo/mcp', '/blobs', '/auth/link']) {
        expect(await refused({ ...withCookie(headers), target })).toEqual([403, 'DENIED'])
      }
      expect(await refused({ ...withCookie(headers), target: '/api/v1/agents/demo', method: 'DELETE' })).toEqual([
        403,
        'DENIED',
      ])
    })

    it('from our own pages pass', async () => {
      // Signing out ends the session for good: each of them signs in before.
      const signIn = async () => cookieIn(await call({ target: `/dashboard/?token=${await code()}`, headers: [PAGE] }))
      const signOut = async (headers: readonly (readonly [string, string])[]): Promise<number> =>
        (await call({ ...change, headers: [['cookie', await signIn()], ...headers] })).status
      const here = ['sec-fetch-site', 'same-origin'] as const
      expect(await signOut([['origin', own()], here])).toBe(303)
      expect(await signOut([here, ['accept', 'application/json']])).toBe(204)
    })
  })

  describe('upgrades', () => {
    const upgrade = (target: string, headers: readonly (readonly [string, string])[]): Promise<Answer> => {
      const socket = [
        ['upgrade', 'websocket'],
        ['sec-websocket-version', '13'],
        ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='],
      ] as const
      const text = requestText(router.port, { target, headers: [...socket, ...headers] }).replace(
        'connection: close',
        'connection: upgrade',
      )
      return exchange(router.port, text).then(parseAnswer)
    }

    it('need a sign-in, an agent and its service', async () => {
      const answers: [string, readonly (readonly [string, string])[], number][] = [
        ['/services/demo/', [], 401],
        ['/services/demo/', [['cookie', 'ploinky_token=x']], 401],
        ['/api/v1/events', [['authorization', `Bearer ${router.token}`]], 404],
        ['/services/nosuch/', [['authorization', `Bearer ${router.token}`]], 404],
        ['/mcps/demo/mcp', [['authorization', `Bearer ${router.token}`]], 404],
      ]
      for (const [target, headers, status] of answers) {
        const answer = await upgrade(target, headers)
        expect([target, answer.status]).toEqual([target, status])
        errorOf(answer)
      }
    })

    it('by cookie need an Origin that is ours', async () => {
      for (const headers of [
        [],
        [['origin', 'http://evil.example']],
        [['origin', 'null']],
        [['sec-fetch-site', 'cross-site']],
      ] as [string, string][][]) {
        const answer = await upgrade('/services/demo/', [['cookie', cookie], ...headers])
        expect([answer.status, errorOf(answer).code]).toEqual([403, 'DENIED'])
      }
    })
  })

  it('a session ends with the token that signed it', async () => {
    const session = cookieIn(await call({ target: '/auth/login', method: 'POST', body: `token=${router.token}` }))
    expect((await call({ target: '/status', headers: [['cookie', session]] })).status).toBe(200)
    expect((await call({ target: '/status', headers: [['cookie', session.replace(/.$/, '_')]] })).status).toBe(401)
  })

  it('no credential is in any log', async () => {
    const spent = await code()
    await call({ target: `/dashboard/?token=${spent}`, headers: [PAGE] })
    await call({ target: `/status?x=1&token=${router.token}&y=2` })
    await call({ target: `/mcps/demo/mcp?token=${router.token}` })
    await call({
      target: '/status',
      headers: [
        ['authorization', `Bearer ${router.token}`],
        ['cookie', cookie],
      ],
    })
    await router.isWell()
    const log = await router.log()
    expect(log).toContain('"msg":"request"')
    expect(log).toContain('token=[redacted]')
    for (const secret of [router.token, spent, cookie.split('=')[1] ?? 'none']) expect(log).not.toContain(secret)
  })

  it('guessing is stopped, and says so', async () => {
    const guess = () => refused({ target: '/auth/login', method: 'POST', body: 'token=wrong' })
    const answers: string[] = []
    for (let i = 0; i < 30; i++) answers.push((await guess())[1])
    expect(answers[0]).toBe('UNAUTHENTICATED')
    expect(answers.at(-1)).not.toBe('UNAUTHENTICATED')
    expect(answers.filter((answer) => answer === 'UNAUTHENTICATED').length).toBeLessThanOrEqual(10)
    // Not even with the right one; those who are signed in go on.
    const right = await call({ target: '/auth/login', method: 'POST', body: `token=${router.token}` })
    expect([403, 429]).toContain(right.status)
    expect((await router.operator({ target: '/status' })).status).toBe(200)
  })
})
