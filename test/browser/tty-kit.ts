/** The page of terminals with the real router and a shell in a real agent. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { createWorkspace, runtimeName } from '../helpers/workspace.ts'
import type { Workspace } from '../helpers/workspace.ts'
import { launch, openPage } from './browser.ts'
import type { Watched } from './browser.ts'

export const AGENT = 'shell'

interface TtyKit {
  readonly workspace: Workspace
  readonly browser: Browser
  /** A signed-in page at an address below the router; `null`: a stranger's. */
  open(path?: string, options?: BrowserContextOptions & { stranger?: boolean; holdSockets?: boolean }): Promise<Watched>
  /** Closes the pages of a test and ends its sessions. */
  tidy(): Promise<void>
  close(): Promise<void>
}

async function startTtyKit(): Promise<TtyKit> {
  const workspace = await createWorkspace()
  await workspace.json(['start', AGENT, '--runtime', runtimeName])
  const browser = await launch()
  const opened: Watched[] = []
  return {
    workspace,
    browser,
    async open(path = `webtty/${AGENT}?command=shell`, { stranger, holdSockets, ...options } = {}) {
      const watched = await openPage(browser, workspace.url, options)
      opened.push(watched)
      if (stranger !== true) {
        const context = watched.page.context()
        const answer = await context.request.post(`${workspace.url}/auth/login`, {
          data: { token: await workspace.token() },
        })
        if (!answer.ok()) throw new Error(`Sign-in: ${answer.status()}`)
      }
      if (holdSockets === true) await watched.page.addInitScript(holdPageSockets)
      await watched.page.goto(`${workspace.url}/${path}`)
      return watched
    },
    async tidy() {
      await Promise.all(opened.splice(0).map((watched) => watched.close()))
    },
    async close() {
      await browser.close()
      await workspace[Symbol.asyncDispose]()
    },
  }
}

/** A kit for the tests of this `describe`, tidied after each of them. */
export function useTtyKit(): Pick<TtyKit, 'workspace' | 'browser' | 'open'> {
  let kit: TtyKit | undefined
  const started = (): TtyKit => {
    if (kit === undefined) throw new Error('Only in a test')
    return kit
  }
  beforeAll(async () => {
    kit = await startTtyKit()
  }, 240_000)
  afterEach(() => kit?.tidy())
  afterAll(() => kit?.close())
  return {
    get workspace() {
      return started().workspace
    },
    get browser() {
      return started().browser
    },
    open: (...args) => started().open(...args),
  }
}

/** Waits until the terminal in front is connected and has drawn a prompt. */
export async function ready(page: Page): Promise<void> {
  await page.locator('.pane[data-connection=open]').first().waitFor()
  await sees(page, /[$#]$/)
}

/** What the terminals in sight show, from left to right, as lines. */
export const screens = (page: Page): Promise<string[]> =>
  page
    .locator('.pane .xterm-rows')
    .evaluateAll((all) =>
      all.map((rows) =>
        [...rows.children].map((row) => (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd()).join('\n'),
      ),
    )

/** Waits until one of the terminals in sight shows it. */
export async function sees(page: Page, what: string | RegExp, timeout = 10_000): Promise<void> {
  const pattern = typeof what === 'string' ? what.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`) : what.source
  try {
    await page.waitForFunction(
      (source) => {
        const shown = [...document.querySelectorAll('.pane .xterm-rows')].map((rows) =>
          [...rows.children].map((row) => (row.textContent ?? '').replaceAll('\u00a0', ' ').trimEnd()).join('\n'),
        )
        return shown.some((text) => new RegExp(source, 'm').test(text))
      },
      pattern,
      { timeout },
    )
  } catch (error) {
    throw new Error(`Not on the screen: ${String(what)}\n${(await screens(page)).join('\n---\n')}`, { cause: error })
  }
}

/** Types a line, and Enter. */
export async function enter(page: Page, line: string): Promise<void> {
  await page.keyboard.type(line)
  await page.keyboard.press('Enter')
}

export const sessionOf = (page: Page): string => new URL(page.url()).searchParams.get('session') ?? ''

/** What the terminal in front has room for, as the page counts: the router is told this. */
export const sizeOf = (page: Page): Promise<{ rows: number; width: number }> =>
  page
    .locator('.xterm-rows')
    .first()
    .evaluate((rows) => ({
      rows: rows.children.length,
      width: rows.getBoundingClientRect().width,
    }))

/** Runs in the page: keeps hold of its sockets. What passes over them is untouched. */
function holdPageSockets(): void {
  const held: WebSocket[] = []
  const Plain = window.WebSocket
  window.WebSocket = class extends Plain {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      held.push(this)
    }
  }
  Reflect.set(window, 'ploinkyTestSockets', held)
}

/** Ends the connections of a page that was opened with `holdSockets`; it does not know why. */
export const cutSockets = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const socket of Reflect.get(window, 'ploinkyTestSockets') as WebSocket[]) socket.close(3000)
  })
