import { expect, test } from 'vitest'
import { createDetachKeys, withoutAnswers } from '../../../src/features/terminals/attach.ts'
import { createScreenWriter } from '../../../src/features/terminals/attach-screen.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (data: Uint8Array): string => new TextDecoder().decode(data)

test('Ctrl-] and then d leaves, also in two pieces; other keys pass', () => {
  const detach = createDetachKeys()
  expect(detach(bytes('ls\r'))).toEqual({ keys: bytes('ls\r'), detach: false })
  expect(text(detach(bytes('\u001dx')).keys)).toBe('\u001dx')
  expect(text(detach(bytes('a\u001d')).keys)).toBe('a')
  expect(detach(bytes('d')).detach).toBe(true)
})

test('answers of this terminal are not typed, keys are', () => {
  expect(text(withoutAnswers(bytes('a\u001b[12;40Rb\u001b[?1;2cc\u001b[>0;276;0cd')))).toBe('abcd')
  expect(text(withoutAnswers(bytes('\u001b]11;rgb:0000/0000/0000\u001b\\x\u001bP>|xterm\u001b\\y')))).toBe('xy')
  const keys = '\u001b[A\u001bOP\u001b[1;5C\u001b[1;2R\u001b[3~\u001b[200~pasted\u001b[201~\u001b[<0;5;5M ü'
  expect(text(withoutAnswers(bytes(keys)))).toBe(keys)
})

test('colours of this terminal are given back where a program changed some, and are left alone where it did not', async () => {
  const after = async (...parts: string[]): Promise<string> => {
    const written: string[] = []
    const raw = { write: (data: Uint8Array, done: () => void) => (written.push(text(data)), done()) }
    const screen = createScreenWriter(raw, () => {})
    screen.begin(0)
    for (const part of parts) screen.output(bytes(part))
    await screen.end()
    return written.at(-1) ?? ''
  }
  expect(await after('\u001b[31mred', '\u001b]0;title\u0007', '\u001b]8;;http://x/\u0007')).not.toContain('\u001b]104')
  for (const parts of [['\u001b]4;1;#fff\u0007'], ['\u001b]1', '1;#000\u0007']])
    expect(await after(...parts)).toMatch(/\u001b\]104\u001b.*\u001b\]112\u001b/)
})
