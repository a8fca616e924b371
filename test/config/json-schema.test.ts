/** The schema that editors get: every field with its words, and it accepts what the parser accepts. */
import { expect, it } from 'vitest'
import { FIELDS } from '../../src/config/manifest/fields.ts'
import { manifestJsonSchema } from '../../src/config/manifest/json-schema.ts'

type Node = { properties?: Record<string, Node>; additionalProperties?: Node; description?: string; anyOf?: unknown[] }
const schema = manifestJsonSchema() as Node & { $schema: string }
const profile = schema.properties?.['profiles']?.additionalProperties

it('describes every field where it may stand', () => {
  const named = (place: 'root' | 'profile') =>
    FIELDS.filter(({ where }) => where === 'both' || where === place).map(({ name }) => name)
  const described = (node: Node | undefined) =>
    Object.entries(node?.properties ?? {}).flatMap(([name, { description }]) => (description ? [name] : []))
  expect(described(schema).sort()).toEqual(named('root').sort())
  expect(described(profile).sort()).toEqual(named('profile').sort())
  expect(schema.$schema).toContain('2020-12')
})

it('keeps the shapes: a word or an object, limits of numbers', () => {
  expect(schema.properties?.['restart']?.anyOf).toHaveLength(2)
  expect(schema.properties?.['readiness']?.properties?.['port']).toMatchObject({ minimum: 1, maximum: 65535 })
  expect(JSON.stringify(schema)).not.toContain('undefined')
})
