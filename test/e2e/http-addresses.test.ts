/** Heads of requests that mean harm: addresses, hosts, origins, framing. Each gets an error in the one shape; the router goes on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createRouter, isHere, type TestRouter } from '../helpers/http-router.ts'
import { ask, errorOf, exchange, parseAnswer, type RawRequest, refusal, requestText } from '../helpers/raw-http.ts'

describe.runIf(isHere)('hostile heads', () => {
  let router: TestRouter
  beforeAll(async () => {
    router = await createRouter()
  })
  afterAll(() => router[Symbol.asyncDispose]())
  afterEach(() => router.isWell())

  describe('addresses', () => {
    it.each([
      'http://127.0.0.1/health',
      'http://evil.example/health',
      '*',
      '//evil.example/health',
      '//',
      '/\\evil.example/',
      'health',
    ])('%s is no address of ours', async (target) => {
      expect((await ask(router.port, { target })).status).toBe(400)
      expect(await refusal(router.port, { target })).toEqual([400, 'REQUEST_INVALID'])
    })

    const hidden = [
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc/passwd',
      '/signin/..%2f..%2f..%2fetc/passwd',
      '/signin/%2e%2e/%2e%2e/package.json',
      '/%00',
      '/.ploinky/.secrets',
      '/manifest.json',
      '/mcp-config.json',
      '/MANIFEST.JSON',
      '/..;/manifest.json',
      '/....//manifest.json',
      '/%c0%ae%c0%ae/manifest.json',
      '/shared/../../chunks',
    ]
    it.each(hidden)('%s shows nothing, signed in or not', async (target) => {
      for (const answer of [await router.ask({ target }), await router.operator({ target })]) {
        expect([400, 401, 404]).toContain(answer.status)
        errorOf(answer)
        expect(answer.body).not.toContain('root:')
      }
    })

    it.each([
      '/signin/%2e%2e/api/v1/status',
      '/signin/../api/v1/status',
      '/health/../api/v1/status',
      '/health/',
      '/health%2f',
      '/auth/login/../../status',
      '/signin/..%2fstatus',
      '/Health',
      '/status?x=/health',
      '/api/v1/status#/health',
      '/favicon.ico/../status',
    ])('%s does not pass as a public page', async (target) => {
      const answer = await router.ask({ target })
      expect([400, 401, 404]).toContain(answer.status)
      expect(answer.body).not.toContain(router.workspace.dir)
      // A browser is sent to the sign-in page instead.
      const page = await router.ask({ target, headers: [['accept', 'text/html']] })
      expect([302, 400, 404]).toContain(page.status)
      if (page.status === 302) expect(page.headers['location']).toMatch(/^\/auth\/login\?returnTo=%2F/)
    })

    it.each([
      '/mcps/%64emo/mcp',
      '/services/%64emo/',
      '/mcps/demo%2f/mcp',
      '/mcps/../mcp',
      '/mcps//mcp',
      '/mcps/',
      '/services/-x/',
    ])('%s names no agent: names are never decoded', async (target) => {
      expect(await refusal(router.port, { target })).toEqual([401, 'UNAUTHENTICATED'])
      const answer = await router.operator({ target, method: 'POST', body: '{}' })
      expect([answer.status, errorOf(answer).code]).toEqual([404, 'AGENT_NOT_FOUND'])
    })

    it.each(['constructor', 'toString', 'hasOwnProperty', '__proto__', 'nosuch'])(
      'an agent called %s does not exist',
      async (name) => {
        for (const surface of ['mcps', 'services']) {
          const answer = await router.operator({ target: `/${surface}/${name}/mcp`, method: 'POST', body: '{}' })
          expect([answer.status, errorOf(answer).code]).toEqual([404, 'AGENT_NOT_FOUND'])
        }
      },
    )

    it('the longest address that fits is answered, a longer one refused', async () => {
      expect(await refusal(router.port, { target: `/${'x'.repeat(60_000)}` })).toEqual([401, 'UNAUTHENTICATED'])
      const answer = await router.operator({ target: `/${'x'.repeat(60_000)}` })
      expect(answer.status).toBe(404)
      expect(answer.body.length).toBeLessThan(1000)
      expect(await refusal(router.port, { target: `/${'x'.repeat(70_000)}` })).toEqual([431, 'REQUEST_TOO_LARGE'])
    })
  })

  describe('hosts and origins', () => {
    it.each([
      'evil.example',
      'evil.example:80',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'localhost:',
      '',
      ' ',
      'a@127.0.0.1',
      '127.0.0.1/x',
      '127.0.0.1, evil',
      'demo.local',
      '127.0.0.1:999999',
      '[::1',
      'l\u00f6calhost',
    ])('Host %j', async (host) => {
      expect(await refusal(router.port, { host })).toEqual([403, 'DENIED'])
    })

    it.each(['localhost', 'LOCALHOST:8088', '127.0.0.1', '[::1]:1', '10.0.0.1'])('Host %s is fine', async (host) => {
      expect((await ask(router.port, { host })).status).toBe(200)
    })

    it('none, or more than one', async () => {
      expect((await ask(router.port, { host: null })).status).toBe(400)
      for (const [first, second] of [
        ['127.0.0.1', 'evil.example'],
        ['evil.example', '127.0.0.1'],
        ['127.0.0.1', '127.0.0.1'],
      ] as const) {
        const answer = await ask(router.port, { host: first, headers: [['Host', second]] })
        expect([400, 403]).toContain(answer.status)
        errorOf(answer)
      }
      // Such a request must not reach an agent either.
      const twice = await router.operator({ target: '/services/demo/', headers: [['HOST', '127.0.0.1']] })
      expect([twice.status, errorOf(twice).code]).toEqual([400, 'REQUEST_INVALID'])
    })

    const origins = [
      'null',
      'http://evil.example',
      'https://127.0.0.1.evil.example',
      'http://127.0.0.1:1',
      'file://',
      'x',
      'http://',
      'http://127.0.0.1:1/x',
      '',
    ]
    it.each(origins)('Origin %j is refused everywhere, whatever the credential', async (origin) => {
      const requests: RawRequest[] = [
        { target: '/health' },
        { target: '/auth/login', method: 'POST', body: `token=${router.token}` },
        { target: '/api/v1/status', headers: [['authorization', `Bearer ${router.token}`]] },
        {
          target: '/mcps/demo/mcp',
          method: 'POST',
          body: '{}',
          headers: [['authorization', `Bearer ${router.token}`]],
        },
      ]
      for (const request of requests) {
        const headers = [['origin', origin] as const, ...(request.headers ?? [])]
        expect(await refusal(router.port, { ...request, headers })).toEqual([403, 'DENIED'])
      }
    })

    it('two Origins are not the one that fits', async () => {
      const own = `http://127.0.0.1:${router.port}`
      const headers = [
        ['origin', own],
        ['origin', 'http://evil.example'],
      ] as const
      expect(await refusal(router.port, { headers })).toEqual([403, 'DENIED'])
      expect((await ask(router.port, { headers: [['origin', own]] })).status).toBe(200)
    })
  })

  describe('framing', () => {
    const broken: [what: string, text: string][] = [
      ['no HTTP', 'hello\r\n\r\n'],
      ['TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\r\n\r\n'],
      ['an unknown version', 'GET / HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n'],
      ['an unknown method', 'BREW / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'],
      ['a space in a name', 'GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\na b: c\r\n\r\n'],
      ['a folded line', 'GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n evil\r\n\r\n'],
      ['a NUL in a value', 'GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nx: a\u0000b\r\n\r\n'],
      ['a space in the address', 'GET /a b HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'],
      ['two lengths', 'POST /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
      ['a negative length', 'POST /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n'],
      [
        'a length and chunks',
        'POST /health HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['another coding', 'POST /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked, identity\r\n\r\n'],
      [
        'no number for a chunk',
        'POST /health HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n',
      ],
    ]
    it.each(broken)('%s', async (_what, text) => {
      const answer = parseAnswer(await exchange(router.port, text))
      expect([400, 401]).toContain(answer.status)
      errorOf(answer)
    })

    it('a tunnel is not opened', async () => {
      const text = await exchange(router.port, 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n').catch(
        () => '',
      )
      expect(text).not.toMatch(/^HTTP\/1\.1 2/)
    })

    it('an expectation that nobody knows is refused', async () => {
      expect((await ask(router.port, { headers: [['expect', 'x']] })).status).toBe(417)
    })

    it('a flood of header fields is refused, not read in part', async () => {
      const few = Array.from({ length: 900 }, (_, index) => [`x-${index}`, 'y'] as const)
      expect((await ask(router.port, { headers: few })).status).toBe(200)
      // What is decided on (the token) stands before the flood, what would matter (a second Host) behind it.
      const flood = [...few, ...few, ['host', 'evil.example'] as const]
      expect(await refusal(router.port, { headers: flood })).toEqual([413, 'REQUEST_TOO_LARGE'])
      const big = [['x', 'y'.repeat(70_000)]] as const
      expect(await refusal(router.port, { headers: big })).toEqual([431, 'REQUEST_TOO_LARGE'])
    })

    it('a second request hidden in the body of a refused one is not answered', async () => {
      const hidden = requestText(router.port, { target: '/health' })
      const text = `POST /api/v1/agents HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`
      const answers = (await exchange(router.port, text)).match(/^HTTP\/1\.1 \d+/gm)
      expect(answers).toEqual(['HTTP/1.1 401'])
    })
  })
})
