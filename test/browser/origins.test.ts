/**
 * A hostile agent's page in a browser that is signed in: whatever it tries, it has no more than its own origin. With the real
 * router, and agents as plain processes.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPageAgents } from '../helpers/page-agents.ts'
import { createWorkspace, type Workspace } from '../helpers/workspace.ts'
import { launch, skipReason } from './browser.ts'

/** Opens nothing by itself: each test lets it try one thing. */
const HOSTILE =
  '<!doctype html><meta charset="utf-8"><title>hostile</title><h1>hostile</h1><form id="form" method="post"></form>'

describe.skipIf(skipReason !== null).each(['127.0.0.1', 'localhost'])('a hostile page, router at %s', (host) => {
  let browser: Browser
  let workspace: Workspace
  let main: string
  let evil: string
  let victim: string
  let context: BrowserContext
  let page: Page

  /** Signs in, and follows the link of the dashboard to the agent's page. */
  async function visit(agent: string): Promise<Page> {
    const opened = await context.newPage()
    await opened.goto(`${main}/services/${agent}/`)
    await opened.waitForURL(new RegExp(`^http://${agent}\\.localhost:`))
    return opened
  }

  beforeAll(async () => {
    workspace = await createWorkspace()
    await startPageAgents(workspace, { hostile: HOSTILE, victim: '' })
    main = `http://${host}:${workspace.port}`
    evil = `http://hostile.localhost:${workspace.port}`
    victim = `http://victim.localhost:${workspace.port}`
    browser = await launch()
    context = await browser.newContext()
    const signIn = await context.newPage()
    const { url } = await workspace.json<{ url: string }>(['open'])
    await signIn.goto(url.replace('127.0.0.1', host))
    await signIn.waitForURL(`${main}/dashboard/`)
    await (await visit('victim')).getByRole('heading', { name: 'victim' }).waitFor()
    page = await visit('hostile')
  })
  afterAll(async () => {
    await browser?.close()
    await workspace?.[Symbol.asyncDispose]()
  })

  interface Init {
    credentials?: 'include'
    mode?: 'no-cors'
    method?: string
    body?: string
  }
  const answers = (urls: readonly string[], init: Init): Promise<string[]> =>
    page.evaluate(
      async ([list, options]) =>
        await Promise.all(
          list.map((url) =>
            fetch(url, options).then(
              async (answer) => `${answer.type} ${answer.status} ${(await answer.text()).slice(0, 200)}`,
              () => 'refused',
            ),
          ),
        ),
      [urls, init] as const,
    )
  const isSignedIn = async (): Promise<number> => {
    const looked = await context.newPage()
    const answer = await looked.goto(`${main}/api/v1/status`)
    await looked.close()
    return answer?.status() ?? 0
  }
  const routerEvents = async (): Promise<string> => JSON.stringify(await workspace.json(['status']))

  it('is where it should be, without the session of the router', async () => {
    expect(new URL(page.url()).origin).toBe(evil)
    const byUrl = async (url: string) => (await context.cookies(url)).map(({ name }) => name.replace(/_[0-9a-f]+$/, ''))
    expect(await byUrl(main)).toEqual(['ploinky_token'])
    expect(await byUrl(evil)).toEqual(['ploinky_agent'])
    expect(await page.evaluate(() => document.cookie)).toBe('')
    expect((await context.cookies()).every(({ httpOnly }) => httpOnly)).toBe(true)
    const own = JSON.parse(await page.evaluate(async () => await (await fetch('/echo')).text())) as { headers: object }
    expect(JSON.stringify(own)).not.toMatch(/ploinky_(?:token|agent)/)
  })

  it('cannot read the API, another agent, nor write to either', async () => {
    const urls = [
      `${main}/api/v1/status`,
      `${main}/services/victim/echo`,
      `${main}/mcp`,
      `${victim}/echo`,
      `${main}/status`,
    ]
    for (const init of [{ credentials: 'include' }, { credentials: 'include', method: 'POST', body: '{}' }] as Init[])
      expect(await answers(urls, init)).toEqual(urls.map(() => 'refused'))
    for (const answer of await answers(urls, { credentials: 'include', mode: 'no-cors' }))
      expect(answer).toMatch(/^opaque 0 $|refused/)
    // Its own endpoints of ours are none: what answers is the agent itself.
    for (const answer of await answers([`${evil}/api/v1/status`, `${evil}/mcp`], {}))
      expect(answer).toContain('<h1>hostile</h1>')
  })

  it('cannot post a form to the router', async () => {
    const before = await routerEvents()
    for (const target of [`${main}/api/v1/agents/victim/stop`, `${main}/auth/logout`, `${main}/auth/link`]) {
      const posting = await visit('hostile')
      const [answer] = await Promise.all([
        posting.waitForResponse((response) => response.url() === target),
        posting.evaluate((to) => {
          const form = document.querySelector('form')
          if (form === null) throw new Error('no form')
          form.action = to
          form.submit()
        }, target),
      ])
      expect(answer.status(), target).toBe(403)
      await posting.close()
    }
    expect(await isSignedIn()).toBe(200)
    expect(await routerEvents().then((text) => /"victim"[^}]*"ready"/.test(text))).toBe(
      /"victim"[^}]*"ready"/.test(before),
    )
  })

  it('cannot look into a window or a frame of the dashboard, nor of another agent', async () => {
    for (const target of [`${main}/dashboard/`, `${victim}/`]) {
      const [popup, handle] = await Promise.all([
        page.waitForEvent('popup'),
        page.evaluateHandle((url) => window.open(url), target),
      ])
      await popup.waitForLoadState()
      const seen = await handle.evaluate((opened) => {
        try {
          return opened === null || opened.closed ? 'closed' : opened.document.body.innerHTML
        } catch (error) {
          return (error as Error).name
        }
      })
      expect(['SecurityError', 'closed']).toContain(seen)
      await popup.close()
    }
    const framed = await page.evaluate(
      async (urls) => {
        const results = []
        for (const url of urls) {
          const frame = document.createElement('iframe')
          frame.src = url
          document.body.append(frame)
          await new Promise((resolve) => (frame.onload = resolve))
          let seen = 'nothing'
          try {
            seen = frame.contentDocument?.body.textContent ?? 'nothing'
          } catch (error) {
            seen = (error as Error).name
          }
          results.push(seen)
          frame.remove()
        }
        return results
      },
      [`${main}/dashboard/`, `${main}/services/victim/`, `${victim}/`],
    )
    expect(framed).toEqual(['nothing', 'nothing', 'nothing'])
  })

  it('cannot toss a cookie at the router, nor sign anybody out with one', async () => {
    const [ours] = await context.cookies(main)
    const name = ours?.name ?? ''
    const [theirs] = await context.cookies(victim)
    await page.evaluate(
      async ([one, two]) => {
        for (const each of [one, two, 'ploinky_token'])
          for (const domain of ['Domain=localhost; ', 'Domain=.localhost; ', ''])
            for (const path of ['Path=/', 'Path=/api', 'Path=/dashboard'])
              document.cookie = `${each}=tossed; ${domain}${path}`
        for (const each of [one, two]) await fetch(`/toss?name=${each}`)
      },
      [name, theirs?.name ?? ''] as const,
    )
    const cookies = await context.cookies(`${main}/api/v1/status`)
    expect(cookies.filter(({ value }) => value === 'tossed')).toEqual([])
    expect((await context.cookies(victim)).filter(({ value }) => value === 'tossed')).toEqual([])
    expect(await isSignedIn()).toBe(200)
    expect((await (await visit('victim')).title()).trim()).toBe('victim')
  })

  it('cannot put a worker or a script of its own at the router', async () => {
    const tried = await page.evaluate(
      async (urls) => {
        const results: string[] = []
        for (const url of urls)
          results.push(
            await navigator.serviceWorker.register(url, { scope: '/' }).then(
              () => 'registered',
              (error: Error) => error.name,
            ),
          )
        return results
      },
      [`${main}/services/hostile/sw.js`, `${victim}/sw.js`],
    )
    expect(tried).toEqual(['SecurityError', 'SecurityError'])
    // Nor when a page of ours could be talked into it.
    const dashboard = await context.newPage()
    await dashboard.goto(`${main}/dashboard/`)
    const inside = await dashboard.evaluate(async () => {
      const worker = await navigator.serviceWorker.register('/services/hostile/sw.js', { scope: '/services/' }).then(
        () => 'registered',
        () => 'refused',
      )
      const script = document.createElement('script')
      const loaded = await new Promise<string>((resolve) => {
        script.onload = () => resolve('loaded')
        script.onerror = () => resolve('refused')
        try {
          script.src = '/services/hostile/x.js'
        } catch {
          resolve('refused')
        }
        document.head.append(script)
      })
      return [worker, loaded, String(Reflect.get(globalThis, 'ran'))]
    })
    expect(inside).toEqual(['refused', 'refused', 'undefined'])
    await dashboard.close()
  })

  it('cannot open a WebSocket to the router or another agent, but to itself', async () => {
    const ws = (url: string): string => url.replace(/^http/, 'ws')
    // It may have spoilt its own session before.
    const speaking = await visit('hostile')
    const tried = await speaking.evaluate(
      async (urls) =>
        await Promise.all(
          urls.map(
            (url) =>
              new Promise<string>((resolve) => {
                const socket = new WebSocket(url)
                socket.onmessage = ({ data }) => resolve(String(data))
                socket.onclose = () => resolve('closed')
              }),
          ),
        ),
      [
        ...[`${ws(main)}/webtty/victim/ws`, `${ws(main)}/services/victim/x`, `${ws(main)}/services/hostile/x`],
        ...[`${ws(victim)}/x`, `${ws(evil)}/x`],
      ],
    )
    expect(tried).toEqual(['closed', 'closed', 'closed', 'closed', 'hello from hostile'])
  })

  it('a session that has ended leads back by the router, without a second sign-in', async () => {
    const back = await visit('victim')
    await context.clearCookies({ name: /^ploinky_agent_/ })
    await back.goto(`${victim}/again?x=1`)
    if (host === '127.0.0.1') {
      await back.waitForURL(`${victim}/again?x=1`)
      await back.getByRole('heading', { name: 'victim' }).waitFor()
    }
    // Through a link of the hostile page, too.
    await page.goto(`${evil}/`)
    await page.evaluate((url) => {
      const link = document.createElement('a')
      link.href = url
      document.body.append(link)
      link.click()
    }, `${main}/services/victim/linked`)
    await page.waitForURL(`${victim}/linked`)
    await page.getByRole('heading', { name: 'victim' }).waitFor()
  })
})
