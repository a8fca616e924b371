/** Two browsers are signed in to a real router; one signs the other out. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, launch, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { RealRouter } from './router.ts'
import { startRealRouter } from './router.ts'

describe.skipIf(skipReason !== null)('sessions of browsers', () => {
  let browser: Browser
  let router: RealRouter
  let opened: Watched[] = []
  /** Of a page whose session is ended, the browser itself says that it was refused: what it asked meanwhile, if anything. */
  const faults = (): string[][] =>
    opened.map((watched, at) => watched.faults.filter((fault) => at === 0 || !fault.includes('401 (Unauthorized)')))

  beforeAll(async () => {
    router = await startRealRouter()
    browser = await launch()
  })
  afterEach(async () => {
    for (const watched of opened) await watched.close()
    opened = []
    await router.ploinky('session', 'end', '--others')
  })
  afterAll(async () => {
    await browser?.close()
    await router?.[Symbol.asyncDispose]()
  })

  const open = async (options = {}): Promise<Page> => {
    const watched = await openPage(browser, router.origin, options)
    opened.push(watched)
    await watched.page.goto(await router.loginLink())
    await watched.page.locator('[data-live=live]').waitFor()
    return watched.page
  }
  const access = async (page: Page): Promise<void> => {
    await page.evaluate(() => (location.hash = '#/access'))
    await page.getByRole('table', { name: 'Browsers that are signed in' }).waitFor()
  }
  const rows = (page: Page) =>
    page.getByRole('table', { name: 'Browsers that are signed in' }).locator('tbody').getByRole('row')

  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 320],
  ] as const) {
    it(`are shown, and one is signed out by another at once, in ${colorScheme} at ${width} px`, async () => {
      const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) Version/17.4 Mobile/15E148 Safari/604.1'
      const mine = await open({ colorScheme, viewport: { width, height: 900 } })
      await access(mine)
      const other = await open({ userAgent: phone })
      // It is told of the new one.
      await rows(mine).nth(1).waitFor()
      const own = rows(mine).filter({ hasText: 'This browser' })
      expect(await own.count()).toBe(1)
      expect(await own.textContent()).toMatch(/Chrome \d+ on Linux.*127\.0\.0\.1.*just now/)
      await expectNoOverflow(mine)
      await expectAccessible(mine)
      await rows(mine).first().scrollIntoViewIfNeeded()
      await screenshot(mine, `sessions-${colorScheme}-${width}`)
      await mine.getByRole('button', { name: /^Sign out Safari 17 on iPhone/ }).click()
      const dialog = mine.getByRole('dialog', { name: 'Sign out Safari 17 on iPhone?' })
      await dialog.getByText(/ploinky session end [0-9a-f]{12}/).waitFor()
      await dialog.getByRole('button', { name: 'Sign out', exact: true }).click()
      // Nobody touched the other one.
      await other.waitForURL(/\/signin\//)
      await other.getByText('You were signed out').waitFor()
      await screenshot(other, `signin-ended-${colorScheme}-${width}`)
      await expectAccessible(other)
      await rows(mine).nth(1).waitFor({ state: 'detached' })
      await mine.locator('[data-live=live]').waitFor()
      expect(faults()).toEqual([[], []])
    })
  }

  it('all others are signed out by keyboard, terminals of theirs too', async () => {
    const mine = await open()
    const other = await open()
    const terminal = await other.context().newPage()
    await terminal.goto(`${router.origin}/webtty/demo`)
    await terminal.locator('.xterm').waitFor()
    await access(mine)
    await rows(mine).nth(1).waitFor()
    await mine.getByRole('button', { name: 'Sign out all others' }).focus()
    await mine.keyboard.press('Enter')
    await mine.getByRole('dialog', { name: 'Sign out the other browser?' }).waitFor()
    await mine.keyboard.press('Tab')
    await mine.keyboard.press('Enter')
    await Promise.all([other.waitForURL(/\/signin\//), terminal.waitForURL(/\/signin\//)])
    await rows(mine).nth(1).waitFor({ state: 'detached' })
    expect(await router.ploinky('sessions')).toMatch(/^SESSION.*\n[0-9a-f]{12} .*\n?$/)
    expect(faults()).toEqual([[], []])
  })

  it('who signs out is not told that it was ended', async () => {
    const page = await open()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.waitForURL(/\/signin\//)
    await page.getByLabel('Operator token').waitFor()
    expect(new URL(page.url()).search).toBe('')
    expect(await page.locator('#ended').isVisible()).toBe(false)
    expect(await router.ploinky('sessions')).toContain('No browser is signed in')
  })
})
