/** Managing from the dashboard, with the real router: what is shown comes from it, and what is done is really done. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, launch, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { RealRouter } from './router.ts'
import { startRealRouter } from './router.ts'

const HOSTILE = '<img src=x onerror=alert(1)>"><script>alert(1)</script>'

/** An agent that wants to run a command on this machine, and whose every word is an attack on the page. */
async function writeHostileAgent(folder: string): Promise<void> {
  const agent = join(folder, 'evil')
  await mkdir(agent, { recursive: true })
  const manifest = {
    about: HOSTILE,
    container: 'docker.io/library/node:24-alpine',
    preinstall: `touch "${join(folder, 'ran-on-host')}"`,
    readiness: { protocol: 'mcp' },
  }
  const tool = {
    ...{ name: 'evil', title: HOSTILE, description: HOSTILE, command: 'node', args: ['evil.mjs'], cwd: '.' },
    inputSchema: { word: { type: 'string', optional: true, description: HOSTILE } },
  }
  await writeFile(join(agent, 'manifest.json'), JSON.stringify(manifest))
  await writeFile(join(agent, 'mcp-config.json'), JSON.stringify({ tools: [tool] }))
  await writeFile(join(agent, 'evil.mjs'), `process.stdout.write(${JSON.stringify(HOSTILE)})`)
}

const SECTIONS = ['catalog', 'tools', 'access', 'variables', 'repositories', 'profiles', 'routes', 'settings']

describe.skipIf(skipReason !== null)('managing from the dashboard', () => {
  let browser: Browser
  let router: RealRouter
  let repository: string
  let watched: Watched | null = null

  beforeAll(async () => {
    router = await startRealRouter()
    repository = join(router.workspace, 'hostile')
    await writeHostileAgent(repository)
    await router.ploinky('add', 'repo', repository)
    browser = await launch()
  })
  afterEach(async () => {
    await watched?.close()
    watched = null
  })
  afterAll(async () => {
    await browser?.close()
    await router?.[Symbol.asyncDispose]()
  })

  const open = async (section: string, options = {}): Promise<Page> => {
    watched = await openPage(browser, router.origin, options)
    await watched.page.goto(await router.loginLink())
    await watched.page.locator('[data-live=live]').waitFor()
    await visit(watched.page, section)
    return watched.page
  }
  const visit = async (page: Page, section: string): Promise<void> => {
    await page.evaluate((hash) => (location.hash = hash), `#/${section}`)
    await page.locator('.skeleton').first().waitFor({ state: 'detached' })
    await page.locator('#view-title').waitFor()
  }

  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 320],
    ['light', 768],
    ['dark', 1440],
  ] as const) {
    it(`every section is clean and accessible in ${colorScheme} at ${width} px`, async () => {
      const page = await open('agents/demo', { colorScheme, viewport: { width, height: 900 } })
      for (const section of ['agents/demo', ...SECTIONS]) {
        await visit(page, section)
        await expectNoOverflow(page)
        await screenshot(page, `manage-${section.replace('/', '-')}-${colorScheme}-${width}`)
        await expectAccessible(page)
      }
      expect(watched?.faults).toEqual([])
    }, 240_000)
  }

  it('goes from section to section, says where one is, and says when there is none', async () => {
    const page = await open('agents')
    const focused = () => page.evaluate(() => document.activeElement?.textContent)
    await page.getByRole('navigation', { name: 'Sections' }).getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor()
    expect(await focused()).toBe('Settings')
    expect(await page.title()).toMatch(/^Settings – /)
    await page.goBack()
    await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    await visit(page, 'no-such-section')
    await page.getByRole('link', { name: 'Show the agents' }).click()
    await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
  })

  it('runs a command from the palette by keyboard alone, and asks before it destroys', async () => {
    const page = await open('agents')
    await page.keyboard.press('Control+k')
    const field = page.getByRole('combobox')
    await field.waitFor()
    await page.getByRole('option', { name: /^agent stop/ }).waitFor()
    await expectAccessible(page)
    await page.keyboard.type('agent stop')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'agent stop' }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText('"agent" is needed').waitFor()
    await page.keyboard.type('demo')
    await page.getByText('ploinky agent stop demo').waitFor()
    await screenshot(page, 'palette-form')
    await expectAccessible(page)
    await page.keyboard.press('Enter')
    await page.getByText('This ends, removes or cuts off something').waitFor()
    expect(await router.ploinky('status')).toMatch(/demo\s+ready/)
    await page.getByRole('button', { name: 'Yes, run it' }).press('Enter')
    await page.getByRole('region', { name: 'Result' }).waitFor()
    expect(await router.ploinky('status')).toMatch(/demo\s+stopped/)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Notifications/ }).click()
    await page.getByRole('dialog', { name: 'Notifications' }).getByText('Done: agent stop').waitFor()
    await router.ploinky('start', 'demo')
    expect(watched?.faults).toEqual([])
  })

  it('shows what an agent gets, asks for consent to what runs on this machine, and only then starts it', async () => {
    const page = await open('catalog')
    await page.getByRole('button', { name: 'Enable evil' }).click()
    const dialog = page.getByRole('dialog', { name: /^Enable / })
    await dialog.getByText('Runs on this machine, as you, outside of any container').first().waitFor()
    await screenshot(page, 'catalog-consent')
    await expectAccessible(page)
    await dialog.getByRole('button', { name: 'Enable and start' }).click()
    await dialog.getByText('Allow its commands on this machine first').waitFor()
    expect(existsSync(join(repository, 'ran-on-host'))).toBe(false)
    await dialog.getByRole('checkbox').check()
    await dialog.getByRole('button', { name: 'Enable and start' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(existsSync(join(repository, 'ran-on-host'))).toBe(true)
    expect(await router.ploinky('status')).toMatch(/evil\s+ready/)
    expect(watched?.faults).toEqual([])
  })

  it('shows hostile names, descriptions and results as text', async () => {
    await router.ploinky('start', 'evil', '--yes')
    const page = await open('catalog', { viewport: { width: 320, height: 800 } })
    await page.getByText(HOSTILE).first().waitFor()
    await visit(page, 'tools/evil?of=evil')
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('region', { name: 'Result' }).getByText(HOSTILE).waitFor()
    await expectNoOverflow(page)
    expect(await page.locator('main script, main img').count()).toBe(0)
    await screenshot(page, 'tools-hostile')
    expect(watched?.faults).toEqual([])
  })

  it('calls a tool from its form, cancels another, and fills in a call of before again', async () => {
    const page = await open('tools/demo')
    await page.getByRole('link', { name: /^Add/ }).click()
    await page.getByLabel('a', { exact: false }).first().waitFor()
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('alert').filter({ hasText: 'a is needed' }).waitFor()
    await page.locator('form .form-row input').nth(0).fill('20')
    await page.locator('form .form-row input').nth(1).fill('22')
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('region', { name: 'Result' }).getByText('42').waitFor()
    await page.getByText('The same as', { exact: true }).first().click()
    await page.getByText(`ploinky client tool add --agent demo --input '{"a":20,"b":22}'`).waitFor()
    await screenshot(page, 'tools-result')
    await expectAccessible(page)
    await page.getByRole('link', { name: /^Slow/ }).click()
    await page.locator('form .form-row input').first().fill('60')
    await page.getByRole('button', { name: 'Call' }).click()
    await page.getByRole('button', { name: 'Cancel the call' }).click()
    await page.getByText('Cancelled', { exact: true }).waitFor()
    await page.getByText('Calls before').click()
    await page.getByRole('button', { name: 'Fill in the arguments of add again' }).click()
    await page.getByRole('heading', { name: 'Add' }).waitFor()
    expect(await page.locator('form .form-row input').nth(1).inputValue()).toBe('22')
    // Nothing is kept in the browser unless somebody asks for it.
    expect(await page.evaluate(() => localStorage.getItem('ploinky.calls'))).toBe(null)
    expect(watched?.faults).toEqual([])
  })

  it('takes a secret, and never shows it', async () => {
    const page = await open('variables')
    const answers: string[] = []
    page.on(
      'response',
      (response) =>
        void response.text().then(
          (text) => answers.push(text),
          () => {},
        ),
    )
    await page.getByLabel('Name').fill('API_KEY')
    await page.getByLabel('Value').fill('top-secret-value')
    await page.getByRole('button', { name: 'Set', exact: true }).click()
    await page.locator('[data-row=API_KEY]').waitFor()
    expect(await router.ploinky('vars', '--show')).toContain('top-secret-value')
    expect(await page.getByLabel('Value').inputValue()).toBe('')
    await page.reload()
    await page.locator('[data-row=API_KEY]').waitFor()
    expect(answers.join('\n')).not.toContain('top-secret-value')
    await page.getByRole('button', { name: 'Remove API_KEY' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click()
    await page.locator('[data-row=API_KEY]').waitFor({ state: 'detached' })
    expect(await router.ploinky('vars')).not.toContain('API_KEY')
    expect(watched?.faults).toEqual([])
  })

  it('grants a call between agents, and takes it back', async () => {
    const page = await open('access')
    await page.getByLabel('The agent that calls').selectOption('demo')
    await page.getByLabel('The agent that is called').selectOption('evil')
    await page.getByRole('button', { name: 'Grant', exact: true }).click()
    await page.getByRole('button', { name: 'Revoke: demo calls evil' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
    await page.getByText('No agent may call another one.').waitFor()
    expect(watched?.faults).toEqual([])
  })

  it('tests a route, checks the health, and disables an agent', async () => {
    const page = await open('routes')
    await page.getByRole('button', { name: 'Test /mcps/demo/mcp' }).click()
    await page.getByText(/^Answered \d{3} in/).waitFor()
    await visit(page, 'settings')
    await page.getByRole('button', { name: 'Check now' }).click()
    await page.locator('.checks li').nth(3).waitFor()
    await visit(page, 'agents/evil')
    await page.getByRole('button', { name: 'Disable', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disable', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Agents' }).waitFor()
    expect(await router.ploinky('status')).not.toMatch(/evil/)
  })

  it('makes a new token, which ends this session', async () => {
    const page = await open('access')
    const before = await router.ploinky('token')
    await page.getByRole('button', { name: 'Make a new token' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Make a new token' }).click()
    await page.waitForURL(/\/signin\//)
    expect(await router.ploinky('token')).not.toBe(before)
  })
})
