/** Logs, events, charts and topology: what they show, while it happens. */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectAccessible, expectNoOverflow, openPage, screenshot, skipReason } from './browser.ts'
import type { Watched } from './browser.ts'
import type { Fixture } from './fixture.ts'
import { agent, usePages, startFixture } from './fixture.ts'
import { line, series, startWatching, timeOf } from './watch-fixture.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e"><script>alert(1)</script>'
const WIDTHS = [
  [320, 800],
  [768, 1024],
  [1440, 900],
] as const

function someAgents() {
  return [
    agent('demo', {
      static: true,
      ports: [{ host: 38681, container: 7000 }],
      calls: [{ agent: 'search', tools: ['find', 'read'] }],
      needs: ['store'],
    }),
    agent('planner', { state: 'starting', needs: ['demo', 'search'], calls: [{ agent: 'demo', tools: null }] }),
    agent('search', { needs: ['store'], state: 'unready' }),
    agent('store', {
      state: 'failed',
      lastError: {
        code: 'AGENT_FAILED',
        message: 'Agent "store" ended (exit code 7): disk is full',
        hint: 'Run: ploinky logs store',
      },
      supervision: {
        restarts: 4,
        nextRestartAt: new Date(Date.now() + 60_000).toISOString(),
        lastExit: { exitCode: 7, lines: ['opening /data/store.db', `${HOSTILE}`, 'disk is full'] },
      },
    }),
    agent('notes', { state: 'stopped', startedAt: null, mcpUrl: null, pageUrl: null }),
    agent('writer', { needs: ['archive'] }),
  ]
}

const KINDS = [
  ['agent.started', 'demo', 'operator', {}],
  ['agent.called', 'search', 'agent:demo', { tool: 'find', milliseconds: 12, status: 200, caller: 'agent:demo' }],
  ['agent.refused', 'store', 'agent:writer', { tool: 'drop', allowed: false, caller: 'agent:writer' }],
  ['agent.failed', 'store', null, { reason: 'exit code 7', lastLines: ['disk is full'] }],
  ['command.done', 'demo', 'operator', { command: 'agent restart', milliseconds: 2519 }],
  ['session.opened', 'router', 'operator', { address: '127.0.0.1' }],
  ['call.granted', 'demo', 'local', { calls: ['search/find'] }],
] as const

function someEvents(count: number): Record<string, unknown>[] {
  return Array.from({ length: count }, (_, index) => {
    const [type, subject, principal, data] = KINDS[index % KINDS.length] ?? KINDS[0]
    const outcome = type.endsWith('refused') ? 'refused' : type.endsWith('failed') ? 'failed' : 'ok'
    return { id: `1-${index}`, at: timeOf(-index * 1000), type, subject, principal, outcome, data }
  })
}

const COLOURS = [
  '\u001b[32mGET\u001b[0m /mcp \u001b[1m200\u001b[0m in 4 ms',
  '\u001b[33mwarn\u001b[0m the answer took \u001b[38;5;208m1200 ms\u001b[0m',
  '{"ts":"2026-01-01T11:00:00Z","level":"error","msg":"disk is full","path":"/data"}',
  'Traceback (most recent call last):',
  '  File "main.py", line 7, in <module>',
  `\u001b[31mError:\u001b[0m ${HOSTILE}`,
  'DEBUG cache hit \u001b[7m 42 \u001b[27m of \u001b[48;2;20;80;200m 60 \u001b[49m',
]

describe.skipIf(skipReason !== null)('watching', () => {
  const pages = usePages()
  let fixture: Fixture
  let watching: ReturnType<typeof startWatching>
  let watched: Watched

  beforeEach(async () => {
    watching = startWatching()
    fixture = await startFixture(pages.dir, watching.extend)
    fixture.state.agents = someAgents()
  })
  afterEach(async () => {
    await watched.close()
    await fixture.close()
  })
  const open = async (hash: string, options = {}): Promise<Page> => {
    watched = await openPage(pages.browser, fixture.origin, options)
    await watched.page.goto(`${fixture.origin}/dashboard/${hash}`)
    return watched.page
  }

  function fill(): void {
    watching.state.lines = Array.from({ length: 300 }, (_, index) =>
      line(index % 3 === 0 ? 'demo' : 'store', index, `${COLOURS[index % COLOURS.length] ?? ''}`),
    )
    watching.state.events = someEvents(240)
    watching.state.report = {
      ...{ at: timeOf(3_600_000), stepSeconds: 10, total: series(2, 0.4) },
      agents: ['demo', 'search', 'store'].map((name, index) => ({ agent: name, ...series(1 + index / 2, index) })),
    }
  }

  const LOOKS: readonly (readonly [string, string, string])[] = [
    ['logs', '#/logs?agent=demo,store', '.log-row'],
    ['events', '#/events', '.event-table tbody tr'],
    ['charts', '#/charts?agent=demo,search,store', '.plot-area path.line'],
    ['topology', '#/topology', '[data-node=planner]'],
    ['agents', '#/agents', '[data-agent=store]'],
  ]
  for (const [name, hash, ready] of LOOKS) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`${name}: clean and accessible in ${colorScheme} at every width`, async () => {
        fill()
        const page = await open(hash, { colorScheme })
        await page.locator('[data-live=live]').waitFor({ state: 'attached' })
        const point = { cpuPercent: 3.4, memoryBytes: 72e6, requests: 10, errors: 0, p50Ms: 2, p95Ms: 9 }
        for (const at of [10_000, 20_000, 30_000])
          await fixture.tell('metrics', {
            ...{ at: timeOf(3_600_000 + at), slotSeconds: 10, total: point },
            agents: { demo: { ...point, cpuPercent: at / 2000 }, store: point },
          })
        for (const [width, height] of WIDTHS) {
          await page.setViewportSize({ width, height })
          await page.locator(ready).first().waitFor()
          await expectNoOverflow(page)
          await screenshot(page, `watch-${name}-${colorScheme}-${width}`)
        }
        await expectAccessible(page)
        expect(watched.faults).toEqual([])
      })
    }
  }

  it('follows a log, stops when the reader scrolls up, and goes on when asked', async () => {
    fill()
    const page = await open('#/logs?agent=demo,store')
    await page.getByText('300 lines').waitFor()
    const list = page.getByRole('log')
    await watching.write([line('store', 400, 'the newest line')])
    await list.getByText('the newest line').waitFor()
    await list.hover()
    await page.mouse.wheel(0, -1500)
    await page.getByRole('button', { name: 'Follow', pressed: false }).waitFor()
    await watching.write([line('store', 401, 'one more'), line('demo', 402, 'and one')])
    await page.getByRole('button', { name: '2 new lines' }).waitFor()
    await screenshot(page, 'watch-logs-paused')
    await page.getByRole('button', { name: '2 new lines' }).click()
    await list.getByText('and one').waitFor()
    await page.keyboard.press('Home')
    await list.getByText('GET /mcp 200 in 4 ms').first().waitFor()
    await page.keyboard.press('f')
    await list.getByText('and one').waitFor()
    expect(watched.faults).toEqual([])
  })

  it('shows colours as classes, and hostile lines as text', async () => {
    watching.state.lines = COLOURS.map((text, index) => line('demo', index, text))
    const page = await open('#/logs?agent=demo')
    const list = page.getByRole('log')
    await list.getByText('<img src=x onerror=alert(1)>"><script>alert(1)</script>').waitFor()
    expect(await list.locator('img, script').count()).toBe(0)
    expect(await list.locator('.sgr-f2', { hasText: 'GET' }).count()).toBe(1)
    expect(await list.locator('.level-error').count()).toBe(4)
    expect(watched.faults).toEqual([])
  })

  it('searches and filters, by keyboard, and keeps both in the address', async () => {
    fill()
    const page = await open('#/logs?agent=demo,store')
    await page.getByText('300 lines').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('disk is')
    await page.getByText(/^\d+ matches$/).waitFor()
    await page.keyboard.press('Enter')
    await page.getByText(/^1 of \d+$/).waitFor()
    await page.getByRole('log').locator('mark', { hasText: 'disk is' }).first().waitFor()
    await page.getByRole('button', { name: 'Only matches' }).click()
    await page.getByText(/^\d+ of 300 lines$/).waitFor()
    await page.getByRole('button', { name: '.*' }).click()
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('[unclosed')
    await page.getByText('Not a regular expression').waitFor()
    await expectAccessible(page)
    await page.getByRole('searchbox', { name: 'Search the log' }).fill('GET.*4 ms$')
    await page.getByText(/^\d+ matches$/).waitFor()
    await page.getByRole('combobox', { name: 'Least level' }).selectOption('error')
    await page.getByText('No line passes the filter').waitFor()
    await page.reload()
    await page.getByText('No line passes the filter').waitFor()
    expect(watched.faults).toEqual([])
  })

  it('saves what is shown as text and as NDJSON', async () => {
    watching.state.lines = COLOURS.map((text, index) => line('demo', index, text))
    const page = await open('#/logs?agent=demo&level=error')
    await page.getByText('4 of 7 lines').waitFor()
    const saved = async (name: string): Promise<string> => {
      if (!(await page.getByRole('button', { name }).isVisible()))
        await page.locator('summary', { hasText: 'Save' }).click()
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
      return await readFile(await download.path(), 'utf8')
    }
    expect((await saved('Download as text')).trim().split('\n')).toHaveLength(4)
    const [first] = (await saved('Download as NDJSON')).trim().split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({ source: 'demo', level: 'error', text: COLOURS[2] })
    expect(watched.faults).toEqual([])
  })

  it('takes a log up again where it broke off, without a line twice', async () => {
    fill()
    const page = await open('#/logs?agent=demo,store')
    await page.getByText('300 lines').waitFor()
    watching.state.lines.push(line('demo', 500, 'written meanwhile'))
    fixture.dropConnections()
    await page.getByRole('log').getByText('written meanwhile').waitFor()
    await page.getByText('301 lines', { exact: true }).waitFor()
  })

  it('holds a hundred thousand lines, and lays out those in sight', async () => {
    watching.state.lines = Array.from({ length: 100_000 }, (_, index) =>
      line('demo', index, `line ${index} ${'x'.repeat(index % 200)}`),
    )
    const page = await open('#/logs?agent=demo&lines=100000')
    await page.getByText('100,000 lines', { exact: false }).last().waitFor()
    const list = page.getByRole('log')
    await list.getByText('line 99999', { exact: false }).waitFor()
    expect(await list.locator('.log-row').count()).toBeLessThan(120)
    await page.getByRole('button', { name: 'Wrap' }).click()
    await page.keyboard.press('Home')
    await list.getByText('line 0', { exact: true }).waitFor()
    const worst = await list.evaluate(async (box) => {
      let slowest = 0
      for (let step = 1; step <= 60; step++) {
        const began = performance.now()
        box.scrollTop = (box.scrollHeight / 60) * step
        await new Promise(requestAnimationFrame)
        slowest = Math.max(slowest, performance.now() - began)
      }
      return slowest
    })
    process.stdout.write(`slowest of 60 jumps through 100,000 wrapped lines: ${worst.toFixed(1)} ms\n`)
    await list.getByText('line 99999', { exact: false }).waitFor()
    expect(watched.faults).toEqual([])
  })

  it('adds events as they happen, shows their details, and loads older ones', async () => {
    fill()
    const page = await open('#/events')
    await page.getByText('100 events').waitFor()
    await fixture.emit('agent.restarted', 'planner', 'operator')
    await page.locator('[data-type="agent.restarted"]').waitFor()
    await page.getByRole('button', { name: 'Older events' }).click()
    await page.getByText('201 events').waitFor()
    await page.getByRole('button', { name: 'agent.refused' }).first().click()
    await page.getByRole('complementary', { name: 'Details of agent.refused' }).getByText('"tool": "drop"').waitFor()
    await screenshot(page, 'watch-events-details')
    await expectAccessible(page)
    await page.getByRole('combobox', { name: 'Kind of event' }).selectOption('command.')
    await page.locator('[data-type="agent.refused"]').first().waitFor({ state: 'detached' })
    await expect.poll(() => watching.state.asked.at(-1)).toContain('type=command.')
    await fixture.emit('agent.ready', 'planner')
    await fixture.emit('command.done', 'planner', 'operator')
    await page.locator('tr[data-type="command.done"]', { hasText: 'planner' }).waitFor()
    expect(await page.locator('[data-type="agent.ready"]').count()).toBe(0)
    expect(watched.faults).toEqual([])
  })

  it('reads a chart by keyboard and as a table, and carries it on', async () => {
    fill()
    const page = await open('#/charts?agent=demo,store')
    const plot = page.getByRole('group', { name: /^Processor\./ })
    await plot.focus()
    await page.keyboard.press('Home')
    const spoken = page.locator('.plot').first().getByRole('status')
    const first = await spoken.textContent()
    expect(first).toMatch(/^\d\d:\d\d:\d\d, demo .* %, store .* %$/)
    await page.keyboard.press('ArrowRight')
    expect(await spoken.textContent()).not.toBe(first)
    await page.locator('summary', { hasText: 'As a table' }).first().click()
    await page.getByRole('columnheader', { name: 'demo' }).first().waitFor()
    await screenshot(page, 'watch-charts-table')
    await expectAccessible(page)
    const point = { cpuPercent: 77, memoryBytes: 1e9, requests: 10, errors: 10, p50Ms: 1, p95Ms: 2 }
    await fixture.tell('metrics', { at: timeOf(3_610_000), slotSeconds: 10, total: point, agents: { demo: point } })
    await page.locator('.chart').first().locator('.legend-value', { hasText: '77 %' }).waitFor()
    expect(watching.state.asked.filter((path) => path.startsWith('/metrics'))).toHaveLength(1)
    expect(watched.faults).toEqual([])
  })

  it('goes from the topology to an agent, and says everything as a list', async () => {
    const page = await open('#/topology')
    await page.getByText('demo may call find, read of search').waitFor()
    await page.getByText('planner needs demo').waitFor()
    const node = page.getByRole('link', { name: /^store\s*Failed$/ })
    expect(await page.getByRole('link', { name: /^archive\s*Not enabled$/ }).count()).toBe(1)
    await node.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/#\/agents\/store$/)
    expect(watched.faults).toEqual([])
  })

  it('shows why an agent keeps ending, and what it said last', async () => {
    const page = await open('#/agents')
    const row = page.locator('[data-agent=store]')
    await row.getByText('Crash loop').waitFor()
    await row.getByText('restarted 4 times').waitFor()
    await row.getByText('Last lines of the log of store').click()
    await row.getByText('<script>alert(1)</script>').waitFor()
    expect(await row.locator('script, img').count()).toBe(0)
    await page.locator('[data-agent=demo]').getByText('port 38681 → 7000').waitFor()
    await screenshot(page, 'watch-crash-loop')
    await page.getByRole('link', { name: 'Logs of store' }).click()
    await page.waitForURL(/#\/logs\?agent=store$/)
    expect(watched.faults).toEqual([])
  })
})
