/** How long after a navigation a page can be used, the first time a browser comes to it: what it is for is in sight and enabled. */
import { chromium } from 'playwright-core'
import { browserFile } from '../../setup/detect.mjs'
import { median } from '../measure.mjs'
import { openWorkspace } from '../workspace.mjs'

const LIMIT_MS = 300
const WAIT_MS = 20_000

/** `text`: what the element has to say. @type {readonly { path: string, selector: string, text?: string, stranger?: boolean }[]} */
const PAGES = [
  { path: '/signin/', selector: 'input:not([disabled])', stranger: true },
  { path: '/dashboard/', selector: '[data-agent=shell] button:not([disabled])' },
  { path: '/webtty/', selector: 'button.choice:not([disabled])' },
  { path: '/webtty/shell?command=shell', selector: '.pane[data-connection=open] .xterm-rows', text: '[#$]\\s*$' },
  { path: '/no/such/page', selector: 'main a[href], a[href*="/dashboard/"]' },
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

async function visit(browser, origin, token, page) {
  const context = await browser.newContext({ reducedMotion: 'reduce' })
  try {
    if (page.stranger !== true) {
      const answer = await context.request.post(`${origin}/auth/login`, { data: { token } })
      if (!answer.ok()) throw new Error(`signing in failed: ${answer.status()}`)
    }
    const tab = await context.newPage()
    await tab.addInitScript(watchUse, { selector: page.selector, text: page.text })
    await tab.goto(`${origin}${page.path}`)
    const usable = tab.waitForFunction(() => window.ploinkyUsableMs, undefined, { timeout: WAIT_MS })
    return await (await usable.catch((error) => fail(tab, page, error))).jsonValue()
  } finally {
    await context.close()
  }
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
    const taken = []
    for (let round = -1; round < (context.quick ? 3 : 10); round++) {
      const ms = await visit(browser, origin, token, page)
      if (round >= 0) taken.push(ms)
    }
    rows.push({
      ...{ name: `${page.path}: usable`, baseline: 'limit', unit: 'ms', bound: 1 },
      ...{ ours: median(taken), theirs: LIMIT_MS, ratio: median(taken) / LIMIT_MS },
      least: Math.min(...taken) / LIMIT_MS,
    })
  }
  await close()
  await workspace.close()
  return rows
}
