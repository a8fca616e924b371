import { expect, test } from 'vitest'
import { readLastLines, tellingLine } from '../../src/core/last-lines.ts'

async function* lines(...texts: string[]) {
  for (const text of texts) yield { text }
}

test('the last lines, each no longer than can be read', async () => {
  const texts = Array.from({ length: 40 }, (_, n) => `line ${n}`)
  const found = await readLastLines((tail) => lines(...texts.slice(-tail)))
  expect(found).toEqual(texts.slice(-20))
  expect((await readLastLines(() => lines('x'.repeat(9000))))[0]).toHaveLength(500)
})

test('a log that cannot be read is none; what came before is kept', async () => {
  async function* broken() {
    yield { text: 'first' }
    throw new Error('the container is gone')
  }
  expect(await readLastLines(broken)).toEqual(['first'])
})

test('a reader that is stuck, and hears no signal, holds nobody up', async () => {
  let told: AbortSignal | undefined
  async function* stuck(_tail: number, signal: AbortSignal) {
    told = signal
    yield { text: 'last words' }
    await new Promise(() => {})
  }
  expect(await readLastLines(stuck, { withinMs: 30 })).toEqual(['last words'])
  expect(told?.aborted).toBe(true)
})

test.each([
  [
    'a crash of Node',
    ['x.mjs:1', 'throw new Error()', '^', '', 'TypeError: no key', '    at a (x.mjs:1)', '', 'Node.js v24.1.0'],
  ],
  ['one of Python', ['Traceback (most recent call last):', '  File "x.py", line 1', 'my.NoKeyError: no key']],
  ['an error of npm', ['npm error 404 no key', 'npm error A complete log of this run can be found in: /tmp/x.log', '']],
  ['podman after it', ['Error: no key', 'Error: read unixpacket @->/proc/self/fd/15/attach: connection reset']],
  ['plain words', ['starting', 'no key', '']],
])('the line that says why: %s', (_name, said) => {
  expect(tellingLine(said)).toContain('no key')
})

test('nothing was said', () => {
  expect(tellingLine([])).toBeNull()
  expect(tellingLine(['', ' '])).toBeNull()
})
