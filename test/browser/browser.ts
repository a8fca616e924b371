/** A real Chromium for the tests, and the watch for everything that must never happen on a page. */
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { expect, onTestFailed } from 'vitest'

const PLACES = [
  process.env['PLOINKY_TEST_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
export const chromiumPath = PLACES.find((path) => path !== undefined && existsSync(path))
/** Why the browser tests cannot run here, or null. With CI=true a missing browser is a failure, not a skip. */
export const skipReason =
  chromiumPath === undefined && process.env['CI'] !== 'true' ? 'no Chromium on this machine' : null

const OUTPUT = join(dirname(fileURLToPath(import.meta.url)), '../.output/screenshots')

export function launch(): Promise<Browser> {
  return chromium.launch({
    ...(chromiumPath === undefined ? {} : { executablePath: chromiumPath }),
    args: [
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Chromium refuses to run as root with its sandbox.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  })
}

export interface Watched {
  readonly page: Page
  /** Console errors and warnings, uncaught errors, policy violations, requests to another origin. */
  readonly faults: string[]
  close(): Promise<void>
}

export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'UTC', ...options })
  const faults: string[] = []
  await context.exposeFunction('ploinkyTestFault', (text: string) => void faults.push(text))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const report = Reflect.get(window, 'ploinkyTestFault') as (text: string) => void
      report(`policy violation: ${event.violatedDirective} ${event.blockedURI}`)
    })
  })
  const page = await context.newPage()
  page.on('console', (message) => {
    if ((message.type() === 'error' || message.type() === 'warning') && !isCut(message.text()))
      faults.push(`console ${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(?:data|blob):/.test(request.url()))
      faults.push(`foreign request: ${request.url()}`)
  })
  goAgain(page)
  const look = watchRequests(page)
  let last: string[] = []
  whenFailed(() => process.stderr.write(`${[...last, ...faults].join('\n')}\n`))
  const close = async (): Promise<void> => {
    last = await look()
    await context.close()
  }
  return { page, faults, close }
}

/**
 * Chromium drops what is under way when an interface of the machine comes or goes; containers of other tests do that all the
 * time. Pages have to bear it; that it is logged is no fault of theirs.
 */
const isCut = (text: string): boolean => text.includes('ERR_NETWORK_CHANGED')

async function again<T>(run: () => Promise<T>): Promise<T> {
  return await run().catch((error: unknown) => {
    if (isCut(String(error))) return run()
    throw error
  })
}

function goAgain(page: Page): void {
  const [goto, reload] = [page.goto.bind(page), page.reload.bind(page)]
  page.goto = (...call) => again(() => goto(...call))
  page.reload = (...call) => again(() => reload(...call))
}

/** What the page shows and what it still waits for, for whoever reads of a test that failed. */
function watchRequests(page: Page): () => Promise<string[]> {
  const open = new Map<object, string>()
  page.on('request', (request) => open.set(request, `${request.resourceType()} ${request.url()}`))
  page.on('requestfinished', (request) => open.delete(request))
  page.on('requestfailed', (request) => open.delete(request))
  return async () => {
    const text = await Promise.race([page.evaluate(() => document.body.innerText), patience()]).catch(String)
    return [`${page.url()} shows: ${text.slice(0, 500)}`, ...[...open.values()].map((line) => `not answered: ${line}`)]
  }
}

const patience = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('nothing: it hangs'), 2000))

function whenFailed(tell: () => void): void {
  try {
    onTestFailed(tell)
  } catch {
    // Opened for several tests.
  }
}

const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails with the rules and places that axe-core finds wrong. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await axeSource)
  const problems = await page.evaluate(async () => {
    const axe = Reflect.get(window, 'axe') as typeof import('axe-core')
    const { violations } = await axe.run(document)
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} (${failureSummary})`).join(' | ')}`,
    )
  })
  expect(problems).toEqual([])
}

/** No sideways scrolling of the page, at any width. */
export async function expectNoOverflow(page: Page): Promise<void> {
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  expect(widths[0]).toBeLessThanOrEqual(widths[1] ?? 0)
}

export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(OUTPUT, { recursive: true })
  await page.screenshot({ path: join(OUTPUT, `${name}.png`) })
}
