/** The pages with the real router and a real agent (a plain process): what a person does in the first minutes. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePort, runtimeName } from '../helpers/workspace.ts'
import { expectAccessible, launch, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import { POLICY } from './fixture.ts'

const BIN = join(dirname(fileURLToPath(import.meta.url)), '../../dist/ploinky.cjs')
const run = promisify(execFile)

describe.skipIf(skipReason !== null)('with the real router', () => {
  let browser: Browser
  let workspace: string
  let origin: string
  let watched: Watched | null = null

  const ploinky = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(process.execPath, [BIN, '--workspace', workspace, ...args], { timeout: 90_000 })
    return stdout
  }
  const loginLink = async (): Promise<string> => {
    const link = /https?:\/\/\S+token=\S+/.exec(await ploinky('open'))?.[0]
    if (link === undefined) throw new Error('No link in the answer of "ploinky open"')
    return link
  }
  const open = async (url: string, options = {}) => {
    watched = await openPage(browser, origin, options)
    await watched.page.goto(url)
    return watched.page
  }

  beforeAll(async () => {
    if (!existsSync(BIN)) throw new Error('dist/ploinky.cjs is missing; run: npm run build')
    workspace = await mkdtemp(join(tmpdir(), 'ploinky-test-pages-'))
    const port = await freePort()
    origin = `http://127.0.0.1:${port}`
    await ploinky('start', 'demo', String(port), '--runtime', runtimeName)
    browser = await launch()
  })
  afterEach(async () => {
    await watched?.close()
    watched = null
  })
  afterAll(async () => {
    await browser?.close()
    await ploinky('destroy', '--yes')
    await rm(workspace, { recursive: true, force: true })
  })

  it('every page is under the strict policy', async () => {
    for (const path of ['/signin/', '/signin/main.js']) {
      const policy = (await fetch(origin + path)).headers.get('content-security-policy') ?? ''
      for (const rule of POLICY.split('; ')) expect(policy.split('; ')).toContain(rule)
      expect(policy).not.toMatch(/unsafe|https?:|\*/)
    }
  })

  it('the printed link signs in, once, and leaves the address', async () => {
    const link = await loginLink()
    const page = await open(link)
    await page.waitForURL(`${origin}/dashboard/`)
    await page.locator('[data-agent=demo]', { hasText: 'Ready' }).waitFor()
    await page.locator('[data-live=live]').waitFor()
    await expectAccessible(page)
    await screenshot(page, 'journey-dashboard')
    expect(watched?.faults).toEqual([])
    await watched?.close()
    const again = await open(link)
    await again.waitForURL(/\/signin\//)
  })

  it('a stranger is asked for the token, and gets where he wanted', async () => {
    const page = await open(`${origin}/dashboard/`)
    await page.waitForURL(/\/signin\/\?returnTo=/)
    await page.getByLabel('Operator token').fill('not-the-token')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').filter({ hasText: 'not valid' }).waitFor()
    await page.getByLabel('Operator token').fill((await ploinky('token')).trim())
    await page.keyboard.press('Enter')
    await page.waitForURL(`${origin}/dashboard/`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.waitForURL(/\/signin\//)
    await page.goto(`${origin}/dashboard/`)
    await page.waitForURL(/\/signin\//)
  })

  it('signs in without script', async () => {
    const page = await open(`${origin}/signin/`, { javaScriptEnabled: false })
    await page.getByLabel('Operator token').fill((await ploinky('token')).trim())
    await page.keyboard.press('Enter')
    await page.waitForURL(`${origin}/dashboard/`)
  })

  it('stops, starts and restarts an agent, and follows what is done elsewhere', async () => {
    const page = await open(await loginLink())
    const card = page.locator('[data-agent=demo]')
    await card.getByRole('button', { name: 'Stop demo' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop demo', exact: true }).click()
    await card.getByText('Stopped').waitFor()
    expect(await ploinky('status')).toMatch(/demo\s+stopped/)
    await card.getByRole('button', { name: 'Start demo', exact: true }).click()
    await card.getByText('Ready').waitFor()
    expect(await ploinky('status')).toMatch(/demo\s+ready/)
    await ploinky('stop', 'demo')
    await card.getByText('Stopped').waitFor()
    await ploinky('start', 'demo')
    await card.getByText('Ready').waitFor()
    await card.getByRole('button', { name: 'Restart demo' }).click()
    await page.locator('.notice', { hasText: 'Restarted demo' }).waitFor()
    expect(watched?.faults).toEqual([])
  })

  it("shows the agent's log and leads to its page", async () => {
    const page = await open(await loginLink())
    await page.getByRole('link', { name: 'Logs of demo' }).click()
    await page.getByRole('log').getByText('Agent is listening').first().waitFor()
    await page.goBack()
    await page.getByRole('link', { name: 'Open page of demo' }).click()
    await page.waitForURL(`http://demo.localhost:${new URL(origin).port}/`)
    await page.getByRole('button', { name: 'Call' }).first().click()
    await page.locator('output, pre, [role=status]').filter({ hasText: 'Hello, agent' }).first().waitFor()
    await screenshot(page, 'journey-demo-page')
    // To its own origin it goes, and to no other.
    const foreign = /^foreign request: http:\/\/demo\.localhost:\d+\//
    expect(watched?.faults.filter((fault) => !foreign.test(fault))).toEqual([])
  })

  it('answers a wrong address with a page', async () => {
    const page = await open(await loginLink())
    await page.waitForURL(`${origin}/dashboard/`)
    const answer = await page.goto(`${origin}/no/such/page`)
    expect(answer?.status()).toBe(404)
    await page.getByRole('heading', { name: 'There is nothing at this address' }).waitFor()
    await page.getByRole('link', { name: 'Open the dashboard' }).click()
    await page.waitForURL(`${origin}/dashboard/`)
    expect(watched?.faults.filter((fault) => !fault.includes('404'))).toEqual([])
  })
})
