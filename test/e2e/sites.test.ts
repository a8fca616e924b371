/** The origin of each agent's pages, at the level of bytes: who is let in, with what, and what is never there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPageAgents } from '../helpers/page-agents.ts'
import { type Answer, ask, errorOf, exchange, type RawRequest, requestText } from '../helpers/raw-http.ts'
import { createWorkspace, type Workspace } from '../helpers/workspace.ts'

type Headers = readonly (readonly [string, string])[]
const PAGE: Headers = [
  ['accept', 'text/html'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-dest', 'document'],
]

describe('origins of agents', () => {
  let workspace: Workspace
  let port: number
  let cookie: string
  const site = (name: string): string => `${name}.localhost:${port}`
  const main = (target: string, headers: Headers = [], more: RawRequest = {}): Promise<Answer> =>
    ask(port, { target, headers: [['cookie', cookie], ...headers], ...more })
  const at = (name: string, target: string, headers: Headers = [], more: RawRequest = {}): Promise<Answer> =>
    ask(port, { target, host: site(name), headers, ...more })
  const codeOf = (answer: Answer): unknown[] => [answer.status, errorOf(answer).code]
  const cookieIn = (answer: Answer): string => answer.setCookies[0]?.split(';', 1)[0] ?? ''
  /** What a browser does with the link of an agent's page. */
  async function enter(name: string, path = '/'): Promise<{ way: string; cookie: string; answer: Answer }> {
    const handed = await main(`/services/${name}${path}`, PAGE)
    const way = handed.headers['location'] ?? ''
    const url = new URL(way)
    const answer = await ask(port, { target: url.pathname + url.search, host: url.host, headers: PAGE })
    return { way, cookie: cookieIn(answer), answer }
  }

  beforeAll(async () => {
    workspace = await createWorkspace()
    port = workspace.port
    await startPageAgents(workspace, { alpha: '', Beta: '' })
    const signIn = await ask(port, { target: '/auth/login', method: 'POST', body: `token=${await workspace.token()}` })
    cookie = cookieIn(signIn)
    expect(cookie).toMatch(/^ploinky_token_/)
    // Of this host alone: without a Domain no other name gets it.
    expect(signIn.setCookies[0]).not.toMatch(/domain/i)
    expect(signIn.setCookies[0]).toMatch(/HttpOnly; SameSite=Strict/)
  })
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('a signed-in browser is handed over, once, to where it wanted', async () => {
    const { way, cookie: own, answer } = await enter('alpha', '/deep/page?x=1&y=%2F')
    expect(way).toMatch(new RegExp(`^http://alpha\\.localhost:${port}/\\.ploinky/session\\?token=c1\\.`))
    expect([answer.status, answer.headers['location']]).toEqual([303, '/deep/page?x=1&y=%2F'])
    expect(answer.setCookies[0]).toMatch(/^ploinky_agent_\w+=a1\.[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
    const page = await at('alpha', '/', [['cookie', own], ...PAGE])
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('<h1>alpha</h1>')])
    expect(page.headers['content-security-policy']).toBeUndefined()
    // The code is spent: without a session the way begins anew.
    const url = new URL(way)
    const again = await at('alpha', url.pathname + url.search, PAGE)
    expect([again.setCookies, again.headers['location']]).toEqual([
      [],
      `http://127.0.0.1:${port}/services/alpha/deep/page?x=1&y=%2F`,
    ])
    expect((await at('alpha', url.pathname + url.search, [['cookie', own], ...PAGE])).headers['location']).toBe(
      '/deep/page?x=1&y=%2F',
    )
  })

  it('a code of one agent is worth nothing at another, nor is a session', async () => {
    const way = new URL((await main('/services/alpha/', PAGE)).headers['location'] ?? '')
    expect((await at('beta', way.pathname + way.search, PAGE)).setCookies).toEqual([])
    const { cookie: own } = await enter('alpha')
    expect(codeOf(await at('beta', '/echo', [['cookie', own]]))).toEqual([401, 'UNAUTHENTICATED'])
    for (const target of ['/api/v1/status', '/mcp', '/mcps/alpha/mcp', '/services/alpha/echo', '/blobs', '/status'])
      expect(codeOf(await ask(port, { target, headers: [['cookie', own]] })), target).toEqual([401, 'UNAUTHENTICATED'])
    const asOurs = own.replace(/^[^=]+/, cookie.split('=')[0] ?? '')
    expect((await ask(port, { target: '/api/v1/status', headers: [['cookie', asOurs]] })).status).toBe(401)
    // And the router's own session opens no agent's origin.
    expect(codeOf(await at('alpha', '/echo', [['cookie', cookie]]))).toEqual([401, 'UNAUTHENTICATED'])
    const asTheirs = cookie.replace(/^[^=]+/, own.split('=')[0] ?? '')
    expect((await at('alpha', '/echo', [['cookie', asTheirs]])).status).toBe(401)
  })

  it.each(['//evil.example/', '/\\evil.example', 'http://evil.example/', '/.ploinky/session', '/a\r\nb'])(
    'nobody is sent on to %s',
    async (to) => {
      const way = new URL((await main('/services/alpha/', PAGE)).headers['location'] ?? '')
      way.searchParams.set('to', to)
      expect((await at('alpha', way.pathname + way.search, PAGE)).headers['location']).toBe('/')
    },
  )

  it('nothing of the router is at an agent’s origin, and nothing of its sessions reaches the agent', async () => {
    const { cookie: own } = await enter('alpha')
    for (const target of [
      '/api/v1/status',
      '/dashboard/',
      '/health',
      '/auth/login',
      '/signin/',
      '/mcp',
      '/blobs',
      '/services/Beta/',
    ])
      expect((await at('alpha', target, [['cookie', own]])).body, target).toContain('<h1>alpha</h1>')
    expect(codeOf(await at('alpha', '/.ploinky/other', [['cookie', own]]))).toEqual([404, 'ROUTE_NOT_FOUND'])
    expect((await at('alpha', '/MCPBrowserClient.js', [['cookie', own]])).body).toContain('createAgentClient')
    const echo = await at('alpha', `/echo?token=${await workspace.token()}&a=1`, [
      ['cookie', `mine=1; ${own}; ${cookie}`],
    ])
    const { url, headers } = JSON.parse(echo.body) as { url: string; headers: Record<string, string> }
    expect([url, headers['cookie'], headers['x-forwarded-prefix'], headers['x-forwarded-host']]).toEqual([
      '/echo?a=1',
      'mine=1',
      '',
      site('alpha'),
    ])
  })

  it('names that are no agent’s are refused, in every spelling', async () => {
    for (const host of ['nobody', 'x.alpha', 'constructor', 'alpha.', ''])
      expect(codeOf(await ask(port, { target: '/', host: `${host}.localhost:${port}` })), host).toEqual([403, 'DENIED'])
    expect((await enter('Beta')).way).toContain(`http://beta.localhost:${port}/`)
    expect((await at('BETA', '/', PAGE)).status).toBe(303)
  })

  it('strangers are sent to sign in; programs and other sites are refused', async () => {
    const stranger = await at('alpha', '/a?b=1', PAGE)
    expect([stranger.status, stranger.headers['location']]).toEqual([
      303,
      `http://127.0.0.1:${port}/services/alpha/a?b=1`,
    ])
    expect(codeOf(await at('alpha', '/echo'))).toEqual([401, 'UNAUTHENTICATED'])
    const bearer: Headers = [['authorization', `Bearer ${await workspace.token()}`]]
    const echo = JSON.parse((await at('alpha', '/echo', bearer)).body) as { headers: Record<string, string> }
    expect(echo.headers['authorization']).toBeUndefined()
    const { cookie: own } = await enter('alpha')
    for (const headers of [
      [['origin', `http://127.0.0.1:${port}`]],
      [['origin', `http://beta.localhost:${port}`]],
      [['origin', 'null']],
      [
        ['sec-fetch-site', 'cross-site'],
        ['sec-fetch-dest', 'image'],
      ],
      [
        ['sec-fetch-site', 'same-site'],
        ['sec-fetch-mode', 'navigate'],
        ['sec-fetch-dest', 'iframe'],
      ],
    ] as Headers[])
      expect(codeOf(await at('alpha', '/echo', [['cookie', own], ...headers]))).toEqual([403, 'DENIED'])
    expect(codeOf(await at('alpha', '/echo', [['cookie', own]], { method: 'POST', body: 'x' }))).toEqual([
      403,
      'DENIED',
    ])
    const same: Headers = [
      ['cookie', own],
      ['origin', `http://${site('alpha')}`],
    ]
    expect((await at('alpha', '/echo', same, { method: 'POST', body: 'x' })).status).toBe(200)
  })

  it('programs keep /services/<agent>/ as it is', async () => {
    const answer = await workspace.fetch('/services/alpha/')
    expect([answer.status, answer.headers.get('content-security-policy')]).toEqual([200, null])
    expect(await answer.text()).toContain('<h1>alpha</h1>')
    const echo = (await (await workspace.fetch('/services/alpha/echo')).json()) as { headers: Record<string, string> }
    expect(echo.headers['x-forwarded-prefix']).toBe('/services/alpha')
  })

  it('what a browser gets at the router’s own origin runs nowhere', async () => {
    for (const dest of ['script', 'style', 'worker', 'serviceworker', 'iframe', 'embed', 'object', 'manifest'])
      for (const surface of ['services', 'mcps'])
        expect(codeOf(await main(`/${surface}/alpha/x.js`, [['sec-fetch-dest', dest]])), dest).toEqual([403, 'DENIED'])
    expect(codeOf(await main('/services/alpha/x.js', [['service-worker', 'script']]))).toEqual([403, 'DENIED'])
    for (const [target, headers] of [
      ['/services/alpha/echo', [['sec-fetch-dest', 'empty']]],
      ['/services/alpha/echo', []],
      ['/mcps/alpha/page', PAGE],
    ] as [string, Headers][]) {
      const answer = await main(target, headers)
      expect([
        answer.status,
        answer.headers['content-security-policy'],
        answer.headers['x-content-type-options'],
      ]).toEqual([...[200, expect.stringMatching(/^sandbox(?!.*allow-same-origin)/), 'nosniff']])
    }
  })

  it('under another name there is no such origin: the page comes, in a sandbox', async () => {
    const named = await main('/services/alpha/', PAGE, { host: `10.1.2.3:${port}` })
    expect([named.status, named.headers['content-security-policy']]).toEqual([200, expect.stringMatching(/^sandbox/)])
    expect(named.headers['content-security-policy']).not.toContain('allow-same-origin')
    // A forwarded port is this machine for the browser: it stays at the port that it used.
    const forwarded = await main('/services/alpha/', PAGE, { host: 'localhost:9999' })
    expect(forwarded.headers['location']).toMatch(/^http:\/\/alpha\.localhost:9999\//)
  })

  it('a WebSocket needs the session and the origin of the agent', async () => {
    const { cookie: own } = await enter('alpha')
    const upgrade = (headers: Headers): Promise<string> =>
      exchange(
        port,
        requestText(port, {
          target: '/socket',
          host: site('alpha'),
          headers: [
            ['upgrade', 'websocket'],
            ['sec-websocket-version', '13'],
            ['sec-websocket-key', 'AAAAAAAAAAAAAAAAAAAAAA=='],
            ...headers,
          ],
        }).replace('connection: close', 'connection: Upgrade'),
      )
    for (const headers of [
      [],
      [['cookie', own]],
      [
        ['cookie', own],
        ['origin', `http://beta.localhost:${port}`],
      ],
      [
        ['cookie', cookie],
        ['origin', `http://${site('alpha')}`],
      ],
    ] as Headers[])
      expect(await upgrade(headers)).toMatch(/^HTTP\/1\.1 40[13] /)
  })

  it('a rotated token ends these sessions too', async () => {
    const { cookie: own } = await enter('alpha')
    expect((await at('alpha', '/echo', [['cookie', own]])).status).toBe(200)
    await workspace.json(['token', 'rotate', '--yes'])
    await expect.poll(async () => (await at('alpha', '/echo', [['cookie', own]])).status).toBe(401)
  })
})
