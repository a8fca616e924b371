import { describe, expect, test } from 'vitest'
import { checkArguments } from '../../src/agent/arguments.ts'
import { readInputSchema } from '../../src/agent/fields.ts'

function schema(fields: object) {
  const issues = { errors: [], warnings: [] }
  const input = readInputSchema(fields, { path: '', issues })
  expect(issues.errors).toEqual([])
  return input
}

const check = (fields: object, value: unknown) => checkArguments(schema(fields), value)

describe('checkArguments()', () => {
  test.each<[string, object, unknown]>([
    ['text', { a: 'string' }, { a: '' }],
    ['numbers', { a: 'number', b: 'integer' }, { a: -1.5, b: 3 }],
    ['null where it may be', { a: { type: 'string', nullable: true } }, { a: null }],
    ['lists', { a: { type: 'array', items: 'number' } }, { a: [1, 2] }],
    ['open objects', { a: 'object' }, { a: { x: { y: [null] } } }],
    ['any value', { a: 'any' }, { a: [1, 'x', null] }],
    ['code points, not code units', { a: { type: 'string', maxLength: 2 } }, { a: '👍👍' }],
  ])('accepts %s', (_what, fields, value) => {
    expect(check(fields, value)).toEqual({ ok: true, value })
  })

  test.each<[object, unknown, string]>([
    [{ a: 'string' }, {}, '"a" is missing (expected a string)'],
    [{ a: 'string' }, undefined, '"a" is missing (expected a string)'],
    [{ a: 'string' }, { a: null }, '"a" must be a string, found null'],
    [{ a: 'number' }, { a: '1' }, '"a" must be a number, found "1"'],
    [{ a: 'integer' }, { a: 1.5 }, '"a" must be an integer, found 1.5'],
    [{ a: 'boolean' }, { a: 1 }, '"a" must be a boolean, found 1'],
    [{ a: 'object' }, { a: [] }, '"a" must be an object, found an array of 0'],
    [{ a: { enum: ['x', 'y'] } }, { a: 'z' }, '"a" must be one of "x", "y", found "z"'],
    [{ a: { type: 'string', minLength: 2 } }, { a: 'x' }, '"a" must be at least 2 characters, found "x"'],
    [{ a: { type: 'number', max: 5 } }, { a: 6 }, '"a" must be at most 5, found 6'],
    [{ a: { type: 'array', minItems: 1 } }, { a: [] }, '"a" must be at least 1 items, found an array of 0'],
    [{ a: { type: 'array', items: 'number' } }, { a: [1, 'x'] }, '"a[1]" must be a number, found "x"'],
    [{ a: { type: 'object', properties: { b: 'string' } } }, { a: {} }, '"a.b" is missing (expected a string)'],
  ])('refuses for %j the value %j', (fields, value, message) => {
    expect(check(fields, value)).toEqual({ ok: false, message: `Invalid arguments: ${message}` })
  })

  test('refuses what is no object at all', () => {
    expect(check({}, 'text')).toEqual({ ok: false, message: 'Invalid arguments: expected an object, found "text"' })
  })

  test('drops what nobody declared, also in nested objects, and keeps what an object leaves open', () => {
    const fields = {
      a: { type: 'object', properties: { b: 'string' } },
      c: { type: 'object', properties: { d: 'string' }, additionalProperties: true },
    }
    const value = { a: { b: '1', x: 2 }, c: { d: '3', y: 4 }, z: 5 }
    expect(check(fields, value)).toEqual({ ok: true, value: { a: { b: '1' }, c: { d: '3', y: 4 } } })
  })

  test('fills in defaults and treats null as not given where a field is optional', () => {
    const fields = { a: { type: 'string', default: 'x' }, b: { type: 'number', optional: true } }
    expect(check(fields, { b: null })).toEqual({ ok: true, value: { a: 'x' } })
    expect(check(fields, { a: null, b: 2 })).toEqual({ ok: true, value: { a: 'x', b: 2 } })
  })

  test('never touches the prototype', () => {
    const result = check(
      { a: 'object' },
      JSON.parse('{"a":{"__proto__":{"polluted":true}},"__proto__":{"polluted":true}}'),
    )
    expect(result.ok).toBe(true)
    expect('polluted' in {}).toBe(false)
    expect(result.ok && Object.keys(result.value)).toEqual(['a'])
  })

  test('names at most ten problems', () => {
    const fields = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, 'string']))
    const result = check(fields, {})
    expect(result.ok ? '' : result.message).toMatch(/"f9" is missing \(expected a string\); and 20 more$/)
  })
})
