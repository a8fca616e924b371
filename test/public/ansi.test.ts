import { describe, expect, it } from 'vitest'
import { lineText, spansOf } from '../../public/shared/ansi.ts'

const looks = (line: string) => spansOf(line).map(({ text, look }) => [text, look])

describe('colours of terminals', () => {
  it('become classes, and end where the program ends them', () => {
    expect(looks('\u001b[1;31mred\u001b[0m plain \u001b[94mblue\u001b[39m.')).toEqual([
      ['red', 'sgr-bold sgr-f1'],
      [' plain ', ''],
      ['blue', 'sgr-f12'],
      ['.', ''],
    ])
    expect(looks('\u001b[1;2;4mx\u001b[22my\u001b[mz')).toEqual([
      ['x', 'sgr-bold sgr-dim sgr-underline'],
      ['y', 'sgr-underline'],
      ['z', ''],
    ])
  })

  it('of 256 and of 16 million are those of the sixteen that are nearest', () => {
    expect(looks('\u001b[38;5;9ma\u001b[38;5;196mb\u001b[38;2;10;200;20mc\u001b[38;5;244md\u001b[48;5;21me')).toEqual([
      ['a', 'sgr-f9'],
      ['b', 'sgr-f9'],
      ['c', 'sgr-f2'],
      ['d', 'sgr-f8'],
      ['e', 'sgr-f8 sgr-b12'],
    ])
    expect(looks('\u001b[38;5mx\u001b[38;2;1my\u001b[38;5;999mz').every(([, look]) => look === '')).toBe(true)
  })

  it('swap for inverse text', () => {
    expect(looks('\u001b[31;7mx')).toEqual([['x', 'sgr-f0 sgr-b1']])
  })
})

describe('everything else that a terminal obeys', () => {
  it.each([
    ['a title', '\u001b]0;title\u0007text'],
    ['a link', '\u001b]8;;https://evil.example\u001b\\text\u001b]8;;\u001b\\'],
    ['cursor movements', '\u001b[2J\u001b[10;10Hte\u001b[3Dxt'],
    ['a device control string', '\u001bP1$r0m\u001b\\text'],
    ['single controls', 't\u0007e\u0000x\u0008t'],
    ['what reorders text', 'te\u202ext\u2066'],
    ['an unfinished sequence', 'text\u001b[38;5;'],
    ['an unfinished title', 'text\u001b]0;never ends'],
    ['a line that was overwritten', '10 %\r50 %\rtext'],
  ])('is left out: %s', (_what, line) => {
    expect(lineText(line)).toBe('text')
  })

  it('takes linear time', () => {
    const began = performance.now()
    spansOf('\u001b['.repeat(50_000) + ';'.repeat(50_000))
    spansOf(`\u001b[${'1;'.repeat(50_000)}m`)
    // Quadratic would be minutes.
    expect(performance.now() - began).toBeLessThan(5000)
  })
})
