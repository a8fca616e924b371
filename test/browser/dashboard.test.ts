import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { Fixture } from './fixture.ts'
import { agent, usePages, startFixture } from './fixture.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e"><script>alert(1)</script>'
const LONG = 'a-name-without-any-place-to-break-it-'.repeat(6)

function everyState() {
  return [
    agent('demo', { static: true, about: 'A page, tools and a chat to try things out' }),
    agent('researcher', { about: 'Reads papers and answers questions about them', state: 'starting', pageUrl: null }),
    agent('shell', { runtime: 'podman', image: 'docker.io/library/alpine:3', state: 'unready', pageUrl: null }),
    agent('translator', {
      state: 'failed',
      mcpUrl: null,
      pageUrl: null,
      lastError: {
        code: 'IMAGE_NOT_FOUND',
        message: 'Image not found: "ghcr.io/acme/translator:9"',
        hint: 'ploinky logs translator',
      },
    }),
    agent('notes', {
      state: 'stopped',
      mcpUrl: null,
      pageUrl: null,
      startedAt: null,
      about: 'Keeps notes in the workspace',
    }),
    agent('extra', {
      state: 'disabled',
      mcpUrl: null,
      pageUrl: null,
      startedAt: null,
      runtime: '',
      image: '',
      container: '',
    }),
  ]
}

describe.skipIf(skipReason !== null)('the dashboard', () => {
  const pages = usePages()
  let fixture: Fixture
  let watched: Watched

  beforeEach(async () => {
    fixture = await startFixture(pages.dir)
  })
  afterEach(async () => {
    await watched.close()
    await fixture.close()
  })
  const open = async (options = {}) => {
    watched = await openPage(pages.browser, fixture.origin, options)
    await watched.page.goto(`${fixture.origin}/dashboard/`)
    return watched.page
  }

  it.each(['main.js', 'part-chunk-*.js', 'main.css'])('loads itself again when %s did not come', async (part) => {
    watched = await openPage(pages.browser, fixture.origin)
    const { page, faults } = watched
    let cuts = 0
    await page.route(`**/dashboard/${part}`, (route) => ((cuts += 1) <= 2 ? route.abort() : route.continue()))
    await page.goto(`${fixture.origin}/dashboard/`)
    await expect.poll(() => cuts, { timeout: 10_000 }).toBeGreaterThan(2)
    await page.locator('[data-live=live]').waitFor()
    expect(faults.filter((fault) => !fault.includes('net::ERR_FAILED'))).toEqual([])
  })

  it('says so when a part does not come at all', async () => {
    watched = await openPage(pages.browser, fixture.origin)
    const { page } = watched
    let cuts = 0
    await page.route('**/dashboard/main.js', (route) => ((cuts += 1), route.abort()))
    await page.goto(`${fixture.origin}/dashboard/`)
    await page.getByRole('alert').getByText('A part of this page did not come').waitFor()
    expect(cuts).toBe(4)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [
      [320, 800],
      [768, 1024],
      [1280, 860],
      [1720, 1000],
    ] as const) {
      it(`is clean and accessible in ${colorScheme} at ${width} px`, async () => {
        fixture.state.agents = everyState()
        const page = await open({ colorScheme, viewport: { width, height } })
        await page.getByText('Live', { exact: true }).first().waitFor({ state: 'attached' })
        await page.locator('[data-agent]').nth(5).waitFor()
        await fixture.emit('agent.started', 'demo')
        await fixture.emit('agent.failed', 'translator', 'ada')
        await page.locator('.activity li').nth(1).waitFor()
        await expectNoOverflow(page)
        await screenshot(page, `dashboard-${colorScheme}-${width}`)
        await expectAccessible(page)
        expect(watched.faults).toEqual([])
      })
    }
  }

  it('shows what happens while it is open', async () => {
    const page = await open()
    await page.locator('[data-agent=demo]', { hasText: 'Ready' }).waitFor()
    fixture.state.agents = [
      agent('demo', { state: 'failed', lastError: { code: 'AGENT_FAILED', message: 'It ended with exit code 1' } }),
    ]
    await fixture.emit('agent.failed', 'demo')
    await page.locator('[data-agent=demo]', { hasText: 'It ended with exit code 1' }).waitFor()
    fixture.state.agents = [...fixture.state.agents, agent('second')]
    await fixture.emit('agent.enabled', 'second')
    await page.locator('[data-agent=second]').waitFor()
    expect(watched.faults).toEqual([])
  })

  it('says that it lost the connection, and catches up by itself', async () => {
    const page = await open()
    await page.locator('[data-live=live]').waitFor()
    fixture.state.acceptsEvents = false
    fixture.dropConnections()
    await page.locator('[data-live=waiting]').waitFor()
    await page
      .getByText(/^Offline, next try in/)
      .first()
      .waitFor()
    await screenshot(page, 'dashboard-offline')
    await expectAccessible(page)
    fixture.state.agents = [agent('demo'), agent('meanwhile')]
    fixture.state.acceptsEvents = true
    // On a slow machine the page is back by itself before the click.
    await page.getByRole('button', { name: 'Reconnect now' }).or(page.locator('[data-live=live]')).first().click()
    await page.locator('[data-live=live]').waitFor()
    await page.locator('[data-agent=meanwhile]').waitFor()
  })

  it('restarts at once, asks before it stops, and shows the command for both', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Restart demo' }).click()
    const notice = page.locator('.notice', { hasText: 'Restarted demo' })
    await notice.waitFor()
    expect(await notice.locator('code').last().textContent()).toBe('ploinky restart demo')
    const stop = page.getByRole('button', { name: 'Stop demo' })
    await stop.click()
    const dialog = page.getByRole('dialog', { name: 'Stop demo?' })
    await dialog.waitFor()
    expect(await dialog.locator('code').textContent()).toBe('ploinky stop demo')
    await screenshot(page, 'dashboard-confirm')
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(fixture.state.calls.filter((call) => call.endsWith('/stop'))).toEqual([])
    await stop.click()
    await dialog.getByRole('button', { name: 'Stop demo', exact: true }).click()
    await page.locator('[data-agent=demo]', { hasText: 'Stopped' }).waitFor()
    await page.getByRole('button', { name: 'Start demo', exact: true }).waitFor()
    expect(watched.faults).toEqual([])
  })

  it('shows what is under way, and takes one click for one', async () => {
    let release = (): void => {}
    fixture.state.gate = new Promise((resolve) => {
      release = resolve
    })
    const page = await open()
    const button = page.getByRole('button', { name: 'Restart demo' })
    await button.click()
    await page.locator('[data-agent=demo]', { hasText: 'Restarting' }).waitFor()
    await button.click({ force: true })
    await button.press('Enter')
    release()
    await page.locator('.notice', { hasText: 'Restarted demo' }).waitFor()
    expect(fixture.state.calls.filter((call) => call.endsWith('/restart'))).toHaveLength(1)
  })

  it('explains what went wrong, and what to do', async () => {
    const page = await open()
    await page.locator('[data-agent=demo]').waitFor()
    fixture.state.failure = {
      status: 503,
      code: 'RUNTIME_UNAVAILABLE',
      message: 'Docker does not answer',
      suggestion: 'ploinky doctor',
    }
    await page.getByRole('button', { name: 'Restart demo' }).click()
    const notice = page.getByRole('alert').filter({ hasText: 'Could not restart demo' })
    await notice.getByText('RUNTIME_UNAVAILABLE').waitFor()
    await notice.getByText('Docker does not answer', { exact: true }).waitFor()
    expect(await notice.locator('.command code').textContent()).toBe('ploinky doctor')
    await page.getByText('The state of the agents cannot be read: Docker does not answer').waitFor()
    await screenshot(page, 'dashboard-error')
    await expectAccessible(page)
    await notice.getByRole('button', { name: /^Dismiss/ }).click()
    await notice.waitFor({ state: 'detached' })
    fixture.state.failure = null
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('The state of the agents cannot be read').waitFor({ state: 'detached' })
  })

  it('tells a newcomer what to do first', async () => {
    fixture.state.agents = []
    const page = await open({ viewport: { width: 900, height: 700 } })
    await page.getByRole('heading', { name: 'No agents yet' }).waitFor()
    await page.getByText('ploinky start demo', { exact: true }).waitFor()
    await screenshot(page, 'dashboard-empty')
    await expectAccessible(page)
    expect(watched.faults).toEqual([])
  })

  it('shows hostile and endless names as text, and links to nothing foreign', async () => {
    fixture.state.agents = [
      agent('x', {
        name: HOSTILE,
        about: HOSTILE,
        image: HOSTILE,
        mcpUrl: '//evil.example/mcp',
        pageUrl: 'javascript:alert(1)',
        lastError: { code: HOSTILE, message: HOSTILE, hint: `ploinky start ${HOSTILE}` },
      }),
      agent(LONG, { about: LONG, image: LONG }),
    ]
    const page = await open({ viewport: { width: 320, height: 800 } })
    await page.locator('[data-agent]').nth(1).waitFor()
    expect(await page.locator('.agent script, .agent img').count()).toBe(0)
    const links = await page
      .locator('a[href]')
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href))
    expect(links.filter((link) => !link.startsWith(fixture.origin) || link.includes('evil'))).toEqual([])
    await expectNoOverflow(page)
    await screenshot(page, 'dashboard-hostile')
    await expectAccessible(page)
    expect(watched.faults).toEqual([])
  })

  it('works by keyboard alone', async () => {
    fixture.state.agents = everyState()
    const page = await open()
    await page.locator('[data-agent=demo]').waitFor()
    const focused = () =>
      page.evaluate(
        () => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '',
      )
    const tabTo = async (name: string): Promise<void> => {
      for (let i = 0; i < 60 && (await focused()) !== name; i++) await page.keyboard.press('Tab')
      expect(await focused()).toBe(name)
    }
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the content')
    await page.keyboard.press('Enter')
    await tabTo('Logs of demo')
    await page.keyboard.press('Enter')
    await page.waitForURL(/#\/logs\?agent=demo$/)
    await page.goBack()
    await page.locator('[data-agent=demo]').waitFor()
    await tabTo('Stop demo')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Stop demo?' })
    await dialog.waitFor()
    expect(await focused()).toBe('Cancel')
    await tabTo('Stop demo')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Start demo', exact: true }).waitFor()
    await page.keyboard.press('/')
    expect(await focused()).toBe('Filter agents by name, state or image')
    await page.keyboard.type('failed')
    await page.locator('[data-agent=demo]').waitFor({ state: 'detached' })
    expect(await page.locator('[data-agent]').count()).toBe(1)
    expect(watched.faults).toEqual([])
  })

  it('copies the full MCP address', async () => {
    const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] })
    await page.getByRole('button', { name: 'Copy MCP address of demo' }).click()
    await page.getByText('Copied').waitFor({ state: 'attached' })
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`${fixture.origin}/mcps/demo/mcp`)
  })

  it('keeps the chosen colours', async () => {
    const page = await open({ colorScheme: 'light' })
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    const light = await background()
    await page.getByRole('button', { name: /^Colours: as the system/ }).click()
    await page.getByRole('button', { name: /^Colours: light/ }).click()
    const dark = await background()
    expect(dark).not.toBe(light)
    await page.reload()
    expect(await background()).toBe(dark)
  })

  it('leaves for the sign-in page when the sign-in has ended, and comes back', async () => {
    fixture.state.signedIn = false
    const page = await open()
    await page.waitForURL(/\/signin\/\?returnTo=%2Fdashboard%2F&ended=1$/)
    await page.getByLabel('Operator token').fill('right-token')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${fixture.origin}/dashboard/`)
    await page.locator('[data-agent=demo]').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(`${fixture.origin}/signin/`)
  })
})
