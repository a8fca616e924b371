import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commands } from '../../src/commands.ts'
import { expectAccessible, expectNoOverflow, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { Fixture } from './fixture.ts'
import { usePages, startFixture } from './fixture.ts'

describe.skipIf(skipReason !== null)('the pages around the dashboard', () => {
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
  const open = async (path: string, options = {}) => {
    watched = await openPage(pages.browser, fixture.origin, options)
    await watched.page.goto(fixture.origin + path)
    return watched.page
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [320, 1280]) {
      it(`sign-in and not-found are clean and accessible in ${colorScheme} at ${width} px`, async () => {
        const page = await open('/signin/', { colorScheme, viewport: { width, height: 720 } })
        await expectNoOverflow(page)
        await screenshot(page, `signin-${colorScheme}-${width}`)
        await expectAccessible(page)
        await page.goto(`${fixture.origin}/not-found/`)
        await expectNoOverflow(page)
        await screenshot(page, `not-found-${colorScheme}-${width}`)
        await expectAccessible(page)
        expect(watched.faults).toEqual([])
      })
    }
  }

  it('says why one is here and where one goes, however long that is, from right to left too', async () => {
    const wanted = `/services/${'long-name-'.repeat(30)}/`
    const page = await open(`/signin/?ended=1&returnTo=${encodeURIComponent(wanted)}`, {
      viewport: { width: 320, height: 720 },
    })
    await page.getByText('You were signed out').waitFor()
    await page.getByText(`You go on to ${wanted}`).waitFor()
    await page.evaluate(() => (document.documentElement.dir = 'rtl'))
    await expectNoOverflow(page)
    await expectAccessible(page)
    await screenshot(page, 'signin-ended-rtl-320')
    // Every command that is named is one.
    const said = await page.locator('code').allTextContents()
    await page.goto(`${fixture.origin}/not-found/`)
    said.push(...(await page.locator('code').allTextContents()))
    const names = commands.map(({ name }) => name)
    for (const line of said) expect(names).toContain(line.replace(/^ploinky /, '').replace(' NAME', ''))
    expect(said.length).toBe(6)
    await page.getByRole('navigation').getByRole('link', { name: 'All addresses' }).click()
    await page.waitForURL(`${fixture.origin}/dashboard/#/routes`)
  })

  it('says that a token is wrong, keeps it, and lets it be corrected', async () => {
    const page = await open('/signin/')
    const field = page.getByLabel('Operator token')
    await field.fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'not valid' }).waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    expect(await field.evaluate((input) => document.activeElement === input)).toBe(true)
    await screenshot(page, 'signin-wrong')
    await expectAccessible(page)
    await field.fill(' right-token ')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${fixture.origin}/dashboard/`)
    // The refused try is the one error that the browser itself reports.
    expect(watched.faults).toEqual([expect.stringContaining('401')])
  })

  it('never leads to another site', async () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example/',
      'javascript:alert(1)',
      '/\\evil.example',
      '/signin/',
    ]) {
      const page = await open(`/signin/?returnTo=${encodeURIComponent(next)}`)
      await page.getByLabel('Operator token').fill('right-token')
      await page.keyboard.press('Enter')
      await page.waitForURL(`${fixture.origin}/dashboard/`)
      await watched.close()
    }
    watched = await openPage(pages.browser, fixture.origin)
  })

  it('signs in without script too', async () => {
    const page = await open('/signin/', { javaScriptEnabled: false })
    await page.getByLabel('Operator token').fill('right-token')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${fixture.origin}/dashboard/`)
    expect(await page.locator('#app').textContent()).toContain('ploinky status')
  })
})
