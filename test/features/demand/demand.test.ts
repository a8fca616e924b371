import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest'
import { createEventBus } from '../../../src/core/events.ts'
import { createDemand, type DemandOptions } from '../../../src/features/demand/index.ts'

const log = { debug() {}, info() {}, warn() {}, error() {} }

function rig(startup: 'on-demand' | 'manual' = 'on-demand') {
  const running = new Set<string>()
  let starts = 0
  let finish = (_error?: Error): void => {}
  const options: DemandOptions = {
    registry: { list: () => Promise.resolve([{ name: 'lazy' }]) } as never,
    store: { watch: () => () => {} },
    events: createEventBus(),
    log: log as never,
    load: () => Promise.resolve({ manifest: { startup, idleSeconds: 10, mcp: {} } } as never),
    isRunning: (agent) => running.has(agent),
    start: () => {
      starts += 1
      return new Promise((resolve, reject) => {
        finish = (error) => {
          if (error !== undefined) return reject(error)
          running.add('lazy')
          resolve()
        }
      })
    },
    stop: (agent) => {
      running.delete(agent)
      return Promise.resolve()
    },
    now: () => Date.now(),
  }
  const demand = createDemand(options)
  return { demand, running, starts: () => starts, finish: (error?: Error) => finish(error) }
}

describe('demand', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const settle = () => vi.advanceTimersByTimeAsync(0)

  it('knows only agents that start on demand', async () => {
    const { demand } = rig('manual')
    await settle()
    expect(demand.has('lazy')).toBe(false)
    demand.close()
  })

  it('starts once for all that ask, and stops when nobody used it for its time', async () => {
    const { demand, running, starts, finish } = rig()
    await settle()
    const woken = Promise.all([demand.wake('lazy', 60_000), demand.wake('lazy', 60_000)])
    await settle()
    finish()
    await woken
    expect(starts()).toBe(1)
    const release = demand.use('lazy')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(running.has('lazy')).toBe(true)
    release()
    release()
    await vi.advanceTimersByTimeAsync(8000)
    expect(running.has('lazy')).toBe(true)
    await vi.advanceTimersByTimeAsync(4000)
    expect(running.has('lazy')).toBe(false)
    demand.close()
  })

  it('tells who does not wait that it starts, and starts on', async () => {
    const { demand, starts, finish } = rig()
    await settle()
    const early = demand.wake('lazy', 1000)
    const told = expect(early).rejects.toMatchObject({ code: 'AGENT_NOT_READY' })
    await vi.advanceTimersByTimeAsync(1001)
    await told
    const late = demand.wake('lazy', 1000)
    finish()
    await late
    expect(starts()).toBe(1)
    demand.close()
  })

  it('tells why it cannot start, and tries again at the next call', async () => {
    const { demand, starts, finish } = rig()
    await settle()
    const first = demand.wake('lazy', 1000)
    const told = expect(first).rejects.toThrow('no image')
    finish(new Error('no image'))
    await told
    const second = demand.wake('lazy', 1000)
    finish()
    await second
    expect(starts()).toBe(2)
    demand.close()
  })
})
