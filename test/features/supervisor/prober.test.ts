/** A probe's loop: thresholds, pace, once or for ever; looks that never overlap. */
import { expect, it } from 'vitest'
import type { Probe } from '../../../src/config/manifest/types.ts'
import type { ProbeTarget } from '../../../src/features/supervisor/check.ts'
import { type ProbeResult, startProbe } from '../../../src/features/supervisor/prober.ts'
import { createManualClock } from './clock.ts'

const base: Probe = {
  action: { kind: 'mcp' },
  initialDelaySeconds: 0,
  intervalSeconds: 1,
  timeoutSeconds: 5,
  failureThreshold: 3,
  successThreshold: 2,
  continuous: true,
  path: 'health.liveness',
}
const target = {} as ProbeTarget

/** Each second one look; `W` well, `f` failed. Gives the result after each. */
async function run(looks: string, change: Partial<Probe> = {}): Promise<string> {
  const clock = createManualClock()
  const results = looks.split('')
  let at = 0
  const turns: ProbeResult[] = []
  const check = async (): Promise<string | null> => (results[at++] === 'W' ? null : 'no')
  const probe = startProbe({ probe: { ...base, ...change }, target, check, clock, onTurn: (to) => turns.push(to) })
  let text = ''
  for (let i = 0; i < looks.length; i++) {
    await clock.advance(i === 0 ? 0 : 1000)
    text += probe.result[0]
  }
  probe.stop()
  return `${text} ${at} ${turns.join(',')}`
}

it('turns by its thresholds, and back', async () => {
  expect(await run('WWWffWfffW fWW')).toBe('wpppppppfffffp 14 passing,failing,passing')
})

it('ends with its first result when it is not continuous', async () => {
  expect(await run('fffWW', { continuous: false })).toBe('wwfff 3 failing')
  expect(await run('WWfff', { continuous: false })).toBe('wpppp 2 passing')
})

it('waits for its first look, and never looks twice at once', async () => {
  const clock = createManualClock()
  let looks = 0
  let finish = (): void => {}
  const check = (): Promise<string | null> => {
    looks += 1
    return new Promise((resolve) => (finish = () => resolve(null)))
  }
  const probe = startProbe({ probe: { ...base, initialDelaySeconds: 5 }, target, check, clock, onTurn: () => {} })
  await clock.advance(4999)
  expect(looks).toBe(0)
  await clock.advance(10_000)
  expect(looks).toBe(1)
  finish()
  await clock.advance(0)
  await clock.advance(1000)
  expect(looks).toBe(2)
  probe.stop()
  finish()
  await clock.advance(10_000)
  expect(looks).toBe(2)
})
