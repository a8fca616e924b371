/** How the terminal page looks at three widths in both schemes, for people with and without sight, and on a phone. */
import { devices } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, screenshot, skipReason } from './browser.ts'
import { cutSockets, enter, ready, screens, sees, useTtyKit } from './tty-kit.ts'

const COLOURS = String.raw`clear; for c in 0 1 2 3 4 5 6 7; do printf "\033[3${'$'}{c}m colour \033[9${'$'}{c}m bright \033[0m"; done; printf '\n\033[1mbold\033[0m \033[3mitalic\033[0m \033[4munderlined\033[0m \033[7minverse\033[0m \033[38;2;255;120;0mtrue colour\033[0m\nhttps://example.org/a/link  日本語 😀\n'; ls -l / | head -12`

describe.skipIf(skipReason !== null)('the terminal page', () => {
  const kit = useTtyKit()

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [width, height] of [
      [320, 640],
      [768, 800],
      [1440, 860],
    ] as const) {
      it(`is clean and accessible in ${colorScheme} at ${width} px`, async () => {
        const { page, faults } = await kit.open(undefined, { colorScheme, viewport: { width, height } })
        await ready(page)
        await enter(page, COLOURS)
        await sees(page, '日本語')
        await page.locator('.latency').waitFor()
        await screenshot(page, `webtty-${colorScheme}-${width}`)
        await expectAccessible(page)
        await expectNoOverflow(page)
        await page.keyboard.press('Alt+Shift+D')
        await page.locator('.pane[data-connection=open]').nth(1).waitFor()
        await page.keyboard.press('Control+Shift+F')
        await page.getByLabel('Search in the terminal').fill('e')
        await page.locator('.search-count', { hasText: /\w/ }).waitFor()
        await screenshot(page, `webtty-split-${colorScheme}-${width}`)
        await expectAccessible(page)
        await page.getByLabel('Search in the terminal').press('Escape')
        await page.keyboard.press('Shift+F10')
        await page.locator('#menu:popover-open').waitFor()
        await screenshot(page, `webtty-menu-${colorScheme}-${width}`)
        await expectAccessible(page)
        await page.keyboard.press('Escape')
        await expectNoOverflow(page)
        expect(faults).toEqual([])
      })
    }

    it(`has dialogs that are accessible in ${colorScheme}`, async () => {
      const { page, faults } = await kit.open(undefined, { colorScheme, viewport: { width: 900, height: 800 } })
      await ready(page)
      for (const [item, heading] of [
        ['Sessions…', 'Sessions'],
        ['Share…', /^Share /],
        ['Settings…', 'Settings'],
        ['Keys…', 'Keys'],
        ['Recordings…', 'Recordings'],
        ['From a command line…', 'From a command line'],
        ['End session…', /^End /],
      ] as const) {
        await page.keyboard.press('Shift+F10')
        await page.locator('#menu').getByRole('button', { name: item }).click()
        const dialog = page.getByRole('dialog', { name: heading })
        await dialog.waitFor()
        await page.getByText(/^Loading/).waitFor({ state: 'detached' })
        await screenshot(page, `webtty-${item.replace(/\W+/g, '-').toLowerCase()}${colorScheme}`)
        await expectAccessible(page)
        await page.keyboard.press('Escape')
        await dialog.waitFor({ state: 'detached' })
      }
      expect(faults).toEqual([])
    })
  }

  it('tells a lost connection and a wrong address so that anybody gets it', async () => {
    const { page } = await kit.open(undefined, { viewport: { width: 900, height: 600 }, holdSockets: true })
    await ready(page)
    await page.evaluate(() => {
      Reflect.set(
        window,
        'WebSocket',
        class extends WebSocket {
          constructor() {
            super('ws://127.0.0.1:9/')
          }
        },
      )
    })
    await cutSockets(page)
    await page.getByText('Connection lost. Next try in').waitFor()
    await screenshot(page, 'webtty-lost')
    await expectAccessible(page)
    await page.goto(`${kit.workspace.url}/webtty/`)
    await page.getByRole('button', { name: 'Open a terminal in shell' }).waitFor()
    await screenshot(page, 'webtty-picker')
    await expectAccessible(page)
    await kit.workspace.json(['stop', 'shell'])
    await page.goto(`${kit.workspace.url}/webtty/shell?command=shell`)
    await page.getByRole('alert').getByText('AGENT_NOT_RUNNING').waitFor()
    await screenshot(page, 'webtty-stopped')
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Start shell', exact: true }).click()
    await ready(page)
  })

  it('can be read by a screen reader, and recoloured while it runs', async () => {
    const { page, faults } = await kit.open(undefined, { colorScheme: 'light' })
    await ready(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Settings…' }).click()
    await page.getByLabel(/^Screen reader/).check()
    await page.getByLabel('Colours').selectOption('solarizedDark')
    await page.getByRole('button', { name: 'Larger', exact: true }).click()
    await page.keyboard.press('Escape')
    await enter(page, 'echo spo""ken')
    await page.locator('.xterm-accessibility [role=listitem]', { hasText: /^spoken/ }).waitFor()
    const ground = await page
      .locator('.xterm-scrollable-element')
      .evaluate((one) => getComputedStyle(one).backgroundColor)
    const viewport = await page
      .locator('.xterm')
      .evaluate((one) =>
        [...one.querySelectorAll('*')].some((part) => getComputedStyle(part).backgroundColor === 'rgb(0, 43, 54)'),
      )
    expect(viewport || ground === 'rgb(0, 43, 54)').toBe(true)
    await expectAccessible(page)
    expect(faults).toEqual([])
  })

  it('works on a phone: keys, a line to type into, scrolling by finger', async () => {
    const { page, faults } = await kit.open(undefined, { ...devices['Pixel 7'], colorScheme: 'dark' })
    await page.locator('.key-bar').waitFor()
    await ready(page)
    await page.getByRole('button', { name: 'Type a whole line' }).tap()
    await page.getByLabel('Line of text').fill('seq 1 200; sleep 1000')
    await page.getByLabel('Line of text').press('Enter')
    await sees(page, /^200$/)
    await page.getByRole('button', { name: 'Control C' }).tap()
    await sees(page, /^\^C/)
    await screenshot(page, 'webtty-phone')
    const box = await page.locator('.terminal-place').boundingBox()
    const cdp = await page.context().newCDPSession(page)
    const x = (box?.x ?? 0) + 100
    const top = (box?.y ?? 0) + 40
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [{ x, y: top }] })
    for (let y = top; y < top + 300; y += 20) {
      await cdp.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [{ x, y }] })
    }
    await cdp.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    await page.waitForFunction(() => !/\^C/.test(document.querySelector('.xterm-rows')?.textContent ?? ''))
    await page.getByRole('button', { name: 'Ctrl', exact: true }).tap()
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type('l')
    await page.getByLabel('Line of text').fill('cat -v')
    await page.getByLabel('Line of text').press('Enter')
    await page.getByRole('button', { name: 'Up', exact: true }).tap()
    await sees(page, '^[[A')
    await expectAccessible(page)
    await expectNoOverflow(page)
    expect((await screens(page))[0]).not.toContain('sleep 1000')
    expect(faults).toEqual([])
  })

  it('draws with WebGL when asked, and goes on without', async () => {
    const { page } = await kit.open(undefined, { colorScheme: 'dark' })
    await ready(page)
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Settings…' }).click()
    await page.getByLabel('Draw on the graphics card').check()
    await page.keyboard.press('Escape')
    await page.locator('.xterm-screen canvas').first().waitFor()
    await page.keyboard.press('Shift+F10')
    await page.getByRole('button', { name: 'Settings…' }).click()
    await page.getByLabel('Draw on the graphics card').uncheck()
    await page.keyboard.press('Escape')
    await enter(page, 'echo el""ements')
    await sees(page, 'elements')
  })
})
