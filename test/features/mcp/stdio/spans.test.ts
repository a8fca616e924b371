/** Values are found in the bytes of a message, and replaced without touching the rest. */
import { describe, expect, it } from 'vitest'
import { DUPLICATE, findSpans, onOneLine, splice } from '../../../../src/features/mcp/stdio/spans.ts'

const WANTED = { id: 'id', params: { _meta: { progressToken: 'token', 'a/b': 'odd' }, name: 'name' } } as const

function found(text: string): Record<string, string> | string {
  const bytes = Buffer.from(text)
  const spans = findSpans(bytes, WANTED)
  if (spans === DUPLICATE) return spans
  return Object.fromEntries([...spans].map(([name, { start, end }]) => [name, bytes.toString('utf8', start, end)]))
}

describe('values in a JSON text', () => {
  it.each([
    ['{"id":1}', { id: '1' }],
    ['  { "id" : "a\\"b" , "x" : [ { "id" : 2 } ] }  ', { id: '"a\\"b"' }],
    ['{"x":{"id":7},"y":"\\\\","id":12345678901234567890.0}', { id: '12345678901234567890.0' }],
    [
      '{"params":{"arguments":{"_meta":{"progressToken":1}},"_meta":{"a/b":null,"progressToken":"t"}}}',
      { odd: 'null', token: '"t"' },
    ],
    ['{"\\u0069d":5}', { id: '5' }],
    ['{"id":"🦀","params":[{"_meta":{"progressToken":1}}]}', { id: '"🦀"' }],
    ['{"id":{"deep":[1,{"a":"}"}]},"params":{"name":true}}', { id: '{"deep":[1,{"a":"}"}]}', name: 'true' }],
    ['{}', {}],
    ['[{"id":1}]', {}],
    ['"id"', {}],
  ])('%s', (text, expected) => {
    expect(found(text)).toEqual(expected)
  })

  it.each(['{"id":1,"id":2}', '{"id":1,"\\u0069d":2}', '{"params":{},"params":{}}', '{"params":{"name":1,"name":1}}'])(
    'a member that matters is there twice: %s',
    (text) => {
      expect(found(text)).toBe(DUPLICATE)
    },
  )

  it('members that do not matter may be there twice', () => {
    expect(found('{"x":1,"x":2,"id":3}')).toEqual({ id: '3' })
  })

  it('finds the same as JSON.parse in generated texts', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const value = {
        x: generated(seed),
        id: generated(seed + 1),
        y: generated(seed + 2),
        params: { name: generated(seed + 3) },
      }
      const text = JSON.stringify(value, null, seed % 3)
      const { id = '', name = '' } = found(text) as Record<string, string>
      expect([JSON.parse(id), JSON.parse(name)]).toEqual([value.id, value.params.name])
    }
  })

  it('replaces values and nothing else', () => {
    const text = '{ "big":12345678901234567890, "id":1, "e":"\\u00e9",\t"params":{"_meta":{"progressToken":9}} }'
    const bytes = Buffer.from(text)
    const spans = findSpans(bytes, WANTED)
    if (spans === DUPLICATE) throw new Error('duplicate')
    const changes = [...spans.values()].toReversed().map((span) => ({ span, by: Buffer.from('"new"') }))
    expect(splice(bytes, changes).toString()).toBe(
      '{ "big":12345678901234567890, "id":"new", "e":"\\u00e9",\t"params":{"_meta":{"progressToken":"new"}} }',
    )
  })

  it('a text over several lines becomes one line that means the same', () => {
    const value = { a: ['x\ny', { b: 1 }] }
    const line = onOneLine(Buffer.from(JSON.stringify(value, null, 2).replaceAll('\n', '\r\n')))
    expect(line.toString()).not.toMatch(/[\r\n]/)
    expect(JSON.parse(line.toString())).toEqual(value)
  })
})

function generated(seed: number): unknown {
  const choice = (seed * 2_654_435_761) % 7
  if (choice === 0) return 'a\\b"c{}[],:'.repeat(seed % 4)
  if (choice === 1) return [seed, [generated(seed * 3 + 1)], {}]
  if (choice === 2) return { id: seed, '"': generated(seed * 5 + 2) }
  if (choice === 3) return '\\'.repeat(seed % 9)
  return [null, true, -seed / 3][choice - 4]
}
