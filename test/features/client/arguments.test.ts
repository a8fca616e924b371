import { expect, test } from 'vitest'
import { promptArguments, toolArguments } from '../../../src/features/client/arguments.ts'

const schema = {
  type: 'object',
  properties: {
    text: { type: 'string' },
    count: { type: 'integer' },
    ratio: { type: 'number' },
    on: { type: 'boolean' },
    tags: { type: 'array', items: { type: 'string' } },
    numbers: { type: 'array', items: { type: 'number' } },
    options: { type: 'object' },
    maybe: { type: ['string', 'null'] },
    either: { anyOf: [{ type: 'number' }, { type: 'string' }] },
    level: { enum: ['low', 'high'] },
    place: { $ref: '#/$defs/place' },
    loop: { $ref: '#/$defs/loop' },
    anything: {},
  },
  $defs: { place: { type: 'integer' }, loop: { anyOf: [{ $ref: '#/$defs/loop' }] } },
}
const convert = (...pairs: string[]) => toolArguments({ tool: 't', schema, pairs, input: null })

test.each([
  ['text=12', { text: '12' }],
  ['text=', { text: '' }],
  ['text=a=b', { text: 'a=b' }],
  ['text=true', { text: 'true' }],
  ['count=-3', { count: -3 }],
  ['ratio=1.5e3', { ratio: 1500 }],
  ['on=false', { on: false }],
  ['tags=one', { tags: ['one'] }],
  ['tags=["a","b"]', { tags: ['a', 'b'] }],
  ['options={"a":1}', { options: { a: 1 } }],
  ['maybe=null', { maybe: null }],
  ['maybe=no', { maybe: 'no' }],
  ['either=7', { either: 7 }],
  ['either=x7', { either: 'x7' }],
  ['level=low', { level: 'low' }],
  ['place=4', { place: 4 }],
  ['loop=x', { loop: 'x' }],
  ['anything=5', { anything: 5 }],
  ['anything=five', { anything: 'five' }],
  ['unknown=word', { unknown: 'word' }],
  ['text:="quoted"', { text: 'quoted' }],
  ['count:={"any":"json"}', { count: { any: 'json' } }],
])('%s', (pair, expected) => {
  expect(convert(pair)).toEqual(expected)
})

test('a parameter that comes again is a list', () => {
  expect(convert('tags=a', 'tags=b', 'numbers=1', 'numbers=2')).toEqual({ tags: ['a', 'b'], numbers: [1, 2] })
  expect(() => convert('text=a', 'text=b')).toThrow(/given 2 times/)
})

test.each([
  ['count=1.5', 'expected integer'],
  ['count=', 'expected integer'],
  ['ratio=0x10', 'expected number'],
  ['on=yes', 'expected boolean'],
  ['numbers=a', 'expected number'],
  ['options=[1]', 'expected object'],
  ['=x', 'Not a parameter'],
  ['text', 'Not a parameter'],
  [':=1', 'Not a parameter'],
  ['text:=nope', 'Not JSON'],
])('%s is refused: %s', (pair, problem) => {
  expect(() => convert(pair)).toThrow(problem)
})

test('JSON below, parameters above; names of objects stay names', () => {
  const given = (input: string, ...pairs: string[]) => toolArguments({ tool: 't', schema, pairs, input })
  expect(given('{"text":"a","count":1}', 'count=2')).toEqual({ text: 'a', count: 2 })
  expect(Object.keys(given('{"__proto__":{"x":1}}'))).toEqual(['__proto__'])
  expect(() => given('[1]')).toThrow(/expected an object/)
  expect(() => given('{')).toThrow(/not JSON/)
})

test('what is missing or not there is named', () => {
  const strict = { ...schema, required: ['text', 'count'], additionalProperties: false }
  const call = (...pairs: string[]) => toolArguments({ tool: 'write', schema: strict, pairs, input: null })
  expect(() => call('text=a')).toThrow('Tool "write" needs "count"')
  expect(() => call('txt=a', 'count=1')).toThrow(expect.objectContaining({ hint: 'Did you mean: -p text=...' }))
})

test('a schema that is none changes nothing', () => {
  for (const broken of [null, 5, 'x', [], { properties: 5 }, { properties: { a: null } }])
    expect(toolArguments({ tool: 't', schema: broken, pairs: ['a=1'], input: null })).toEqual({ a: 1 })
})

test('arguments of prompts stay text', () => {
  expect(promptArguments(['audience=5', 'tone=a=b'])).toEqual({ audience: '5', tone: 'a=b' })
})
