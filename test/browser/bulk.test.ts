/** Several agents at once in the dashboard: chosen by mouse and by keyboard, asked about once, told one by one. */
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { Fixture } from './fixture.ts'
import { agent, usePages, startFixture } from './fixture.ts'
import { runtimeName } from '../helpers/workspace.ts'
import { startRealRouter } from './router.ts'

describe.skipIf(skipReason !== null)('several agents at once', () => {
  const pages = usePages()
  let fixture: Fixture
  let watched: Watched | null = null

  beforeEach(async () => {
    fixture = await startFixture(pages.dir)
    fixture.state.agents = 'abcdef'
      .split('')
      .map((letter) =>
        agent(
          `agent-${letter}`,
          letter === 'f' ? { state: 'stopped', about: 'Keeps notes' } : { about: 'Keeps notes' },
        ),
      )
  })
  afterEach(async () => {
    await watched?.close()
    await fixture.close()
  })

  const open = async (options = {}): Promise<Page> => {
    watched = await openPage(pages.browser, fixture.origin, options)
    await watched.page.goto(`${fixture.origin}/dashboard/`)
    await watched.page.locator('[data-live=live]').waitFor()
    await watched.page.locator('[data-agent=agent-f]').waitFor()
    return watched.page
  }
  const chosen = (page: Page): Promise<string[]> =>
    page
      .locator('.agent:has(.choose input:checked)')
      .evaluateAll((rows) => rows.map((row) => row.dataset['agent'] ?? ''))
  const focused = (page: Page): Promise<string> =>
    page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-agent]')?.dataset['agent'] ?? '')

  it('are chosen by keyboard, with the focus in sight, and opened with Enter', async () => {
    const page = await open()
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('agent-b')
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)
    expect(ring).toBe('solid')
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('X')
    expect(await chosen(page)).toEqual(['agent-b', 'agent-c', 'agent-d'])
    await page.keyboard.press('k')
    await page.keyboard.press('x')
    expect(await chosen(page)).toEqual(['agent-b', 'agent-d'])
    await page.keyboard.press('Escape')
    expect(await chosen(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'agent-c' }).waitFor()
    // The page of one agent asks for more than this small server knows.
    expect(watched?.faults.filter((fault) => !fault.includes('404'))).toEqual([])
  })

  it('the keys are told by "?", type as letters in a field, and can be switched off', async () => {
    const page = await open()
    await page.keyboard.press('?')
    const dialog = page.getByRole('dialog', { name: 'Keys of this list' })
    await dialog.waitFor()
    await screenshot(page, 'agents-keys')
    await expectAccessible(page)
    await page.keyboard.press('j')
    await dialog.getByLabel('Single letters are keys').uncheck()
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('')
    await page.reload()
    await page.locator('[data-agent=agent-f]').waitFor()
    await page.keyboard.press('j')
    expect(await focused(page)).toBe('')
    await page.getByRole('button', { name: 'Keys of this list' }).click()
    await dialog.getByLabel('Single letters are keys').check()
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('jx?')
    expect(await page.getByRole('searchbox').inputValue()).toBe('jx?')
    expect(watched?.faults).toEqual([])
  })

  it('are chosen by mouse, one by one, as a range, and all; a filter hides none of them from sight', async () => {
    const page = await open()
    const box = (letter: string) => page.getByRole('checkbox', { name: `Select agent-${letter}` })
    await box('a').check()
    await box('d').click({ modifiers: ['Shift'] })
    expect(await chosen(page)).toEqual(['agent-a', 'agent-b', 'agent-c', 'agent-d'])
    await box('b').uncheck()
    await page.getByText('3 selected').first().waitFor()
    await page.getByRole('searchbox').fill('agent-c')
    await page.getByText('1 selected').first().waitFor()
    // Only what is in sight is meant.
    await page.getByRole('button', { name: 'Stop 1 agent' }).waitFor()
    await page.getByRole('searchbox').fill('')
    await page.getByRole('toolbar').getByRole('checkbox').check()
    expect((await chosen(page)).length).toBe(6)
    await page.getByRole('button', { name: 'Stop 5 agents' }).waitFor()
    await page.getByRole('button', { name: 'Start 1 agent' }).waitFor()
    await page.getByRole('button', { name: 'Clear the selection' }).click()
    expect(await chosen(page)).toEqual([])
  })

  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 320],
  ] as const) {
    it(`are asked about once, and each failure is told, in ${colorScheme} at ${width} px`, async () => {
      const page = await open({ colorScheme, viewport: { width, height: 900 } })
      const message = 'The engine does not answer'
      await page.route('**/agents/agent-b/stop', (route) =>
        route.fulfill({
          status: 503,
          json: { error: { code: 'RUNTIME_FAILED', message, details: { suggestion: 'Run: ploinky doctor' } } },
        }),
      )
      for (const letter of 'abc') await page.getByRole('checkbox', { name: `Select agent-${letter}` }).check()
      await expectNoOverflow(page)
      await expectAccessible(page)
      await screenshot(page, `agents-chosen-${colorScheme}-${width}`)
      await page.getByRole('button', { name: 'Stop 3 agents' }).click()
      const dialog = page.getByRole('dialog', { name: 'Stop 3 agents?' })
      await dialog.getByText('agent-a, agent-b, and agent-c').waitFor()
      await dialog.getByText('ploinky stop agent-a && ploinky stop agent-b && ploinky stop agent-c').waitFor()
      await dialog.getByRole('button', { name: 'Stop 3 agents' }).click()
      await page.getByText('Stopped 2 agents, 1 failed').waitFor()
      expect(await page.locator('[data-bulk]').allTextContents()).toEqual([
        'agent-a Stopped',
        `agent-b Failed: ${message} RUNTIME_FAILED Run: ploinky doctor`,
        'agent-c Stopped',
      ])
      await page.locator('[data-agent=agent-c]', { hasText: 'Stopped' }).waitFor()
      // What failed is still chosen, for another try.
      expect(await chosen(page)).toEqual(['agent-b'])
      await expectNoOverflow(page)
      await expectAccessible(page)
      await screenshot(page, `agents-bulk-${colorScheme}-${width}`)
      expect(fixture.state.calls.filter((call) => call.startsWith('POST'))).toEqual([
        'POST /api/v1/agents/agent-a/stop',
        'POST /api/v1/agents/agent-c/stop',
      ])
      await page.getByRole('button', { name: 'Close the results' }).click()
      await page.locator('.bulk').waitFor({ state: 'detached' })
      // The refused call is the one error that the browser itself reports.
      expect(watched?.faults).toEqual([expect.stringContaining('503')])
    })
  }

  it('can be stopped half-way; what was not begun is left as it was', async () => {
    const page = await open()
    let release = (): void => {}
    fixture.state.gate = new Promise((resolve) => (release = resolve))
    for (const letter of 'abc') await page.getByRole('checkbox', { name: `Select agent-${letter}` }).check()
    await page.getByRole('button', { name: 'Restart 3 agents' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Restart 3 agents' }).click()
    await page.getByText('Restarting: 0 of 3').waitFor()
    await page.getByRole('button', { name: 'Stop after this one' }).click()
    release()
    await page.getByText('Restarted 1 agent, 2 left as they were').waitFor()
    expect(fixture.state.calls.filter((call) => call.startsWith('POST'))).toEqual([
      'POST /api/v1/agents/agent-a/restart',
    ])
    expect(watched?.faults).toEqual([])
  })

  it('the list is compact when asked, at every width, and stays so', async () => {
    const page = await open({ viewport: { width: 1440, height: 900 } })
    const height = () => page.locator('[data-agent=agent-a]').evaluate((row) => row.getBoundingClientRect().height)
    const before = await height()
    await page.getByRole('button', { name: /^Rows: comfortable/ }).click()
    expect(await height()).toBeLessThan(before * 0.75)
    await page.reload()
    await page.locator('[data-agent=agent-f]').waitFor()
    expect(await height()).toBeLessThan(before * 0.75)
    await screenshot(page, 'agents-compact-light-1440')
    await expectAccessible(page)
    await page.setViewportSize({ width: 320, height: 800 })
    await expectNoOverflow(page)
    await screenshot(page, 'agents-compact-light-320')
    await expectAccessible(page)
    // A finger still finds each: 24 pixels (WCAG 2.5.8).
    const sizes = await page
      .locator('.agents button, .agents a.button, .agents .choose')
      .evaluateAll((all) => all.map((each) => each.getBoundingClientRect()).filter(({ width }) => width > 0))
    for (const { width, height: high } of sizes) expect(Math.min(width, high)).toBeGreaterThanOrEqual(24)
    expect(watched?.faults).toEqual([])
  })

  it('really stops, starts and disables them', { timeout: 120_000 }, async () => {
    await using router = await startRealRouter()
    await router.ploinky('start', 'shell', '--runtime', runtimeName)
    watched = await openPage(pages.browser, router.origin)
    const { page } = watched
    await page.goto(await router.loginLink())
    await page.locator('[data-agent=shell]').waitFor()
    for (const [action, done, state] of [
      ['Stop', 'Stopped', /^stopped$/],
      ['Start', 'Started', /^ready$/],
      ['Disable', 'Disabled', null],
    ] as const) {
      await page.getByRole('toolbar').getByRole('checkbox').check()
      await page.getByRole('button', { name: `${action} 2 agents` }).click()
      await page
        .getByRole('dialog')
        .getByRole('button', { name: `${action} 2 agents` })
        .click()
      await page.getByText(`${done} 2 agents`, { exact: true }).first().waitFor({ timeout: 60_000 })
      const status = JSON.parse(await router.ploinky('status', '--json')) as { agents: { state: string }[] }
      for (const agent of status.agents) expect(agent.state).toMatch(state ?? /disabled/)
    }
    expect(watched.faults).toEqual([])
  })
})
