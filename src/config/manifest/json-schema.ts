/** The manifest's JSON Schema (draft 2020-12), for editors: made from the schema that checks, with the words of the field list. */
import * as z from 'zod/mini'
import { FIELDS, informationNames } from './fields.ts'
import { manifestSchema } from './schema.ts'

type Json = Record<string, unknown>

function describe(properties: Json, place: 'root' | 'profile'): Json {
  const result: Json = {}
  for (const { name, where, acted, about } of FIELDS) {
    if (where !== 'both' && where !== place) continue
    const description = acted ? about : `${about} (known, not honoured by this version)`
    result[name] = { ...(properties[name] as Json | undefined), description }
  }
  return result
}

export function manifestJsonSchema(): Json {
  const made = z.toJSONSchema(manifestSchema(), { unrepresentable: 'any', io: 'input' }) as Json
  const properties = made['properties'] as Json
  const profiles = properties['profiles'] as { additionalProperties: { properties: Json } & Json }
  const profile = profiles.additionalProperties
  const information = Object.fromEntries(informationNames.map((name) => [name, {}]))
  const root = describe(properties, 'root')
  return {
    ...made,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'ploinky agent manifest',
    properties: {
      ...root,
      profiles: {
        ...(root['profiles'] as Json),
        additionalProperties: { ...profile, properties: describe(profile.properties, 'profile') },
      },
      ...information,
    },
  }
}
