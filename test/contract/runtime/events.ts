/** State changes, as they happen. */
import { expect } from 'vitest'
import type { RuntimeEvent } from '../../../runtimes/adapter.ts'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { within, type Scope } from './kit.ts'

/** Collects the events of the scope's workspace from now on. */
function watch({ adapter, workspace, defer }: Scope, agent?: string) {
  const controller = new AbortController()
  const seen: RuntimeEvent[] = []
  let wake = (): void => {}
  const source = adapter.events(agent === undefined ? { workspace } : { workspace, agent }, {
    signal: controller.signal,
  })
  const run = (async () => {
    for await (const event of source) {
      seen.push(event)
      wake()
    }
  })()
  run.catch(() => wake())
  const stop = async (): Promise<void> => {
    controller.abort()
    await run
  }
  defer(async () => {
    controller.abort()
    await run.catch(() => {})
  })
  return {
    seen,
    stop,
    async until(type: RuntimeEvent['type'], count = 1): Promise<void> {
      const check = async (): Promise<void> => {
        while (seen.filter((event) => event.type === type).length < count) {
          await Promise.race([
            run.then(() => Promise.reject(new Error('the events ended'))),
            new Promise<void>((resolve) => (wake = resolve)),
          ])
        }
      }
      await within(check(), `${count} x ${type}; seen: ${seen.map((event) => event.type).join(' ')}`)
    },
  }
}

export function eventCases(contract: Contract): void {
  contract('events tell of start, exit and removal, in order', async (t) => {
    const events = watch(t)
    const { name } = await t.start({ agent: 'events', command: programs.steps('/nonexistent') })
    await events.until('started')
    await t.adapter.stop(name)
    await events.until('exited')
    await t.adapter.remove(name)
    await events.until('removed')
    expect(events.seen.map(({ type }) => type)).toEqual(['started', 'exited', 'removed'])
    for (const event of events.seen) {
      expect(event).toMatchObject({ name, agent: 'events' })
      expect(Math.abs(Date.parse(event.at) - Date.now())).toBeLessThan(10 * 60_000)
    }
    expect(events.seen[1]?.exitCode).toBe(0)
  })

  contract('events tell of a program that ends by itself, with its code', async (t) => {
    const events = watch(t)
    await t.start({ command: programs.exits('7') })
    await events.until('exited')
    expect(events.seen.map(({ type, exitCode }) => [type, exitCode])).toEqual([
      ['started', null],
      ['exited', 7],
    ])
  })

  contract('events tell of an instance that vanishes behind our back', async (t) => {
    const started = await t.start()
    await t.sees(started.name, 'up')
    const events = watch(t)
    const marker = await t.start({ agent: 'marker' })
    await events.until('started')
    await t.target.removeBehindBack(started)
    await events.until('exited')
    expect(events.seen.find(({ type }) => type === 'exited')?.name).toBe(started.name)
    expect(marker.state).toBe('running')
  })

  contract('events of other workspaces and agents are not told', async (t) => {
    const all = watch(t)
    const one = watch(t, 'one')
    await t.start({ agent: 'one', workspace: t.newWorkspace() })
    await t.start({ agent: 'two' })
    await t.start({ agent: 'one' })
    await Promise.all([all.until('started', 2), one.until('started')])
    expect(all.seen.map(({ agent }) => agent)).toEqual(['two', 'one'])
    expect(one.seen.map(({ agent }) => agent)).toEqual(['one'])
  })

  contract('events end without an error when the signal aborts', async (t) => {
    const events = watch(t)
    await t.start()
    await events.until('started')
    await within(events.stop(), 'the end of the events')
  })
}
