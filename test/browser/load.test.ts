/**
 * A dashboard that is left open over a busy workspace: 200 agents, 50 events a second, a sample of all of them every ten
 * seconds. The fixture stands in for the router; what is measured is the page.
 */
import { describe, expect, it } from 'vitest'
import { openPage, skipReason } from './browser.ts'
import { agent, usePages, startFixture } from './fixture.ts'
import { startWatching, timeOf } from './watch-fixture.ts'

const AGENTS = 200
const PER_SECOND = 50
const SECONDS = 10
/** Of the time. The promise is 20; a busy machine makes every script longer. */
const BOUND = 20

describe.skipIf(skipReason !== null)('a busy workspace', () => {
  const pages = usePages()

  for (const [hash, ready] of [
    ['#/agents', '[data-agent="agent-199"]'],
    ['#/events', '.event-table'],
    ['#/topology', '[data-node="agent-0"]'],
  ] as const) {
    it(`keeps the main thread free at ${hash}`, async () => {
      const watching = startWatching()
      watching.state.events = [{ at: timeOf(0), type: 'router.started', subject: 'router', data: {} }]
      const fixture = await startFixture(pages.dir, watching.extend)
      fixture.state.agents = Array.from({ length: AGENTS }, (_, index) =>
        agent(`agent-${index}`, { needs: index % 4 === 0 ? [] : [`agent-${Math.floor(index / 4)}`] }),
      )
      const watched = await openPage(pages.browser, fixture.origin, { viewport: { width: 1440, height: 900 } })
      const { page } = watched
      await page.goto(`${fixture.origin}/dashboard/${hash}`)
      await page.locator(ready).first().waitFor()
      await page.locator('[data-live=live]').waitFor()
      const metrics = await page.context().newCDPSession(page)
      // Time of the thread itself: a page does not get busier because its machine is.
      await metrics.send('Performance.enable', { timeDomain: 'threadTicks' })
      const spent = async (): Promise<Readonly<Record<string, number>>> => {
        const { metrics: list } = await metrics.send('Performance.getMetrics')
        return Object.fromEntries(list.map(({ name, value }) => [name, value]))
      }
      const [before, began] = [await spent(), performance.now()]
      let sent = 0
      while (performance.now() - began < SECONDS * 1000) {
        const due = Math.floor(((performance.now() - began) / 1000) * PER_SECOND)
        for (; sent < due; sent++) {
          const index = (sent * 7) % AGENTS
          // Every second one changes the state of an agent; the others are calls.
          if (sent % 2 === 0) {
            const state = sent % 4 === 0 ? 'starting' : 'ready'
            fixture.state.agents = fixture.state.agents.map((one, at) => (at === index ? { ...one, state } : one))
          }
          await fixture.emit(sent % 2 === 0 ? 'agent.ready' : 'agent.called', `agent-${index}`, 'agent:planner')
        }
        if (sent % (PER_SECOND * 5) < 3) await fixture.tell('metrics', sampleAt(sent))
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const [after, seconds] = [await spent(), (performance.now() - began) / 1000]
      const shareOf = (name: string): number => (((after[name] ?? Number.NaN) - (before[name] ?? 0)) / seconds) * 100
      const parts = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].map(
        (name) => `${name.replace('Duration', '')} ${shareOf(name).toFixed(1)}`,
      )
      const share = shareOf('TaskDuration')
      process.stdout.write(`${hash}: ${sent} events, main thread busy ${share.toFixed(1)} % (${parts.join(', ')})\n`)
      expect(sent).toBeGreaterThan(PER_SECOND * (SECONDS - 1))
      expect(share).toBeLessThan(BOUND)
      expect(watched.faults).toEqual([])
      await watched.close()
      await fixture.close()
    })
  }
})

function sampleAt(index: number) {
  const point = { cpuPercent: index % 90, memoryBytes: 7e7, requests: index, errors: 0, p50Ms: 2, p95Ms: 9 }
  const agents = Object.fromEntries(Array.from({ length: AGENTS }, (_, at) => [`agent-${at}`, point]))
  return { at: timeOf(3_600_000 + index * 1000), slotSeconds: 10, total: point, agents }
}
