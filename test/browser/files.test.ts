/** The drawer of files, with the real router and an agent that is a plain process. */
import { readFile } from 'node:fs/promises'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWorkspace, type Workspace } from '../helpers/workspace.ts'
import {
  expectAccessible,
  expectNoOverflow,
  launch,
  openPage,
  screenshot,
  skipReason,
  type Watched,
} from './browser.ts'

const file = (name: string, text: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(text) })

describe.skipIf(skipReason !== null)('files of an agent', () => {
  let browser: Browser
  let workspace: Workspace
  let watched: Watched

  beforeAll(async () => {
    workspace = await createWorkspace()
    await workspace.json(['start', 'demo', '--runtime', 'host'])
    browser = await launch()
    watched = await openPage(browser, workspace.url)
    await watched.page.goto((await workspace.json<{ url: string }>(['open'])).url)
  })
  afterAll(async () => {
    await watched?.close()
    await browser?.close()
    await workspace?.[Symbol.asyncDispose]()
  })

  it('are looked at, uploaded, replaced when told, and downloaded', async () => {
    const { page } = watched
    await page.getByRole('button', { name: 'Files of demo' }).click()
    const drawer = page.getByRole('dialog', { name: 'Files of demo' })
    await drawer.getByText('The folder is empty').waitFor()
    const name = 'näme <b>"x".txt'
    await drawer.locator('input[type=file]').setInputFiles([file(name, 'one'), file('second.txt', 'two')])
    await drawer.getByRole('link', { name: `Download ${name}` }).waitFor()
    await drawer.getByRole('link', { name: 'Download second.txt' }).waitFor()
    await drawer.locator('input[type=file]').setInputFiles([file(name, 'three')])
    await drawer.getByRole('alert').filter({ hasText: 'Replace it?' }).waitFor()
    await expectAccessible(page)
    await expectNoOverflow(page)
    await screenshot(page, 'files-drawer')
    await drawer.getByRole('button', { name: `Replace ${name}` }).click()
    await drawer.getByText('uploaded, 5 B').waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      drawer.getByRole('link', { name: `Download ${name}` }).click(),
    ])
    expect(await readFile(await download.path(), 'utf8')).toBe('three')
    // The refused upload is the browser's own message of a 409.
    expect(watched.faults.filter((fault) => !fault.includes('409'))).toEqual([])
  })

  it('are dropped into the folder that is open, and by keyboard everything is in reach', async () => {
    const { page } = watched
    const drawer = page.getByRole('dialog', { name: 'Files of demo' })
    const data = await page.evaluateHandle(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(['dropped'], 'dropped.txt'))
      return transfer
    })
    await drawer.locator('.files-body').dispatchEvent('drop', { dataTransfer: data })
    await drawer.getByRole('link', { name: 'Download dropped.txt' }).waitFor()
    await drawer.getByRole('button', { name: 'root folder' }).press('Enter')
    await drawer.getByRole('alert').filter({ hasText: 'DENIED' }).waitFor()
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'detached' })
  })
})
