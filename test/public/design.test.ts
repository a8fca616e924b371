/** What the bundled pages weigh, and whether their colours can be read. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPublic } from '../../src/tools/build-public.mjs'

const PUBLIC = new URL('../../public/', import.meta.url)
/** Packed bytes of everything that a page loads, in the section that loads the most. */
const MODULE_BUDGET = 6 * 1024
const BUDGET: Record<string, number> = {
  dashboard: 60 * 1024,
  signin: 12 * 1024,
  'not-found': 12 * 1024,
  // With xterm, and the largest of what is loaded later.
  webtty: 120 * 1024,
}
/** Packed script of our own on the page of terminals, with all that is loaded later. */
const TERMINAL_OWN_BUDGET = 60 * 1024
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ploinky-test-pages-'))
  await buildPublic(dir)
})
afterAll(() => rm(dir, { recursive: true, force: true }))

it('builds exactly the pages that have a budget', async () => {
  const found = await readdir(dir, { withFileTypes: true })
  const pages = found.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  expect(pages.sort()).toEqual(Object.keys(BUDGET).sort())
  expect(found.filter((entry) => !entry.isDirectory() && entry.name.endsWith('.js'))).toMatchObject([
    { name: 'MCPBrowserClient.js' },
  ])
})

it('the module for pages of others is small, and needs nothing else', async () => {
  expect((await stat(join(dir, 'MCPBrowserClient.js.br'))).size).toBeLessThanOrEqual(MODULE_BUDGET)
  expect(await readFile(join(dir, 'MCPBrowserClient.js'), 'utf8')).not.toMatch(/\bimport\b|\brequire\(/)
})

/** Packed size of a file of a page. */
async function sizeOf(page: string, name: string): Promise<number> {
  const packed = await stat(join(dir, page, `${name}.br`)).catch(() => null)
  return (packed ?? (await stat(join(dir, page, name)))).size
}

/** Files that load with one: what it imports, and what those import. What is loaded later (`import()`) is left out. */
async function withImports(page: string, name: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(name)) return found
  found.add(name)
  const text = await readFile(join(dir, page, name), 'utf8')
  for (const [, file = ''] of text.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g))
    await withImports(page, file, found)
  return found
}

const sum = async (page: string, names: Iterable<string>): Promise<number> =>
  (await Promise.all([...names].map((name) => sizeOf(page, name)))).reduce((total, size) => total + size, 0)

it.each(Object.entries(BUDGET))('%s stays within its budget, whichever section is opened', async (page, budget) => {
  const all = (await readdir(join(dir, page))).filter((name) => !/\.(?:br|gz)$/.test(name))
  const still = all.filter((name) => !name.startsWith('part-') && name !== 'main.js')
  const first = await withImports(page, 'main.js')
  const totals = await Promise.all(
    all
      .filter((name) => name === 'main.js' || /^part-(?!chunk)/.test(name))
      .map(async (name) => await sum(page, new Set([...still, ...first, ...(await withImports(page, name))]))),
  )
  expect(Math.min(...totals)).toBeGreaterThan(500)
  expect(Math.max(...totals)).toBeLessThanOrEqual(budget)
})

it('the first view of the dashboard is small', async () => {
  const loaded = [...(await withImports('dashboard', 'main.js')), 'main.css', 'index.html', 'theme.js']
  expect(await sum('dashboard', new Set(loaded))).toBeLessThanOrEqual(40 * 1024)
})

it('the page of terminals adds little to the terminal itself', async () => {
  const scripts = (await readdir(join(dir, 'webtty'))).filter((name) => name.endsWith('.js'))
  const own = scripts.filter((name) => !/^part-(?:xterm|search|webgl|pictures)-/.test(name))
  expect(scripts.length - own.length).toBe(4)
  expect(await sum('webtty', own)).toBeLessThanOrEqual(TERMINAL_OWN_BUDGET)
})

it.each(Object.keys(BUDGET))('%s asks nothing of another site, and holds no inline code', async (page) => {
  for (const name of (await readdir(join(dir, page))).filter((file) => /\.(?:html|css|js)$/.test(file))) {
    const text = (await readFile(join(dir, page, name), 'utf8')).replaceAll(/https?:\/\/www\.w3\.org\/[\w/]+/g, '')
    expect([name, text.match(/(?:https?:)?\/\/[a-z0-9-]+\.[a-z]+/i)?.[0]]).toEqual([name, undefined])
    if (name.endsWith('.html')) expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/i)
  }
})

describe('contrast', () => {
  const PAIRS: readonly (readonly [foreground: string, background: string, ratio: number])[] = [
    ...['bg', 'surface', 'surface-2'].flatMap((background) => [
      ['text', background, 7] as const,
      ['muted', background, 4.5] as const,
      ['accent', background, 4.5] as const,
      ['edge', background, 3] as const,
      ['bad', background, 4.5] as const,
    ]),
    ...['ok', 'info', 'warn', 'bad', 'idle'].flatMap((tone) => [
      [tone, `${tone}-soft`, 4.5] as const,
      ['text', `${tone}-soft`, 7] as const,
    ]),
    ['on-accent', 'accent', 4.5],
    ['on-accent', 'accent-strong', 4.5],
    ['accent-strong', 'accent-soft', 4.5],
  ]
  for (const scheme of ['light', 'dark'] as const) {
    it.each(PAIRS)(`of %s on %s is at least %s in ${scheme}`, async (foreground, background, ratio) => {
      const css = await readFile(new URL('shared/tokens.css', PUBLIC), 'utf8')
      const colour = (name: string): string => {
        const match = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`).exec(css)
        const found = match?.[scheme === 'light' ? 1 : 2]
        if (found === undefined) throw new Error(`No colour --${name}`)
        return found
      }
      expect(contrast(colour(foreground), colour(background))).toBeGreaterThanOrEqual(ratio)
    })
  }
})

/** WCAG 2.2, "contrast ratio". */
function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (high + 0.05) / (low + 0.05)
}
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
