/** Lines and columns of mistakes: checked against where a person would find them. */
import { describe, expect, it } from 'vitest'
import { jsonDepth, placesInJson } from '../../src/core/json-places.ts'
import { childPath, keyPath, parseJson } from '../../src/core/json.ts'

describe('parseJson()', () => {
  const wrong: [text: string, line: number, column: number][] = [
    ['', 1, 1],
    ['{', 1, 2],
    ['{\n  "a": 1,\n}', 3, 1],
    ['{\n  "a": x\n}', 2, 8],
    ['{\r\n"container": "a",\r\n"x":\r\nfoo}', 4, 2],
    // The wrong character stands earlier in the text too, where it is fine.
    ['{"foo": "o",\n "b": o}', 2, 7],
    ['[1 2]', 1, 4],
    ['{"a":1}}', 1, 8],
    ['"unterminated', 1, 14],
    ['{"a": "b\nc"}', 1, 9],
    ['{\u0000}', 1, 2],
    ['undefined', 1, 1],
    ["{'a': 1}", 1, 2],
  ]
  it.each(wrong)('tells where %j is wrong', (text, line, column) => {
    expect(parseJson(text)).toMatchObject({ ok: false, line, column })
  })

  it('ignores a byte order mark, and does not count it', () => {
    expect(parseJson('\uFEFF{"a":1}')).toEqual({ ok: true, value: { a: 1 } })
    expect(parseJson('\uFEFF{"a":x}')).toMatchObject({ ok: false, line: 1, column: 6 })
  })

  it('never repeats the text, which may hold a secret', () => {
    for (const text of ['{"token": hunter2}', 'hunter2', '{"token": "hunter2" "x"}', '["hunter2", hunter2]']) {
      expect(JSON.stringify(parseJson(text)), text).not.toContain('hunter2')
    }
  })

  it('finds the place in a large file in no time', () => {
    const lines = Array.from({ length: 20_000 }, (_, index) => `"key${index}": ${index}`)
    const text = `{\n${lines.join(',\n')},\n"last": what}`
    expect(parseJson(text)).toMatchObject({ ok: false, line: 20_002, column: 9 })
  })
})

describe('placesInJson()', () => {
  const text = `{
  "env": ["A", "B=\\"[{,",
    {"name": "C"}],
  "a b": {
    "": [[1],
      [2, -3,
        null]]
  },
  "dup": 1,
  "dup": 2,
  "__proto__": {}
}`
  const places = placesInJson(text)

  it.each([
    ['env', 2],
    ['env[1]', 2],
    ['env[2].name', 3],
    ['["a b"]', 4],
    ['["a b"][""][1][0]', 6],
    ['["a b"][""][1][2]', 7],
    ['dup', 10],
    ['env[2].missing', 3],
    ['nowhere.at.all', 1],
    ['(root)', 1],
  ])('%s stands in line %i', (path, line) => {
    expect(places.lineOf(path)).toBe(line)
  })

  it('names keys that were given twice, and the one that no object can hold', () => {
    expect(places.duplicates).toEqual(['dup'])
    expect(places.forbidden).toEqual(['__proto__'])
  })

  it('agrees with the paths of the other errors', () => {
    expect(keyPath(['env', 2, 'name'])).toBe('env[2].name')
    expect(keyPath(['a b', ''])).toBe('["a b"][""]')
    expect(keyPath([])).toBe('(root)')
    expect(childPath('a', 'x"y')).toBe('a["x\\"y"]')
  })
})

describe('jsonDepth()', () => {
  it.each([
    ['1', 0],
    ['[]', 1],
    ['{"a":[{}]}', 3],
    ['"[[[["', 0],
    ['["\\"[", "]"]', 1],
    ['[['.repeat(500_000), 1_000_000],
    ['"never closed [', 0],
  ])('%#', (text, depth) => {
    expect(jsonDepth(text)).toBe(depth)
  })
})
