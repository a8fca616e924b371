import { describe, expect, it } from 'vitest'
import { readPastCalls } from '../../public/dashboard/tools/history.ts'
import { codeOf, commandOf, curlOf, readAnswer, readOffers } from '../../public/dashboard/tools/model.ts'
import { draftsOf, fieldsOf, readDrafts } from '../../public/dashboard/tools/schema.ts'

const SCHEMA = {
  type: 'object',
  required: ['name', 'address'],
  properties: {
    name: { type: 'string', title: 'Full name' },
    age: { type: ['integer', 'null'], minimum: 0, maximum: 150 },
    rate: { type: 'number', default: 1.5 },
    on: { type: 'boolean' },
    level: { enum: ['low', 'high', 3] },
    address: { type: 'object', required: ['city'], properties: { city: { type: 'string' }, zip: { type: 'string' } } },
    extra: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
    tags: { type: 'array', items: { type: 'string' } },
    any: {},
    point: { $ref: '#/$defs/point' },
  },
  $defs: { point: { type: 'object', properties: { x: { type: 'number' } } } },
}

describe('a form from a schema', () => {
  const fields = fieldsOf(SCHEMA)
  it('has the field that fits', () => {
    expect(Object.fromEntries(fields.map(({ name, kind }) => [name, kind]))).toEqual({
      ...{ name: 'text', age: 'integer', rate: 'number', on: 'boolean', level: 'choice', address: 'object' },
      ...{ extra: 'object', tags: 'list', any: 'json', point: 'object' },
    })
    expect(fields[0]).toMatchObject({ label: 'Full name', required: true })
  })

  it('gives typed arguments, and leaves out what is empty', () => {
    const drafts = {
      ...draftsOf(fields, {}),
      ...{ name: 'Ada', age: '36', on: false, level: '3', tags: ['a', 'b'], any: '{"deep":[1]}' },
      address: { city: 'London', zip: '' },
    }
    expect(readDrafts(fields, drafts)).toEqual({
      value: {
        ...{ name: 'Ada', age: 36, rate: 1.5, on: false, level: 3, tags: ['a', 'b'], any: { deep: [1] } },
        address: { city: 'London' },
      },
      faults: [],
    })
  })

  it('names each fault with its place', () => {
    const { faults } = readDrafts(fields, { age: '200', rate: 'x', address: {}, any: '{', level: '"low"' })
    expect(faults).toEqual([
      { path: 'name', why: 'missing' },
      { path: 'age', why: 'range' },
      { path: 'rate', why: 'number' },
      { path: 'address.city', why: 'missing' },
      { path: 'any', why: 'json' },
    ])
    expect(readDrafts(fields, { name: 'x', address: { city: 'y' }, age: '1.5' }).faults).toEqual([
      { path: 'age', why: 'integer' },
    ])
  })

  it('stays bounded, whatever a schema holds', () => {
    const circle: Record<string, unknown> = { type: 'object', properties: {} }
    ;(circle['properties'] as Record<string, unknown>)['me'] = { $ref: '#/$defs/me' }
    circle['$defs'] = { me: { type: 'object', properties: { me: { $ref: '#/$defs/me' } } } }
    expect(JSON.stringify(fieldsOf(circle)).length).toBeLessThan(5000)
    const wide = { properties: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, {}])) }
    expect(fieldsOf(wide).length).toBeLessThanOrEqual(60)
    for (const schema of [null, 'x', 5, [], { properties: 'x' }, { properties: { a: null } }])
      expect(Array.isArray(fieldsOf(schema))).toBe(true)
  })
})

describe('what an agent says', () => {
  it('is read without trust', () => {
    expect(readOffers('tool', [null, { name: 5 }, { name: 'a\u202eb', description: '\u001b[31mred' }])).toEqual([
      expect.objectContaining({ id: 'a\u202eb', title: 'ab', about: 'red' }),
    ])
    expect(
      readOffers(
        'tool',
        Array.from({ length: 5000 }, (_, index) => ({ name: `t${index}` })),
      ).length,
    ).toBe(1000)
  })

  it('shows pictures of harmless kinds alone', () => {
    const { parts } = readAnswer({
      content: [
        { type: 'image', mimeType: 'image/png', data: 'AAAA' },
        { type: 'image', mimeType: 'image/svg+xml', data: 'AAAA' },
        { type: 'image', mimeType: 'image/png', data: '"><script>' },
        { type: 'resource_link', uri: 'javascript:alert(1)', name: 'x' },
      ],
    })
    expect(parts.map(({ kind }) => kind)).toEqual(['image', 'data', 'data', 'link'])
  })

  it('tells structured content once', () => {
    const { parts } = readAnswer({ structuredContent: { a: 1 }, content: [{ type: 'text', text: '{"a": 1}' }] })
    expect(parts).toEqual([{ kind: 'data', value: { a: 1 } }])
  })
})

describe('a call as text', () => {
  const call = { endpoint: 'http://h:1/mcps/demo/mcp', kind: 'tool', id: "it's", args: { q: "a'; rm -rf ~" } } as const
  it('is quoted for a shell, and holds no credential', () => {
    expect(curlOf(call)).toContain(`'Mcp-Name: it'\\''s'`)
    expect(curlOf(call)).toContain('Bearer $(ploinky token)')
    expect(commandOf(call, 'demo')).toBe(
      `ploinky client tool 'it'\\''s' --agent demo --input '{"q":"a'\\''; rm -rf ~"}'`,
    )
  })
  it('is code for a page', () => {
    expect(codeOf(call)).toContain('createAgentClient("/mcps/demo")')
  })
})

it('reads kept calls that somebody changed', () => {
  for (const text of [null, '', '{', '5', '[1,{"agent":1}]']) expect(readPastCalls(text)).toEqual([])
  expect(readPastCalls('[{"agent":"a","kind":"tool","id":"t","args":{"x":1}}]')).toHaveLength(1)
})
