/**
 * How long after a navigation a page can be used: what it is for is in sight and enabled. Once for a browser that was never
 * here (a new profile, a new process), and once for one that comes back from another page.
 */
import { chromium } from 'playwright-core'
import { browserFile } from '../../setup/detect.mjs'
import { median } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'

const LIMIT_MS = 300
const WAIT_MS = 20_000
const SETTLE_MS = 500

/**
 * `text`: what the element has to say. `elsewhere`: where a browser comes back from.
 * @type {readonly { path: string, selector: string, elsewhere: string, text?: string, stranger?: boolean }[]}
 */
const PAGES = [
  { path: '/signin/', selector: 'input:not([disabled])', elsewhere: '/no/such/page', stranger: true },
  { path: '/dashboard/', selector: '[data-agent=shell] button:not([disabled])', elsewhere: '/webtty/' },
  { path: '/webtty/', selector: 'button.choice:not([disabled])', elsewhere: '/dashboard/' },
  {
    ...{ path: '/webtty/shell?command=shell', elsewhere: '/dashboard/' },
    ...{ selector: '.pane[data-connection=open] .xterm-rows', text: '[#$]\\s*$' },
  },
  { path: '/no/such/page', selector: 'main a[href], a[href*="/dashboard/"]', elsewhere: '/dashboard/' },
]

/** Runs in the page from its beginning; times count from the navigation. */
function watchUse({ selector, text }) {
  const isUsable = () => {
    const found = [...document.querySelectorAll(selector)].find((each) => each.getBoundingClientRect().width > 0)
    return found !== undefined && (text === undefined || new RegExp(text, 'm').test(found.innerText))
  }
  const look = () => {
    if (window.ploinkyUsableMs !== undefined || !isUsable()) return
    window.ploinkyUsableMs = performance.now()
    observer.disconnect()
  }
  const observer = new MutationObserver(look)
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true })
  document.addEventListener('DOMContentLoaded', look)
  window.addEventListener('load', look)
}

async function fail(tab, { path }, error) {
  const text = await tab.evaluate(() => document.body.innerText.slice(0, 300))
  throw new Error(`${path} cannot be used: ${text}`, { cause: error })
}

/** @returns {Promise<{ first: number, again: number }>} milliseconds */
async function visit(browser, origin, token, page) {
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  try {
    if (page.stranger !== true) {
      const answer = await context.request.post(`${origin}/auth/login`, { data: { token } })
      if (!answer.ok()) throw new Error(`signing in failed: ${answer.status()}`)
    }
    const tab = await context.newPage()
    await tab.addInitScript(watchUse, { selector: page.selector, text: page.text })
    const first = await openPage(tab, origin, page)
    await tab.goto(`${origin}${page.elsewhere}`)
    await tab.waitForTimeout(SETTLE_MS)
    return { first, again: await openPage(tab, origin, page) }
  } finally {
    await context.close()
  }
}

async function openPage(tab, origin, page) {
  await tab.goto(`${origin}${page.path}`)
  const usable = tab.waitForFunction(() => window.ploinkyUsableMs, undefined, { timeout: WAIT_MS })
  const ms = await (await usable.catch((error) => fail(tab, page, error))).jsonValue()
  // What the page does afterwards is not the next page's.
  await tab.waitForTimeout(SETTLE_MS)
  return ms
}

/** @param {import('../workspace.mjs').Context} context */
export async function pages(context) {
  const executablePath = browserFile()
  if (executablePath === null) return [{ name: 'pages', skipped: 'no Chromium on this machine' }]
  const workspace = await openWorkspace(context)
  await workspace.must('start', 'shell')
  const { token } = await workspace.json('token')
  const args = ['--disable-gpu', '--disable-background-networking', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])]
  const browser = await chromium.launch({ executablePath, args })
  const close = context.undo(() => browser.close())
  const origin = `http://127.0.0.1:${workspace.port}`
  const rows = []
  for (const page of PAGES) {
    const visits = []
    for (let round = -1; round < (context.quick ? 3 : 10); round++) {
      const taken = await visit(browser, origin, token, page)
      if (round >= 0) visits.push(taken)
    }
    rows.push(toRow(`${page.path}: usable`, visits, 'again'))
    rows.push(toRow(`${page.path}: usable, new browser`, visits, 'first'))
  }
  await close()
  await workspace.close()
  return rows
}

function toRow(name, visits, which) {
  const taken = visits.map((visit) => visit[which])
  return {
    ...{ name, baseline: 'limit', unit: 'ms', bound: 1 },
    ...{ ours: median(taken), theirs: LIMIT_MS, ratio: median(taken) / LIMIT_MS },
    least: Math.min(...taken) / LIMIT_MS,
  }
}
