/** Pages in the colours of a system with high contrast, and on paper. */
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectAccessible, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { Fixture } from './fixture.ts'
import { agent, usePages, startFixture } from './fixture.ts'
import { series, startWatching } from './watch-fixture.ts'

const VIEWS = [
  ['agents', '/dashboard/', '[data-agent=notes]'],
  ['charts', '/dashboard/#/charts?agent=demo,search', '.plot-area path.line'],
  ['topology', '/dashboard/#/topology', '[data-node=demo]'],
  ['signin', '/signin/?ended=1', '#ended'],
  ['not-found', '/not-found/', 'h1'],
] as const

/** WCAG 2.2, of two colours as a browser computes them. */
function contrast(one: string, other: string): number {
  const luminance = (color: string): number => {
    const parts = (color.match(/[\d.]+/g) ?? []).slice(0, 3).map((part) => Number(part) / 255)
    expect(parts.length, color).toBe(3)
    const [r = 0, g = 0, b = 0] = parts.map((part) =>
      part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}

describe.skipIf(skipReason !== null)('pages without colours of their own', () => {
  const pages = usePages()
  let fixture: Fixture
  let watched: Watched | null = null

  beforeEach(async () => {
    const watching = startWatching()
    watching.state.report = {
      ...watching.state.report,
      total: series(5, 0.4),
      agents: [
        { agent: 'demo', ...series(3, 0.4) },
        { agent: 'search', ...series(9, 0.4) },
      ],
    }
    fixture = await startFixture(pages.dir, watching.extend)
    fixture.state.agents = [
      agent('demo', { needs: ['search'] }),
      agent('search', { state: 'starting' }),
      agent('notes', { state: 'stopped', about: 'Keeps notes' }),
    ]
  })
  afterEach(async () => {
    await watched?.close()
    await fixture.close()
  })
  const open = async ([, path, ready]: (typeof VIEWS)[number], options = {}): Promise<Page> => {
    watched = await openPage(pages.browser, fixture.origin, { viewport: { width: 1280, height: 900 }, ...options })
    await watched.page.goto(fixture.origin + path)
    await watched.page.locator(ready).first().waitFor()
    return watched.page
  }

  for (const view of VIEWS) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`${view[0]} can be used in forced colours, ${colorScheme}`, async () => {
        // The other scheme was chosen for the page: the system's word counts.
        const page = await open(view, { forcedColors: 'active', colorScheme })
        const other = colorScheme === 'dark' ? 'light' : 'dark'
        await page.evaluate((theme) => (document.documentElement.dataset['theme'] = theme), other)
        const canvas = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
        const rings: unknown[] = []
        for (let stop = 0; stop < 8; stop++) {
          await page.keyboard.press('Tab')
          const ring = await page.evaluate(() => {
            // After the last stop the focus is the browser's own.
            if (document.activeElement === document.body) return null
            const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(document.activeElement as Element)
            return { outlineStyle, isWide: Number.parseFloat(outlineWidth) >= 2, outlineColor }
          })
          if (ring === null) continue
          rings.push(ring)
          expect(ring).toMatchObject({ outlineStyle: 'solid', isWide: true })
          expect(ring.outlineColor).not.toBe(canvas)
        }
        expect(rings.length).toBeGreaterThan(1)
        // Lines are drawn in a colour that is not the ground's.
        const strokes = await page
          .locator('.plot-area path.line, .spark path, [data-node] rect:first-of-type, .edge')
          .evaluateAll((all) => all.map((path) => getComputedStyle(path).stroke))
        if (view[0] === 'charts' || view[0] === 'topology') expect(strokes.length).toBeGreaterThan(0)
        for (const stroke of strokes) expect(contrast(stroke, canvas)).toBeGreaterThanOrEqual(3)
        // A button is told by its edge.
        const edges = await page
          .locator('.button:not(.quiet)')
          .evaluateAll((all) => all.map((button) => getComputedStyle(button).borderTopStyle))
        for (const edge of edges) expect(edge).toBe('solid')
        await screenshot(page, `forced-${view[0]}-${colorScheme}`)
        await expectAccessible(page)
      })
    }

    it(`${view[0]} is printed in black on white, without ways through the page`, async () => {
      const page = await open(view, { colorScheme: 'dark' })
      await page.evaluate(() => (document.documentElement.dataset['theme'] = 'dark'))
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      await screenshot(page, `print-${view[0]}`)
      expect(await page.locator('nav:visible, button:visible, .list-bar:visible, .choose:visible').count()).toBe(0)
      const { ground, faint } = await page.evaluate(() => {
        const luminance = (color: string): number => {
          const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map(Number)
          return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255
        }
        const texts = [...document.querySelectorAll('h1, h2, p, dt, dd, th, td, code, text')]
        return {
          ground: getComputedStyle(document.body).backgroundColor,
          faint: texts
            .filter((each) => each.getClientRects().length > 0)
            .map((each) => {
              const style = getComputedStyle(each)
              return { text: each.textContent?.slice(0, 40), color: each.matches('text') ? style.fill : style.color }
            })
            .filter(({ color }) => luminance(color) > 0.4),
        }
      })
      expect(ground).toBe('rgb(255, 255, 255)')
      expect(faint).toEqual([])
    })
  }
})
