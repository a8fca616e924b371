/** Logs of a container whose command misbehaves: the ordinary ones are in the contract, with real engines. */
import { expect, test } from 'vitest'
import type { Containers } from '../../../runtimes/cli/containers.ts'
import type { Engine } from '../../../runtimes/cli/dialect.ts'
import { createLogs } from '../../../runtimes/cli/logs.ts'

/** Says a line, and neither ends nor hears that it was killed. */
function setUp() {
  const killed: string[] = []
  async function* never(text: string) {
    if (text !== '') yield new TextEncoder().encode(text)
    await new Promise(() => {})
  }
  const child = {
    pid: 7,
    stdout: never('2026-01-02T03:04:05.000000001Z hello\n'),
    stderr: never(''),
    exit: new Promise<number>(() => {}),
    kill: (signal: string) => void killed.push(signal),
  }
  const engine = { stream: () => child, track: () => () => {}, dialect: { logBlockBytes: null } }
  const containers = { owned: async () => ({ id: 'c1' }) }
  return { killed, logs: createLogs(engine as unknown as Engine, containers as unknown as Containers) }
}

test('who has enough is let go, also by a command that does not end', async () => {
  const { killed, logs } = setUp()
  const enough = new AbortController()
  const seen: string[] = []
  const reading = (async () => {
    for await (const { text } of logs('demo', { follow: true, signal: enough.signal })) {
      seen.push(text)
      setTimeout(() => enough.abort(), 10)
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' })
  expect(seen).toEqual(['hello'])
  expect(killed).toContain('SIGKILL')
})
