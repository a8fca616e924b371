import { describe, expect, it } from 'vitest'
import { asNdjson, asPlain, createLogBuffer } from '../../public/dashboard/watch/log-buffer.ts'
import { createLineReader, levelOf, type LogLine } from '../../public/dashboard/watch/log-line.ts'
import { cellsOf, equalRows, wrappedRows } from '../../public/dashboard/watch/log-rows.ts'
import { findsIn, isFound, markSpans, readSearch } from '../../public/dashboard/watch/log-search.ts'
import { createNdjsonParser, createOnce, logAddress } from '../../public/dashboard/watch/log-stream.ts'

describe('the level of a line', () => {
  it.each([
    ['{"level":"error","msg":"x"}', 'error'],
    ['{"level":40,"msg":"pino"}', 'warn'],
    ['{"severity":"DEBUG"}', 'debug'],
    ['{"level":"info","msg":"an error in a text"}', 'info'],
    ['2026-01-01 12:00:00 ERROR something', 'error'],
    ['time=x level=warning msg=y', 'warn'],
    ['[info] listening', 'info'],
    ['warn the answer took long', 'warn'],
    ['E1126 12:34:56.789 7 main.go:5] no', 'error'],
    ['TypeError: x is not a function', 'error'],
    ['Traceback (most recent call last):', 'error'],
    ['GET /error/page 200', null],
    ['the debugger waits for information', null],
    ['', null],
  ])('%s', (text, level) => {
    expect(levelOf(text)).toBe(level)
  })

  it('of a line that goes on is that of what it goes on, log by log', () => {
    const { read } = createLineReader()
    const levels = [
      ['a', 'ERROR broken'],
      ['b', 'fine'],
      ['a', '    at main (x.js:1:1)'],
      ['b', '    indented'],
      ['a', 'next'],
    ].map(([source, text]) => read({ source, text, stream: 'stderr', at: null })?.level)
    expect(levels).toEqual(['error', 'info', 'error', 'info', 'info'])
    expect([read(null), read({ source: 'a' }), read({ error: { code: 'X' } })]).toEqual([null, null, null])
  })
})

const lines = (texts: readonly string[]): LogLine[] => {
  const { read } = createLineReader()
  return texts.flatMap((text, index) => read({ source: 's', text, at: `2026-01-01T00:00:0${index % 10}Z` }) ?? [])
}

describe('the lines that are held', () => {
  const texts = (buffer: ReturnType<typeof createLogBuffer>) => buffer.shown.map(({ text }) => text)

  it('are filtered by level and search, before and after they come', () => {
    const buffer = createLogBuffer()
    buffer.append(lines(['ERROR one', 'two', 'WARN three']))
    const { pattern } = readSearch('e', false)
    buffer.filter({ level: 'warn', pattern, onlyFound: false })
    buffer.append(lines(['ERROR four', 'five']))
    expect(texts(buffer)).toEqual(['ERROR one', 'WARN three', 'ERROR four'])
    expect(buffer.found).toEqual([0, 1, 2])
    buffer.filter({ level: 'debug', pattern: readSearch('t', false).pattern, onlyFound: true })
    expect(texts(buffer)).toEqual(['two', 'WARN three'])
    expect(buffer.total).toBe(5)
  })

  it('are never more than the limit and a heap', () => {
    const buffer = createLogBuffer(20_000)
    for (let round = 0; round < 12; round++)
      buffer.append(lines(Array.from({ length: 5000 }, (_, i) => `${round}-${i}`)))
    expect(buffer.total).toBeLessThanOrEqual(30_000)
    expect(buffer.shown.at(-1)?.text).toBe('11-4999')
    expect(buffer.shown).toHaveLength(buffer.total)
  })

  it('are saved as text and as NDJSON', () => {
    const [line] = lines(['\u001b[31mERROR\u001b[0m x'])
    if (line === undefined) throw new Error('no line')
    expect(asPlain([line], true)).toBe('2026-01-01T00:00:00Z s ERROR x')
    expect(JSON.parse(asNdjson([line]))).toMatchObject({
      source: 's',
      level: 'error',
      text: '\u001b[31mERROR\u001b[0m x',
    })
  })
})

describe('searching', () => {
  it('takes text as it is, and small letters for both', () => {
    const { pattern } = readSearch('a.b-c[', false)
    expect(pattern !== null && isFound(pattern, 'xA.B-C[')).toBe(true)
    expect(pattern !== null && isFound(pattern, 'aXb-c[')).toBe(false)
    expect(readSearch('Big', false).pattern?.flags).not.toContain('i')
  })

  it('says why a pattern is none', () => {
    expect(readSearch('[', true)).toMatchObject({ pattern: null, problem: expect.stringContaining('[') })
    expect(readSearch('', true)).toEqual({ pattern: null, problem: null })
  })

  it('marks across colours, and nothing for an empty find', () => {
    const pattern = readSearch('llo w', false).pattern ?? /x/g
    const spans = [
      { text: 'hello', look: 'sgr-f1' },
      { text: ' world', look: '' },
    ]
    expect(markSpans(spans, findsIn(pattern, 'hello world')).map(({ text, isMark }) => [text, isMark])).toEqual([
      ['he', false],
      ['llo', true],
      [' w', true],
      ['orld', false],
    ])
    expect(findsIn(readSearch('x*', true).pattern ?? /x/g, 'aaa')).toEqual([])
  })
})

describe('places of rows', () => {
  it('are told for a hundred thousand wrapped lines', () => {
    const rows = wrappedRows([{ text: 'x'.repeat(25) }, { text: '' }, { text: '漢字漢字漢字' }, { text: 'y' }], 10, 20)
    expect([0, 1, 2, 3].map(rows.top)).toEqual([0, 60, 80, 120])
    expect(rows.height).toBe(140)
    expect([-5, 0, 59, 60, 79, 80, 139, 9999].map(rows.at)).toEqual([0, 0, 0, 1, 1, 2, 3, 3])
    expect(wrappedRows([], 10, 20).at(5)).toBe(0)
  })

  it('count two cells for wide characters', () => {
    expect([cellsOf('abc'), cellsOf('漢'), cellsOf('a😀b'), cellsOf('é')]).toEqual([3, 2, 4, 1])
    expect(equalRows(3, 20).at(55)).toBe(2)
  })
})

describe('the stream', () => {
  it('is cut into values wherever its chunks end', () => {
    const parse = createNdjsonParser()
    expect(parse('{"a":1}\n\n{"b"')).toEqual([{ a: 1 }])
    expect(parse(':2}\nnot json\n')).toEqual([{ b: 2 }])
    expect(() => parse('x'.repeat(5 * 1024 * 1024))).toThrow(RangeError)
  })

  it('tells a line once when it was asked for again', () => {
    const isNew = createOnce()
    const [one] = lines(['one'])
    if (one === undefined) throw new Error('no line')
    expect([isNew(one), isNew(one), isNew({ ...one, at: '' }), isNew({ ...one, at: '' })]).toEqual([
      true,
      false,
      true,
      true,
    ])
  })

  it('asks for lines at first, and later for what came since', () => {
    const query = { sources: ['a', 'router'], lines: 100, since: '1h', until: '' }
    expect(logAddress(query, { follow: true, after: null })).toBe(
      'api/v1/logs?source=a%2Crouter&follow=true&lines=100&since=1h',
    )
    expect(logAddress(query, { follow: true, after: '2026-01-01T00:00:00.000Z' })).toBe(
      'api/v1/logs?source=a%2Crouter&follow=true&since=2026-01-01T00%3A00%3A00.000Z',
    )
  })
})
