/** Browsers that are signed in: listed, ended, forgotten in time, and what an ended one has open is cut. */
import { describe, expect, it } from 'vitest'
import { sessionsDocument } from '../../../src/config/documents.ts'
import { createEventBus } from '../../../src/core/events.ts'
import { createLogger } from '../../../src/core/log.ts'
import { createMemoryStore } from '../../../src/core/store.ts'
import { browserName } from '../../../src/features/auth/browser-name.ts'
import { createSessions } from '../../../src/features/auth/sessions.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const FROM = { userAgent: FIREFOX, address: '127.0.0.1' }
const BY = { principal: 'local', current: null }
const id = (letter: string): string => letter.repeat(12)
const of = (session: string) => ({ id: 'operator', roles: ['admin' as const], session })

async function setup() {
  let now = 1_700_000_000_000
  const store = createMemoryStore()
  const events = createEventBus()
  const log = createLogger(() => {})
  const make = () => createSessions({ store, events, log, now: () => now })
  const sessions = make()
  const live = await sessions.follow()
  return {
    ...{ sessions, live, store, events },
    /** As a command line is: another process, which knows the file alone. */
    elsewhere: make(),
    pass: (seconds: number) => (now += seconds * 1000),
    [Symbol.asyncDispose]: () => live.close(),
  }
}

describe('sessions', () => {
  it('are listed by an id, with browser, address and last use, and which one asks', async () => {
    await using test = await setup()
    const { sessions, live, pass } = test
    await live.open({ id: id('a'), seconds: 100 }, FROM)
    await live.open({ id: id('b'), seconds: 100 }, { userAgent: undefined, address: '::1' })
    pass(10)
    expect(live.check(of(id('a')))).toEqual(of(id('a')))
    expect(await sessions.list(id('b'))).toEqual([
      {
        ...{ session: id('a'), browser: 'Firefox 128 on Linux', address: '127.0.0.1', current: false },
        ...{ openedAt: '2023-11-14T22:13:20.000Z', lastUsedAt: '2023-11-14T22:13:30.000Z' },
        expiresAt: '2023-11-14T22:15:00.000Z',
      },
      expect.objectContaining({ session: id('b'), browser: 'Unknown browser', current: true }),
    ])
  })

  it('that are on no list do not pass: neither unknown ones nor ended nor expired ones', async () => {
    await using test = await setup()
    const { sessions, live, pass } = test
    expect(live.check(of(id('a')))).toBeNull()
    await live.open({ id: id('a'), seconds: 100 }, FROM)
    await live.open({ id: id('b'), seconds: 100 }, FROM)
    await sessions.end({ session: id('a') }, BY)
    expect(live.check(of(id('a')))).toBeNull()
    expect(live.check(of(id('b')))).not.toBeNull()
    pass(100)
    expect(live.check(of(id('b')))).toBeNull()
    expect(await sessions.list(null)).toEqual([])
    // By the token itself, and agents: nothing to list.
    const token = { id: 'operator', roles: ['admin' as const] }
    expect(live.check(token)).toBe(token)
    expect(live.check(null)).toBeNull()
  })

  it('end by the beginning of their id, or all but one; what is wrong is said', async () => {
    await using test = await setup()
    const { sessions, live, events } = test
    for (const name of ['aaaa11111111', 'aaaa22222222', 'cccc33333333'])
      await live.open({ id: name, seconds: 100 }, FROM)
    const problem = (session: string) =>
      sessions.end({ session }, BY).catch(({ code, message, hint }: Record<string, string>) => [code, message, hint])
    const hint = 'Run: ploinky sessions'
    expect(await problem('aaaa')).toEqual(['SESSION_NOT_FOUND', 'Several sessions begin with "aaaa"', hint])
    expect(await problem('ccc')).toEqual(['SESSION_NOT_FOUND', 'There is no session "ccc": it has ended', hint])
    expect(await problem('__proto__')).toContain('SESSION_NOT_FOUND')
    expect(await problem('x'.repeat(5000))).toContain('SESSION_NOT_FOUND')
    const ended = await sessions.end({ session: 'cccc' }, { principal: 'operator', current: 'cccc33333333' })
    expect(ended).toMatchObject([{ session: 'cccc33333333', current: true }])
    expect(events.since(0).at(-1)).toMatchObject({
      ...{ type: 'session.ended', subject: 'router', principal: 'operator' },
      data: { session: 'cccc33333333', browser: 'Firefox 128 on Linux', address: '127.0.0.1' },
    })
    const others = await sessions.end({ allBut: 'aaaa11111111' }, BY)
    expect(others.map(({ session }) => session)).toEqual(['aaaa22222222'])
    expect(await sessions.end({ allBut: 'aaaa11111111' }, BY)).toEqual([])
  })

  it('that another process ends are cut, once, and only what is still open', async () => {
    await using test = await setup()
    const { live, elsewhere } = test
    await live.open({ id: id('a'), seconds: 100 }, FROM)
    await live.open({ id: id('b'), seconds: 100 }, FROM)
    const cut: string[] = []
    live.hold(of(id('a')), (reason) => cut.push(`first ${reason}`))
    live.hold(of(id('a')), (reason) => cut.push(`closed ${reason}`))()
    live.hold(of(id('b')), (reason) => cut.push(`other ${reason}`))
    live.hold({ id: 'operator', roles: [] }, () => cut.push('token'))
    await elsewhere.end({ session: id('a') }, BY)
    await live.reload()
    await live.reload()
    expect(cut).toEqual(['first ended'])
    await live.endAll()
    expect(cut).toEqual(['first ended', 'other ended'])
  })

  it('outlive the router, and what is open counts as used', async () => {
    await using test = await setup()
    const { live, elsewhere, pass, sessions } = test
    await live.open({ id: id('a'), seconds: 1000 }, FROM)
    const release = live.hold(of(id('a')), () => {})
    pass(60)
    expect((await sessions.list(null))[0]?.lastUsedAt).toBe('2023-11-14T22:14:20.000Z')
    release()
    await live.close()
    const next = await elsewhere.follow()
    expect(next.check(of(id('a')))).not.toBeNull()
    await next.close()
  })

  it('opened at once are all there; a use that is written late brings no ended one back', async () => {
    await using test = await setup()
    const { live, sessions, elsewhere, store } = test
    const names = '0123456789abcdef'.split('').map(id)
    await Promise.all([
      ...names.map((name) => live.open({ id: name, seconds: 100 }, FROM)),
      ...names.map(() => live.reload()),
    ])
    expect((await sessions.list(null)).length).toBe(16)
    for (const name of names) expect(live.check(of(name))).not.toBeNull()
    await elsewhere.end({ allBut: null }, BY)
    expect(await sessions.list(null)).toEqual([])
    expect((await store.read(sessionsDocument)).sessions).toEqual({})
  })

  it('are never more than two hundred: the one that was not used for longest goes', async () => {
    await using test = await setup()
    const { live, sessions, pass } = test
    for (let number = 0; number < 202; number++) {
      await live.open({ id: number.toString(16).padStart(12, '0'), seconds: 10_000 }, FROM)
      pass(1)
    }
    const list = await sessions.list(null)
    expect(list.length).toBe(200)
    expect(live.check(of('000000000000'))).toBeNull()
    expect(live.check(of('000000000002'))).not.toBeNull()
  })

  it('of a file that cannot be read let nobody in, and the router starts', async () => {
    const store = createMemoryStore()
    const broken = { ...store, read: () => Promise.reject(new Error('broken')) }
    const lines: string[] = []
    const log = createLogger(({ msg }) => void lines.push(msg))
    const live = await createSessions({ store: broken, events: createEventBus(), log }).follow()
    expect(live.check(of(id('a')))).toBeNull()
    expect(lines).toEqual(['sessions not reloaded'])
    await live.close()
  })
})

describe('a browser in plain words', () => {
  it.each([
    [FIREFOX, 'Firefox 128 on Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
      'Chrome 126 on Windows',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
      'Edge 126 on Windows',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
      'Safari 17 on macOS',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
      'Safari 17 on iPhone',
    ],
    [
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36',
      'Chrome 124 on Android',
    ],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36',
      'Chrome 126 on Linux',
    ],
    ['curl/8.5.0', 'curl 8'],
    ['node', 'node'],
    [undefined, 'Unknown browser'],
    ['', 'Unknown browser'],
    ['<img src=x onerror=alert(1)>', 'Unknown browser'],
    ['\u001b[31mred\u202e', 'Unknown browser'],
    ['Mozilla/5.0', 'Unknown browser'],
    [`${'a'.repeat(100_000)}`, 'a'.repeat(31)],
  ])('%#', (userAgent, words) => expect(browserName(userAgent)).toBe(words))
})
