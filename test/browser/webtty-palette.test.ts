/** The palette of commands on the page of terminals: it is there, and it takes no key from the program. */
import { describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, screenshot, skipReason } from './browser.ts'
import { AGENT, enter, ready, sees, useTtyKit } from './tty-kit.ts'

describe.skipIf(skipReason !== null)('the palette over terminals', () => {
  const kit = useTtyKit()

  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 320],
  ] as const) {
    it(`runs a command by keyboard, and gives the keys back, in ${colorScheme} at ${width} px`, async () => {
      const { page, faults } = await kit.open(undefined, { colorScheme, viewport: { width, height: 800 } })
      await ready(page)
      const loaded: string[] = []
      page.on('request', (request) => void loaded.push(request.url()))
      await page.keyboard.press('Alt+Shift+P')
      const field = page.getByRole('combobox')
      await field.waitFor()
      // What is not used is not loaded with the page.
      expect(loaded.filter((url) => /part-palette/.test(url)).length).toBe(1)
      await page.getByRole('option', { name: /^status/ }).waitFor()
      await expectAccessible(page)
      await expectNoOverflow(page)
      await screenshot(page, `webtty-palette-${colorScheme}-${width}`)
      await page.keyboard.type('list routes')
      await page.keyboard.press('Enter')
      await page.getByRole('button', { name: 'Run', exact: true }).click()
      await page.getByRole('region', { name: 'Result' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      await enter(page, 'echo ba""ck')
      await sees(page, /^back$/)
      expect(faults).toEqual([])
    })
  }

  it('Ctrl-K is the program’s in a terminal, and the palette’s beside it', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    // A shell that edits lines cuts to the end with it; this one says which byte came.
    await enter(page, 'stty raw -echo; printf go; head -c 1 | od -An -tx1; stty sane')
    await sees(page, /^go$/)
    await page.keyboard.press('Control+k')
    await sees(page, /\b0b\b/)
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('Control+F6')
    await page.getByRole('button', { name: 'New session' }).focus()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(faults).toEqual([])
  })

  it('is in the menu, and leads to other terminals and to the dashboard', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: /^All commands/ }).click()
    await page.getByRole('combobox').fill(AGENT)
    await page.getByRole('option', { name: new RegExp(`^${AGENT} Terminal`) }).click()
    await page.getByRole('tab').nth(1).waitFor()
    await page.keyboard.press('Alt+Shift+P')
    await page.getByRole('combobox').fill('Charts')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/dashboard\/#\/charts$/)
    expect(faults).toEqual([])
  })

  it('is not there for guests of a shared link, and on the page of agents it is', async () => {
    const { page } = await kit.open('webtty/')
    await page.getByRole('heading', { name: 'Open a terminal' }).or(page.locator('#picker-title')).first().waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').waitFor()
    await page.keyboard.press('Escape')
    const { page: owner } = await kit.open()
    await ready(owner)
    const id = new URL(owner.url()).searchParams.get('session') ?? ''
    const { path } = await kit.workspace.json<{ path: string }>(['terminal', 'share', id])
    const { page: guest } = await kit.open(path.slice(1), { stranger: true })
    await guest.locator('.pane[data-connection=open]').waitFor()
    await guest.keyboard.press('Alt+Shift+P')
    await guest.keyboard.press('Shift+F10')
    await guest.locator('#menu:popover-open').waitFor()
    expect(await guest.getByRole('button', { name: /^All commands/ }).count()).toBe(0)
    expect(await guest.getByRole('combobox').count()).toBe(0)
  })
})
