/** The engine goes away while calls are in flight. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { programs } from '../../helpers/runtime-programs.ts'
import type { Contract } from '../runtime.ts'
import { collect, decode, failure, toArray, within, type Outage, type Scope } from './kit.ts'

/** A call that has no answer is not slow, it hangs: a minute is far beyond what any of them takes. */
const PROMPT_MS = 45_000

async function withOutage(t: Scope, body: (outage: Outage) => Promise<void>): Promise<void> {
  await using outage = await t.target.outage({ platform: t.target.platform, stateDir: join(t.folder, 'outage') })
  expect(await outage.adapter.detect()).toMatchObject({ available: true })
  await body(outage)
}

export function outageCases(contract: Contract): void {
  contract('an engine that goes away in mid-call is an error at once', async (t) => {
    const { name } = await t.start()
    await t.sees(name, 'up')
    await withOutage(t, async ({ adapter, stall, cut }) => {
      expect(await adapter.inspect(name)).toMatchObject({ state: 'running' })
      stall()
      const calls = [adapter.inspect(name), adapter.list({ workspace: t.workspace }), adapter.apply(t.spec())]
      const settled = calls.map((call) => failure(call, 'RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED'))
      await cut()
      for (const error of await within(Promise.all(settled), 'the calls to fail', PROMPT_MS)) {
        expect(error.hint).toBeTruthy()
      }
    })
    expect(await t.adapter.inspect(name)).toMatchObject({ state: 'running' })
  })

  contract('an engine that goes away ends exec and streams', async (t) => {
    const { name } = await t.start()
    await t.sees(name, 'up')
    await withOutage(t, async ({ adapter, cut }) => {
      const session = await adapter.exec(name, programs.stubborn())
      const output = session.stdout[Symbol.asyncIterator]()
      expect(decode((await within(output.next(), 'the first output')).value ?? new Uint8Array())).toContain('up')
      const logs = toArray(adapter.logs(name, { follow: true })).then(
        () => 'ended',
        (error: { code?: string }) => error.code,
      )
      await cut()
      const rest = (async () => {
        await collect({ [Symbol.asyncIterator]: () => output }).catch(() => {})
        return session.exit.then(String, (error: { code?: string }) => error.code)
      })()
      expect(await within(rest, 'the exec to end', PROMPT_MS)).not.toBe('0')
      expect(['ended', 'RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED']).toContain(await within(logs, 'logs to end', PROMPT_MS))
    })
  })

  contract('an engine that goes away ends the events with an error', async (t) => {
    await withOutage(t, async ({ adapter, cut }) => {
      const iterator = adapter.events({ workspace: t.workspace })[Symbol.asyncIterator]()
      const first = iterator.next()
      await t.start({ agent: 'seen' })
      expect((await within(first, 'the first event')).value).toMatchObject({ type: 'started' })
      const next = failure(iterator.next(), 'RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED')
      await cut()
      await within(next, 'the events to end', PROMPT_MS)
    })
  })

  contract('an engine that is away is reported by detect and by every call', async (t) => {
    await withOutage(t, async ({ adapter, cut }) => {
      await cut()
      const detection = await within(adapter.detect(), 'detect', PROMPT_MS)
      expect(detection.available).toBe(false)
      if (!detection.available) expect(detection.hint).not.toBe('')
      const calls = [adapter.inspect('ploinky-x'), adapter.list({ workspace: 'x' }), adapter.remove('ploinky-x')]
      const failures = calls.map((call) => failure(call, 'RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED'))
      await within(Promise.all(failures), 'the calls', PROMPT_MS)
    })
  })
}
