/** The parts of a manifest that count for one profile, weakest first: root, `profiles.default`, the active profile. */
import { own } from '../../core/id.ts'
import { childPath } from '../../core/json.ts'
import type { Raw, RawProfile } from './schema.ts'

/** Fields that a profile may give. The schema lets any other key pass; those are warned of. */
type ProfileField = Extract<keyof RawProfile, string>

export interface Layer {
  /** Key path in front of its fields; empty for the root. */
  readonly path: string
  readonly fields: RawProfile
}

export interface Layers {
  readonly all: readonly Layer[]
  readonly profiles: readonly string[]
  /** The strongest value of a field with the key path it came from; null where nobody gives it. */
  pick<K extends ProfileField>(...names: K[]): { value: NonNullable<RawProfile[K]>; path: string } | null
  /** Every value of a field, weakest first. */
  every<K extends ProfileField>(name: K): { value: NonNullable<RawProfile[K]>; path: string }[]
}

/** A profile that is not declared falls back to `defaultProfile`, then to `default` alone. */
function chosen(raw: Raw, active: string): string | null {
  const candidates = [active, raw.defaultProfile ?? 'default']
  return candidates.find((name) => own(raw.profiles, name) !== undefined) ?? null
}

export function layersOf(raw: Raw, active: string): Layers {
  const names = [...new Set(['default', chosen(raw, active)])].filter(
    (name): name is string => name !== null && own(raw.profiles, name) !== undefined,
  )
  const all: Layer[] = [
    { path: '', fields: raw as RawProfile },
    ...names.map((name) => ({ path: childPath('profiles', name), fields: own(raw.profiles, name) ?? {} })),
  ]
  return {
    all,
    profiles: names,
    pick<K extends ProfileField>(...keys: K[]) {
      for (const { path, fields } of all.toReversed()) {
        for (const key of keys) {
          const value = fields[key]
          if (value !== undefined && value !== null) return { value, path: childPath(path, key) }
        }
      }
      return null
    },
    every<K extends ProfileField>(name: K) {
      return all.flatMap(({ path, fields }) => {
        const value = fields[name]
        return value === undefined || value === null ? [] : [{ value, path: childPath(path, name) }]
      })
    },
  }
}
