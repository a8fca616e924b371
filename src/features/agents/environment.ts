/** Values of a manifest's variables: secrets first, then the environment, then the default. */
import type { Manifest } from '../../config/manifest/index.ts'
import type { EnvEntry } from '../../config/manifest/types.ts'
import { own } from '../../core/id.ts'
import type { Secret } from '../../core/secret.ts'
import type { PlannedValue } from './plan/workload.ts'

export interface EnvironmentSources {
  readonly secrets: ReadonlyMap<string, Secret>
  readonly environment: Readonly<Record<string, string | undefined>>
}

export interface MissingValue {
  readonly variable: string
  readonly path: string
}

export interface ResolvedEnvironment {
  readonly values: ReadonlyMap<string, PlannedValue>
  readonly missing: readonly MissingValue[]
}

/** The workspace's own settings and keys are never an agent's, whatever its manifest asks for. */
const isOurs = (name: string): boolean => name.startsWith('PLOINKY_')

function lookup(name: string, sources: EnvironmentSources): PlannedValue | null {
  if (isOurs(name)) return null
  const secret = sources.secrets.get(name)
  if (secret !== undefined) return { value: secret, from: '.ploinky/.secrets' }
  const value = own(sources.environment, name)
  return value === undefined ? null : { value, from: 'environment' }
}

/** True when `pattern` fits, each `*` of it standing for any text. One pass: a regular expression can be made to take for ever. */
function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return name.length - last.length >= at && name.endsWith(last)
}

/** `LLM_*` takes every matching name; a bare `*` leaves out names that look like keys. */
function expandWildcard(entry: EnvEntry, sources: EnvironmentSources): [string, PlannedValue][] {
  const names = [...new Set([...sources.secrets.keys(), ...Object.keys(sources.environment)])]
  return (
    names
      // Some shells keep functions in variables of odd names, which no engine passes on.
      .filter((name) => /^\w+$/.test(name) && fits(entry.source, name))
      .filter((name) => entry.source !== '*' || !/API_?KEY/i.test(name))
      .flatMap((name): [string, PlannedValue][] => {
        const value = lookup(name, sources)
        return value === null ? [] : [[name, value]]
      })
  )
}

export function resolveEnvironment(manifest: Manifest, sources: EnvironmentSources): ResolvedEnvironment {
  const values = new Map<string, PlannedValue>()
  const missing: MissingValue[] = []
  for (const entry of manifest.env) {
    if (entry.source.includes('*')) {
      for (const [name, value] of expandWildcard(entry, sources)) values.set(name, value)
      continue
    }
    const fallback = entry.default === null ? null : { value: entry.default, from: `default of ${entry.path}` }
    const value = lookup(entry.source, sources) ?? fallback
    if (value !== null) values.set(entry.name, value)
    else if (entry.required) missing.push({ variable: entry.source, path: entry.path })
  }
  return { values, missing }
}
