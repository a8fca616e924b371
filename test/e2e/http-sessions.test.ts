/** Browsers that are signed in: the list, ending them by command and by API, and that nothing of an ended one goes on. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPageAgents } from '../helpers/page-agents.ts'
import { type Answer, ask, type RawRequest } from '../helpers/raw-http.ts'
import { openTty } from '../helpers/tty-client.ts'
import { createWorkspace, engine, platform, type Workspace } from '../helpers/workspace.ts'

interface View {
  readonly session: string
  readonly browser: string
  readonly address: string
  readonly current: boolean
}
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const PAGE = [
  ['accept', 'text/html'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-dest', 'document'],
] as const

// Nothing here depends on a container engine.
describe.runIf(engine === 'host' || platform === 'deno')('browser sessions', { timeout: 240_000 }, () => {
  let workspace: Workspace
  const call = (request: RawRequest): Promise<Answer> => ask(workspace.port, request)
  const list = (): Promise<View[]> => workspace.json<View[]>(['sessions'])
  const cookieIn = (answer: Answer): string => answer.setCookies[0]?.split(';', 1)[0] ?? ''
  const ours = (cookie: string) =>
    [
      ['cookie', cookie],
      ['origin', workspace.url],
    ] as const
  const status = async (cookie: string): Promise<number> =>
    (await call({ target: '/api/v1/status', headers: [['cookie', cookie]] })).status

  async function signIn(userAgent = FIREFOX): Promise<{ cookie: string; id: string }> {
    const before = new Set((await list()).map(({ session }) => session))
    const { token } = await workspace.json<{ token: string }>(['token'])
    const answer = await call({
      ...{ target: '/auth/login', method: 'POST', body: `token=${token}` },
      headers: [['user-agent', userAgent]],
    })
    const id = (await list()).map(({ session }) => session).find((session) => !before.has(session)) ?? ''
    return { cookie: cookieIn(answer), id }
  }

  /** The events as a page reads them, to the end. */
  function listen(cookie: string): { began: Promise<void>; text: Promise<string> } {
    const response = fetch(`${workspace.url}/api/v1/events`, { headers: { cookie } })
    return { began: response.then(() => {}), text: response.then((answer) => answer.text()) }
  }

  beforeAll(async () => {
    workspace = await createWorkspace()
    await startPageAgents(workspace, { alpha: '' })
  }, 90_000)
  afterAll(() => workspace[Symbol.asyncDispose]())

  it('are listed with browser, address and times, without their secret', async () => {
    const { cookie, id } = await signIn()
    const all = await list()
    expect(all).toMatchObject([{ session: id, browser: 'Firefox 128 on Linux', current: false }])
    const secret = cookie.split('=')[1] ?? 'none'
    const answer = await call({ target: '/api/v1/sessions', headers: [['cookie', cookie]] })
    expect(JSON.parse(answer.body)).toMatchObject([{ session: id, current: true, address: '127.0.0.1' }])
    const events = await workspace.json(['events', '--type', 'session.'])
    const file = await readFile(join(workspace.dir, '.ploinky/sessions.json'), 'utf8')
    for (const text of [answer.body, JSON.stringify(events), file, JSON.stringify(all)]) {
      expect(text).toContain(id)
      expect(text).not.toContain(secret)
      for (const part of secret.split('.').slice(2)) expect(text).not.toContain(part)
    }
    expect((await workspace.run(['sessions'])).stdout).toMatch(/Firefox 128 on Linux +127\.0\.0\.1/)
    await workspace.json(['session', 'end', '--others'])
  })

  it('one is ended by its id: refused at once, its events cut with a word; the other goes on', async () => {
    const [one, two] = [await signIn(), await signIn('curl/8.5.0')]
    const [heard, other] = [listen(one.cookie), listen(two.cookie)]
    await Promise.all([heard.began, other.began])
    expect(await workspace.json(['session', 'end', one.id.slice(0, 6)])).toMatchObject([{ session: one.id }])
    expect([await status(one.cookie), await status(two.cookie)]).toEqual([401, 200])
    expect(await heard.text).toMatch(/event: signed-out\n/)
    const page = await call({ target: '/dashboard/', headers: [['cookie', one.cookie], ...PAGE] })
    expect(page.headers['location']).toMatch(/^\/auth\/login/)
    // By its own request, by the API.
    const own = await call({
      ...{ target: `/api/v1/sessions?session=${two.id}`, method: 'DELETE' },
      headers: ours(two.cookie),
    })
    expect([own.status, JSON.parse(own.body)]).toMatchObject([200, [{ session: two.id, current: true }]])
    expect(await status(two.cookie)).toBe(401)
    expect(await other.text).toMatch(/event: signed-out\n/)
    const audit = await workspace.json<{ events: { type: string; principal: string; data: { session: string } }[] }>([
      ...['events', '--type', 'session.ended'],
    ])
    expect(audit.events.map(({ principal, data }) => [principal, data.session]).slice(0, 2)).toEqual([
      ['operator', two.id],
      ['local', one.id],
    ])
  })

  it('all others are ended, and not the one that asks', async () => {
    const [one, two] = [await signIn(), await signIn()]
    const answer = await call({
      ...{ target: '/api/v1/sessions?others=true', method: 'DELETE' },
      headers: ours(one.cookie),
    })
    expect(JSON.parse(answer.body)).toMatchObject([{ session: two.id, current: false }])
    expect([await status(one.cookie), await status(two.cookie)]).toEqual([200, 401])
    expect(await workspace.json(['session', 'end', '--others'])).toMatchObject([{ session: one.id }])
    expect(await status(one.cookie)).toBe(401)
  })

  it('signing out ends the session, and not only the cookie', async () => {
    const { cookie } = await signIn()
    const heard = listen(cookie)
    await heard.began
    await call({ target: '/auth/logout', method: 'POST', body: '', headers: ours(cookie) })
    expect(await status(cookie)).toBe(401)
    expect(await heard.text).toMatch(/event: signed-out\n/)
  })

  it('the session at the origin of an agent ends with it', async () => {
    const { cookie, id } = await signIn()
    const handed = await call({ target: '/services/alpha/', headers: [['cookie', cookie], ...PAGE] })
    const way = new URL(handed.headers['location'] ?? '')
    const at = (target: string, headers: RawRequest['headers'] = []): Promise<Answer> =>
      call({ target, host: way.host, headers: [...PAGE, ...headers] })
    const own = cookieIn(await at(way.pathname + way.search))
    expect((await at('/', [['cookie', own]])).status).toBe(200)
    await workspace.json(['session', 'end', id])
    const after = await at('/', [['cookie', own]])
    expect([after.status, after.headers['location']]).toEqual([303, `${workspace.url}/services/alpha/`])
  })

  it('what an agent is sending to it is cut, by HTTP and by WebSocket', async () => {
    const { cookie, id } = await signIn()
    const socket = new WebSocket(`ws://127.0.0.1:${workspace.port}/services/alpha/`, {
      headers: { cookie, origin: workspace.url },
    })
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    await new Promise((resolve) => socket.once('message', resolve))
    const response = await fetch(`${workspace.url}/services/alpha/stream`, { headers: { cookie } })
    const reader = response.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first\n')
    const rest = reader?.read().then(
      () => 'ended',
      () => 'cut',
    )
    await workspace.json(['session', 'end', id])
    await closed
    expect(await rest).toBe('cut')
  })

  it('a terminal of it is cut with a word; the program goes on for others', async () => {
    const { cookie, id } = await signIn()
    await using tty = await openTty(workspace, 'alpha', {
      ...{ query: { command: 'shell' }, headers: { cookie, origin: workspace.url } },
    })
    const { session } = await tty.message('attached')
    await workspace.json(['session', 'end', id])
    expect(await tty.message('error')).toMatchObject({ code: 'UNAUTHENTICATED', message: 'This sign-in was ended' })
    expect(await tty.closed).toMatchObject({ code: 4401 })
    const left = await workspace.json<{ id: string; peers: unknown[] }[]>(['terminals'])
    expect(left).toMatchObject([{ id: session.id, peers: [] }])
    await workspace.json(['terminal', 'end', session.id])
  })

  it('outlive a router that is killed, but not one whose token was changed', async () => {
    const { cookie } = await signIn()
    process.kill(await workspace.routerPid(), 'SIGKILL')
    await workspace.json(['start', 'alpha', '--runtime', 'host'])
    expect(await status(cookie)).toBe(200)
    const heard = listen(cookie)
    await heard.began
    await workspace.json(['token', 'rotate', '--yes'])
    expect(await heard.text).toMatch(/event: signed-out\n/)
    expect(await status(cookie)).toBe(401)
    expect(await list()).toEqual([])
  })

  it('are ended without a router too; what is wrong is said', async () => {
    const { cookie, id } = await signIn()
    await workspace.json(['shutdown'])
    expect(await list()).toMatchObject([{ session: id }])
    await workspace.json(['session', 'end', '--others'])
    await workspace.json(['start', 'alpha', '--runtime', 'host'])
    expect(await status(cookie)).toBe(401)
    for (const [args, code] of [
      [[], 2],
      [['abcd', '--others'], 2],
      [['abcd'], 4],
    ] as const) {
      const result = await workspace.run(['session', 'end', ...args, '--json'])
      expect([args, result.code]).toEqual([args, code])
      expect(JSON.parse(result.stdout || result.stderr)).toHaveProperty('error.code')
    }
    const wrong = await call({ target: '/api/v1/sessions', method: 'DELETE', headers: [['authorization', 'Bearer x']] })
    expect(wrong.status).toBe(401)
  })
})
