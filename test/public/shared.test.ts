import { describe, expect, it } from 'vitest'
import { clockTime, duration, plainText, secondsSince, shellWord } from '../../public/shared/format.ts'
import { backoffMs } from '../../public/shared/live.ts'
import { createSseParser } from '../../public/shared/sse.ts'
import { nextPage } from '../../public/signin/next.ts'

describe('the event stream', () => {
  const STREAM =
    '\n: comment\nid: 1\nevent: agent.started\ndata: {"a":1}\n\nid: 2\r\ndata:two\r\ndata: lines\r\n\r\nretry: 250\ndata\n\nevent: lost\n\nid: bad\0id\rdata: é😀\r\rdata: unfinished'
  const MESSAGES = [
    { id: '1', event: 'agent.started', data: '{"a":1}' },
    { id: '2', event: 'message', data: 'two\nlines' },
    { id: '2', event: 'message', data: '' },
    { id: '2', event: 'message', data: 'é😀' },
  ]
  it('is read as the standard says', () => {
    const parser = createSseParser()
    expect(parser.push(STREAM)).toEqual(MESSAGES)
    expect([parser.lastId, parser.retryMs]).toEqual(['2', 250])
  })
  it('gives the same wherever it is cut', () => {
    for (let first = 0; first <= STREAM.length; first++) {
      for (const second of [first, first + 1, first + 7]) {
        const parser = createSseParser()
        const parts = [STREAM.slice(0, first), STREAM.slice(first, second), STREAM.slice(second)]
        expect([first, second, parts.flatMap((part) => parser.push(part))]).toEqual([first, second, MESSAGES])
      }
    }
  })
  it('does not grow without end', () => {
    const parser = createSseParser()
    const push = (line: string): void => {
      for (let i = 0; i < 40; i++) parser.push(line)
    }
    expect(() => push('x'.repeat(65_536))).toThrow(RangeError)
    expect(() => push(`data: ${'x'.repeat(65_536)}\n`)).toThrow(RangeError)
  })
})

it('waits longer after each failure, up to a bound, and never in step with others', () => {
  expect([0, 1, 2, 3, 50].map((attempt) => backoffMs(attempt, 1))).toEqual([500, 1000, 2000, 4000, 15_000])
  expect(backoffMs(50, 0)).toBe(10_500)
})

it('says spans of time as people do', () => {
  expect([0, 59, 60, 3599, 3600, 7512, 86_399, 90_000, -5].map(duration)).toEqual([
    '0 sec', '59 sec', '1 min', '59 min', '1 hr', '2 hr 5 min', '23 hr 59 min', '1 day', '0 sec',
  ]) // prettier-ignore
  expect(secondsSince('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:01:00Z'))).toBe(60)
  expect([secondsSince(null, 0), secondsSince('yesterday', 0), clockTime('yesterday')]).toEqual([null, null, ''])
})

it('makes text harmless', () => {
  expect(plainText('a\u001b]0;title\u0007b\u001b[31mc\u001b[0m\u0000\u202ed\u009be')).toBe('abcde')
  expect(plainText('日本 😀 – ok')).toBe('日本 😀 – ok')
  expect([shellWord('a/b:1'), shellWord('a b'), shellWord(''), shellWord("it's")]).toEqual([
    'a/b:1',
    "'a b'",
    "''",
    `'it'\\''s'`,
  ])
})

describe('after signing in', () => {
  const here = 'http://localhost:8088/base/signin/?x'
  it('goes back to a page of this router', () => {
    expect(nextPage('?returnTo=/base/dashboard/%3Fa=1', here, 'F')).toBe('http://localhost:8088/base/dashboard/?a=1')
    expect(nextPage('', here, 'F')).toBe('F')
  })
  it.each([
    'https://evil.example/', '//evil.example', '/\\evil.example', '\\\\evil.example', 'javascript:alert(1)', 'data:text/html,x', 'http://localhost:80/',
    'http://[', '/base/signin/', '', '\thttps://evil.example',
  ])('never to %j', (next) => {
    expect(nextPage(`?returnTo=${encodeURIComponent(next)}`, here, 'F')).toBe('F')
  }) // prettier-ignore
})
