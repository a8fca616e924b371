/** What a manifest says that nothing comes of: unknown keys, and known ones that this version does not act on. */
import { nearest } from '../../core/id.ts'
import { childPath } from '../../core/json.ts'
import type { Problem } from '../check.ts'
import { isActed, isInformation, profileNames, rootNames } from './fields.ts'
import { INNER_KEYS, type Raw, VARIABLE_NOT_ACTED } from './schema.ts'

function unknownIn(value: unknown, prefix: string, allowed: readonly string[]): Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.keys(value)
    .filter((key) => !allowed.includes(key))
    .map((key) => {
      const near = nearest(key, allowed)
      const meant = near === null ? '' : `; did you mean "${near}"?`
      return { path: childPath(prefix, key), message: `unknown key, ignored${meant}` }
    })
}

const notHonoured = (path: string): Problem => ({ path, message: 'known, not honoured by this version' })

function fieldsIn(value: object, prefix: string, allowed: readonly string[]): Problem[] {
  const names = Object.keys(value).filter((key) => !isInformation(key))
  return [
    ...unknownIn(Object.fromEntries(names.map((key) => [key, null])), prefix, allowed),
    ...names.filter((key) => allowed.includes(key) && !isActed(key)).map((key) => notHonoured(childPath(prefix, key))),
  ]
}

/** Objects of a list, or of the values of a map, each with its key path. */
function objectsOf(value: unknown, prefix: string): [value: object, path: string][] {
  if (typeof value !== 'object' || value === null) return []
  const entries = Array.isArray(value)
    ? value.map((item: unknown, index) => [index, item] as const)
    : Object.entries(value)
  return entries.flatMap(([key, item]) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? [[item as object, childPath(prefix, key)]] : [],
  )
}

function variablesIn(env: unknown, prefix: string): Problem[] {
  return objectsOf(env, prefix).flatMap(([object, path]) => [
    ...unknownIn(object, path, [...INNER_KEYS.variable, ...VARIABLE_NOT_ACTED]),
    ...VARIABLE_NOT_ACTED.filter((key) => Object.hasOwn(object, key)).map((key) => notHonoured(childPath(path, key))),
  ])
}

/** One object, or a list with objects among texts. */
function needsIn(enable: unknown, prefix: string): Problem[] {
  const needs = Array.isArray(enable) ? objectsOf(enable, prefix) : [[enable, prefix] as const]
  return needs.flatMap(([need, path]) => unknownIn(need, path, INNER_KEYS.need))
}

/** Objects inside a layer whose keys are known. */
function innerOf(fields: Readonly<Record<string, unknown>>, prefix: string): Problem[] {
  const at = (key: string): string => childPath(prefix, key)
  const options = Object.entries((fields['volumeOptions'] as object | undefined) ?? {})
  const { attachments } = (fields['network'] ?? {}) as { attachments?: unknown }
  return [
    ...variablesIn(fields['env'], at('env')),
    ...objectsOf(fields['expose'], at('expose')).flatMap(([object, path]) =>
      unknownIn(object, path, INNER_KEYS.exposed),
    ),
    ...needsIn(fields['enable'], at('enable')),
    ...objectsOf(attachments, childPath(at('network'), 'attachments')).flatMap(([object, path]) =>
      unknownIn(object, path, INNER_KEYS.attachment),
    ),
    ...unknownIn(fields['network'], at('network'), INNER_KEYS.network),
    ...unknownIn(fields['containerSecurity'], at('containerSecurity'), INNER_KEYS.containerSecurity),
    ...unknownIn(fields['mounts'], at('mounts'), INNER_KEYS.mounts),
    ...options.flatMap(([target, value]) =>
      unknownIn(value, childPath(at('volumeOptions'), target), INNER_KEYS.volumeOptions),
    ),
  ]
}

export function warningsOf(raw: Raw): Problem[] {
  const profiles = Object.entries(raw.profiles ?? {}).flatMap(([name, profile]) => {
    const prefix = childPath('profiles', name)
    return [...fieldsIn(profile, prefix, profileNames), ...innerOf(profile, prefix)]
  })
  const { resources } = raw.runtime ?? {}
  return [
    ...fieldsIn(raw, '', rootNames),
    ...innerOf(raw, ''),
    ...unknownIn(raw.readiness, 'readiness', INNER_KEYS.readiness),
    ...unknownIn(raw.health, 'health', INNER_KEYS.health),
    ...Object.entries(raw.health ?? {}).flatMap(([name, value]) =>
      unknownIn(value, childPath('health', name), INNER_KEYS.probe),
    ),
    ...unknownIn(raw.restart, 'restart', INNER_KEYS.restart),
    ...unknownIn(raw.hardwareLimits, 'hardwareLimits', INNER_KEYS.hardwareLimits),
    ...unknownIn(raw.commands, 'commands', INNER_KEYS.commands),
    ...unknownIn(raw.mcp, 'mcp', INNER_KEYS.mcp),
    ...unknownIn(raw.runtime, 'runtime', INNER_KEYS.runtime),
    ...unknownIn(resources, 'runtime.resources', INNER_KEYS.resources),
    ...unknownIn(resources?.persistentStorage, 'runtime.resources.persistentStorage', INNER_KEYS.persistentStorage),
    ...profiles,
    ...(raw.profiles !== undefined && !Object.hasOwn(raw.profiles, 'default')
      ? [{ path: 'profiles', message: 'has no "default", so nothing holds for the other profiles' }]
      : []),
    ...(raw.container !== undefined && raw.image !== undefined && raw.container !== raw.image
      ? [{ path: 'image', message: `ignored, since "container" is given: ${JSON.stringify(raw.container)}` }]
      : []),
  ]
}
