/** `enable`: `"[repo/]agent [global|devel <repo>] [no-wait] [as <alias>]"` in any order, or an object. */
import { isName } from '../../core/id.ts'
import { childPath } from '../../core/json.ts'
import { type Problem, show } from '../check.ts'
import { isTrue } from './schema.ts'
import type { Dependency, EnableMode } from './types.ts'

const REF = /^[A-Za-z0-9][\w.-]*(?:[/:][A-Za-z0-9][\w.-]*)?$/

export function isRef(text: string): boolean {
  return REF.test(text) && text.split(/[/:]/).every(isName)
}

type Draft = { -readonly [K in keyof Dependency]: Dependency[K] }

/** The words after `ploinky enable agent` are read in the same way. Null: not understood, and said in `problems`. */
export function parseDependency(text: string, path: string, problems: Problem[]): Dependency | null {
  const draft: Draft = { ref: '', mode: { kind: 'isolated' }, noWait: false, alias: null, profile: null, path }
  const words = text.split(/\s+/).filter((word) => word !== '')
  const fail = (message: string): null => {
    problems.push({ path, message })
    return null
  }
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const next = (): string => words[(i += 1)] ?? ''
    const lower = word.toLowerCase()
    if (lower === 'global') draft.mode = { kind: 'global' }
    else if (lower === 'devel') {
      const repo = next()
      if (!isName(repo)) return fail(`expected a repository after "devel", found ${show(repo)}`)
      draft.mode = { kind: 'devel', repo }
    } else if (lower === 'no-wait') draft.noWait = true
    else if (lower === 'as') {
      const alias = next()
      if (!isName(alias)) return fail(`expected a name after "as", found ${show(alias)}`)
      draft.alias = alias
    } else if (draft.ref !== '') return fail(`expected one agent, found ${show(draft.ref)} and ${show(word)}`)
    else draft.ref = word
  }
  const global = /^(.+):global$/i.exec(draft.ref)
  if (global?.[1] !== undefined) Object.assign(draft, { ref: global[1], mode: { kind: 'global' } satisfies EnableMode })
  return isRef(draft.ref) ? draft : fail(`expected "[repo/]agent", found ${show(draft.ref)}`)
}

function fromObject(value: Readonly<Record<string, unknown>>, path: string, problems: Problem[]): Dependency | null {
  const named = value['agent'] ?? value['ref'] ?? value['spec'] ?? value['name']
  if (typeof named !== 'string') {
    problems.push({ path: `${path}.agent`, message: 'expected the name of an agent' })
    return null
  }
  const base = parseDependency(named, path, problems)
  if (base === null) return null
  const alias = value['alias'] ?? value['as'] ?? base.alias
  const profile = value['profile'] ?? null
  for (const [key, name] of [
    ['alias', alias],
    ['profile', profile],
  ] as const) {
    if (name === null || (typeof name === 'string' && isName(name))) continue
    problems.push({ path: `${path}.${key}`, message: `expected a name, found ${show(name)}` })
    return null
  }
  return {
    ...base,
    alias: alias as string | null,
    profile: profile as string | null,
    noWait: base.noWait || isTrue(value['noWait']),
  }
}

/** Later layers add; the same agent under the same name counts once. */
export function dependenciesOf(
  layers: readonly { readonly value: unknown; readonly path: string }[],
  problems: Problem[],
): Dependency[] {
  const found = new Map<string, Dependency>()
  for (const { value, path } of layers) {
    const items = Array.isArray(value) ? value : [value]
    items.forEach((item: unknown, index) => {
      const place = Array.isArray(value) ? childPath(path, index) : path
      const dependency =
        typeof item === 'string'
          ? parseDependency(item, place, problems)
          : fromObject(item as Record<string, unknown>, place, problems)
      if (dependency !== null) found.set(`${dependency.ref} ${dependency.alias ?? ''}`, dependency)
    })
  }
  return [...found.values()]
}
