import { quoteWord } from '../../src/core/error.ts'
import { describe, expect, it } from 'vitest'
import { splitUnfinished, splitWords } from '../../src/cli/shell-words.ts'

describe('splitWords()', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['   \t ', []],
    ['start demo', ['start', 'demo']],
    ['  start\tdemo  ', ['start', 'demo']],
    [`say 'two words' "and 'three' more"`, ['say', 'two words', "and 'three' more"]],
    [`a"b"'c'd`, ['abcd']],
    [`'' ""`, ['', '']],
    [String.raw`a\ b \"c\" \\`, ['a b', '"c"', '\\']],
    [String.raw`"a\"b\\c\$d\e"`, [String.raw`a"b\c$d\e`]],
    [String.raw`'a\b'`, [String.raw`a\b`]],
    ['a # comment "open', ['a']],
    ['# all of it', []],
    ['a#b #c', ['a#b']],
    [`'#' \\#`, ['#', '#']],
    ['$HOME *.ts | > ; && `id` $(id) ~', ['$HOME', '*.ts', '|', '>', ';', '&&', '`id`', '$(id)', '~']],
  ])('splits %j', (line, words) => {
    expect(splitWords(line)).toEqual(words)
  })

  it.each([
    [`say 'open`, 5, `'`],
    [`say "open`, 5, `"`],
    [`"a" b"c`, 6, `"`],
    [`"a\\"`, 1, `"`],
    ['end\\', 4, '\\'],
  ])('names the column of what is not closed in %j', (line, column, what) => {
    expect(() => splitWords(line)).toThrow(
      expect.objectContaining({
        code: 'USAGE_INVALID',
        message: expect.stringContaining(`(column ${column})`) as unknown,
        details: { column },
      }) as Error,
    )
    expect(() => splitWords(line)).toThrow(what)
  })

  it('gives back every word that quoteWord() wrote', () => {
    // A fixed seed: a failure can be repeated (mulberry32).
    let seed = 20_260_101
    const random = (below: number): number => {
      seed = (seed + 0x6d2b79f5) | 0
      let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) % below
    }
    const pieces = [
      ' ',
      '\t',
      '\n',
      "'",
      '"',
      '\\',
      '#',
      '$',
      '`',
      'a',
      'Z',
      '0',
      '-',
      '=',
      'é',
      '日',
      '😀',
      '\u001b',
      '|',
      '',
    ]
    for (let round = 0; round < 3000; round++) {
      const words = Array.from({ length: random(5) }, () =>
        Array.from({ length: random(8) }, () => pieces[random(pieces.length)] ?? '').join(''),
      )
      const line = words.map(quoteWord).join(random(2) === 0 ? ' ' : ' \t ')
      expect(splitWords(line), JSON.stringify(words)).toEqual(words)
    }
  })

  it('either splits or explains, whatever it is given', () => {
    for (const alphabet of [`ab '"\\#`, `"'\\ `]) {
      const total = alphabet.length ** 4
      for (let n = 0; n < total; n++) {
        const line = Array.from(
          { length: 4 },
          (_, i) => alphabet[Math.floor(n / alphabet.length ** i) % alphabet.length],
        ).join('')
        let words: string[] | null = null
        try {
          words = splitWords(line)
        } catch (error) {
          expect(error).toMatchObject({ code: 'USAGE_INVALID' })
        }
        if (words !== null) expect(splitWords(words.map(quoteWord).join(' '))).toEqual(words)
      }
    }
  })
})

describe('splitUnfinished()', () => {
  it.each([
    ['', [], '', 0],
    ['st', [], 'st', 0],
    ['start ', ['start'], '', 6],
    ['start de', ['start'], 'de', 6],
    [`start 'de`, ['start'], 'de', 6],
    [`start "de mo`, ['start'], 'de mo', 6],
    ['a b\\', ['a'], 'b', 2],
  ])('finds the word under the cursor in %j', (line, words, current, start) => {
    expect(splitUnfinished(line)).toEqual({ words, current, start })
  })

  it('gives nothing inside a comment', () => {
    expect(splitUnfinished('start # de')).toBeNull()
  })
})
