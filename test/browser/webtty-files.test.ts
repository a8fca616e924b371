/** Files of an agent from the page of its terminal: dropped on it, or in the drawer. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectAccessible, screenshot, skipReason } from './browser.ts'
import { AGENT, enter, ready, sees, sessionOf, useTtyKit } from './tty-kit.ts'

/** Drags files over the terminal in front, and drops them. */
async function drag(page: Page, files: Record<string, string>, drop = true): Promise<void> {
  const data = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer()
    for (const [name, text] of Object.entries(all)) transfer.items.add(new File([text], name))
    return transfer
  }, files)
  const place = page.locator('.pane .terminal-place').last()
  await place.dispatchEvent('dragover', { dataTransfer: data })
  if (drop) await place.dispatchEvent('drop', { dataTransfer: data })
}

describe.skipIf(skipReason !== null)('files in the terminal page', () => {
  const kit = useTtyKit()
  /** The folder of the agent on this machine. */
  const inFolder = (name: string): string => join(kit.workspace.dir, 'agents', AGENT, name)

  it('that are dropped on a terminal are in the folder of its agent', async () => {
    const { page, faults } = await kit.open(undefined, { viewport: { width: 1000, height: 700 } })
    await ready(page)
    await drag(page, { 'one.txt': 'first' }, false)
    await page.getByText(`they go into the folder of ${AGENT}`).waitFor()
    await screenshot(page, 'webtty-drop')
    await drag(page, { 'one.txt': 'first', 'two wörds.txt': 'second' })
    const drawer = page.getByRole('dialog', { name: `Files of ${AGENT}` })
    await drawer.getByRole('link', { name: 'Download one.txt' }).waitFor()
    await drawer.getByRole('link', { name: 'Download two wörds.txt' }).waitFor()
    await screenshot(page, 'webtty-files')
    await expectAccessible(page)
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
    // The terminal has the focus again.
    await enter(page, 'echo fo""cus')
    await sees(page, /^focus$/)
    expect(await readFile(inFolder('one.txt'), 'utf8')).toBe('first')
    expect(await readFile(inFolder('two wörds.txt'), 'utf8')).toBe('second')
    expect(faults).toEqual([])
  })

  it('are asked about where one is there already, and stay as they are until then', async () => {
    const { page } = await kit.open()
    await ready(page)
    await writeFile(inFolder('kept.txt'), 'old')
    await drag(page, { 'kept.txt': 'new' })
    const drawer = page.getByRole('dialog', { name: `Files of ${AGENT}` })
    await drawer.getByRole('alert').filter({ hasText: 'Replace it?' }).waitFor()
    await drawer.getByRole('button', { name: 'Keep kept.txt' }).click()
    expect(await readFile(inFolder('kept.txt'), 'utf8')).toBe('old')
  })

  it('are opened by a button and by the menu, and are nothing for who came by a link', async () => {
    const { page, faults } = await kit.open()
    await ready(page)
    const drawer = page.getByRole('dialog', { name: `Files of ${AGENT}` })
    await page.getByRole('button', { name: 'Files' }).click()
    await drawer.waitFor()
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
    await page.keyboard.press('Shift+F10')
    await page.locator('#menu').getByRole('button', { name: 'Files…' }).click()
    await drawer.waitFor()
    for (const role of ['viewer', 'editor']) {
      const { path } = await kit.workspace.json<{ path: string }>([
        'terminal',
        'share',
        sessionOf(page),
        '--role',
        role,
      ])
      const guest = await kit.open(path.slice(1), { stranger: true })
      await guest.page.locator('.pane[data-connection=open]').waitFor()
      const seen: string[] = []
      guest.page.on('request', (request) => seen.push(request.url()))
      await drag(guest.page, { 'evil.txt': 'x' })
      expect(await guest.page.getByRole('button', { name: /^Files/ }).count()).toBe(0)
      expect(await guest.page.locator('dialog, .drop-hint').count()).toBe(0)
      expect(seen).toEqual([])
      expect(guest.faults).toEqual([])
    }
    expect(faults).toEqual([])
  })
})
