import { describe, expect, it } from 'vitest'
import { createQuestionWatch, createTyping } from '../../../src/features/terminals/typing.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('questions in output', () => {
  it.each([
    ['where the cursor is', '\u001b[6n'],
    ['where the cursor is, of a VT420', '\u001b[?6n'],
    ['what the terminal is', '\u001b[c'],
    ['what it is, second', '\u001b[>0c'],
    ['whether a mode is set', '\u001b[?2004$p'],
    ['its version', '\u001b[>0q'],
    ['the keyboard protocol', '\u001b[?u'],
    ['how many colours its pictures have', '\u001b[?1;1;0S'],
    ['the size of its window', '\u001b[14t'],
    ['a colour', '\u001b]11;?\u0007'],
    ['a setting', '\u001bP$qm\u001b\\'],
    ['a capability', '\u001bP+q544e\u001b\\'],
    ['an old question', '\u001bZ'],
  ])('finds %s, in whatever pieces it comes', (_what, question) => {
    for (let cut = 0; cut <= question.length; cut++) {
      const asks = createQuestionWatch()
      const found = [`before ${question.slice(0, cut)}`, `${question.slice(cut)} after`].map((part) =>
        asks(bytes(part)),
      )
      expect(found, `cut at ${cut}`).toContain(true)
    }
  })

  it('lets text, colours and movements pass', () => {
    const asks = createQuestionWatch()
    for (const part of [
      'nothing\r\n',
      '\u001b[31mred\u001b[0m',
      '\u001b[2J\u001b[1;1H\u001b[3S',
      '\u001b]0;a title\u0007',
      'n',
    ])
      expect(asks(bytes(part)), JSON.stringify(part)).toBe(false)
  })
})

describe('typing', () => {
  it('is written at once while nothing is waited for', () => {
    const written: string[] = []
    createTyping((data) => written.push(new TextDecoder().decode(data))).write(bytes('a'))
    expect(written).toEqual(['a'])
  })

  it('waits for what it must not overtake, and keeps its order', async () => {
    const written: string[] = []
    const typing = createTyping((data) => written.push(new TextDecoder().decode(data)))
    let arrive = (): void => {}
    typing.hold(new Promise<void>((resolve) => (arrive = resolve)))
    typing.write(bytes('a'))
    typing.hold(Promise.reject(new Error('the terminal is gone')))
    typing.write(bytes('b'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(written).toEqual([])
    arrive()
    await new Promise((resolve) => setImmediate(resolve))
    expect(written).toEqual(['a', 'b'])
    typing.write(bytes('c'))
    expect(written).toEqual(['a', 'b', 'c'])
  })
})
