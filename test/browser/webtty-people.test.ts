/** Several people in one terminal: everybody sees all of it, and who is typing. */
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectAccessible, screenshot, skipReason } from './browser.ts'
import { enter, ready, sees, sessionOf, useTtyKit } from './tty-kit.ts'

interface Fit {
  readonly box: { readonly width: number; readonly height: number }
  readonly screen: { readonly width: number; readonly height: number }
  readonly scrolls: boolean
}

/** How much room there is, and how much the terminal takes of it. */
const fitOf = (page: Page): Promise<Fit> =>
  page.locator('.terminal-box').evaluate((box) => {
    const { width, height } = box.querySelector('.xterm-screen')?.getBoundingClientRect() ?? new DOMRect()
    box.scrollTo(1000, 1000)
    const scrolls = box.scrollTop !== 0 || box.scrollLeft !== 0
    return { box: { width: box.clientWidth, height: box.clientHeight }, screen: { width, height }, scrolls }
  })

/** The name at the cursor, and where it is; null: none to be seen. */
const nameAtCursor = (page: Page): Promise<{ text: string; inside: boolean } | null> =>
  page.evaluate(() => {
    const label = document.querySelector('.cursor-name.seen')
    const box = document.querySelector('.terminal-place')?.getBoundingClientRect()
    if (label === null || box === undefined) return null
    const { left, right, top, bottom } = label.getBoundingClientRect()
    const inside = left >= box.left && right <= box.right && top >= box.top && bottom <= box.bottom
    return { text: label.textContent ?? '', inside }
  })

describe.skipIf(skipReason !== null)('several people in a terminal', () => {
  const kit = useTtyKit()

  /** A guest of the session that `page` shows, in a small window. */
  async function invite(page: Page, role: 'viewer' | 'editor', viewport = { width: 420, height: 560 }) {
    const args = ['terminal', 'share', sessionOf(page), '--role', role]
    const { path } = await kit.workspace.json<{ path: string }>(args)
    const permissions = ['clipboard-read', 'clipboard-write']
    const guest = await kit.open(path.slice(1), { stranger: true, viewport, permissions })
    await guest.page.locator('.pane[data-connection=open]').waitFor()
    return guest
  }

  it('see all of it in a smaller window, sharp, without scrolling, and select what they point at', async () => {
    const { page, faults } = await kit.open(undefined, { viewport: { width: 1280, height: 800 } })
    await ready(page)
    await enter(page, `clear; printf '%*s\\n' $(($(stty size | cut -d' ' -f2) - 1)) rightmost; ls -l / | head -20`)
    await sees(page, 'rightmost')
    const guest = await invite(page, 'viewer')
    await sees(guest.page, 'rightmost')
    await guest.page.waitForFunction(() => document.querySelector('.terminal-box.shrunk') !== null)
    const { box, screen, scrolls } = await fitOf(guest.page)
    expect(scrolls).toBe(false)
    expect(screen.width).toBeLessThanOrEqual(box.width + 0.5)
    expect(screen.height).toBeLessThanOrEqual(box.height + 0.5)
    // As large as there is room for.
    expect(Math.max(screen.width / box.width, screen.height / box.height)).toBeGreaterThan(0.98)
    await screenshot(guest.page, 'webtty-viewer-small')
    await expectAccessible(guest.page)
    const row = guest.page.locator('.xterm-rows > div', { hasText: 'rightmost' }).first()
    const place = await row.boundingBox()
    await guest.page.mouse.dblclick(screen.width * 0.98 + (place?.x ?? 0), (place?.y ?? 0) + (place?.height ?? 0) / 2)
    await guest.page.keyboard.press('Control+Shift+C')
    await guest.page.waitForFunction(async () => (await navigator.clipboard.readText()) === 'rightmost')
    expect(guest.faults).toEqual([])
    expect(faults).toEqual([])
  })

  it('see the name of who types at the cursor, until nothing moves any more', async () => {
    const { page, faults } = await kit.open(undefined, { viewport: { width: 1000, height: 600 } })
    await ready(page)
    const guest = await invite(page, 'viewer', { width: 500, height: 500 })
    await enter(page, 'echo named')
    await sees(guest.page, /^named$/)
    await guest.page.waitForFunction(() => document.querySelector('.cursor-name.seen') !== null)
    const name = await nameAtCursor(guest.page)
    expect(name?.inside).toBe(true)
    expect(name?.text).toBe((await guest.page.locator('.peers .peer > span:not(.visually-hidden, .peer-active)').first().textContent()) ?? '') // prettier-ignore
    await screenshot(guest.page, 'webtty-cursor-name')
    // Nobody needs to be told that it was oneself.
    expect(await nameAtCursor(page)).toBeNull()
    await guest.page.waitForFunction(() => document.querySelector('.cursor-name.seen') === null)
    expect(guest.faults).toEqual([])
    expect(faults).toEqual([])
  })

  it('take turns: who types has the size, and the other sees all of it', async () => {
    const { page, faults } = await kit.open(undefined, { viewport: { width: 1200, height: 700 } })
    await ready(page)
    const guest = await invite(page, 'editor')
    await guest.page.waitForFunction(() => document.querySelector('.terminal-box.shrunk') !== null)
    await guest.page.locator('.terminal-place').click()
    await enter(guest.page, 'echo from-the-guest')
    await sees(page, /^from-the-guest$/)
    await guest.page.waitForFunction(() => document.querySelector('.terminal-box.shrunk') === null)
    await page.waitForFunction(() => document.querySelector('.cursor-name.seen')?.textContent?.startsWith('guest '))
    await screenshot(page, 'webtty-editor-types')
    await page.locator('.terminal-place').click()
    await enter(page, 'echo back')
    await sees(guest.page, /^back$/)
    await guest.page.waitForFunction(() => document.querySelector('.terminal-box.shrunk') !== null)
    expect(guest.faults).toEqual([])
    expect(faults).toEqual([])
  })
})
