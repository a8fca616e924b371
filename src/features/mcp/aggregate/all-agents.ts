/** The view of `/mcp`: everything of all agents, under names that say whose it is (or only where they have to). */
import type { PrefixMode } from '../exchange.ts'
import { KINDS, type Kind } from './lists.ts'
import type { Json } from './message.ts'
import { matchesTemplate, schemeOf } from './uri-match.ts'
import * as views from './view.ts'
import type { Found, Problem, Shown, View, ViewOptions } from './view.ts'

export function createAllAgentsView(options: ViewOptions & { prefix: PrefixMode }): View {
  const { agents, prefix, index } = options

  function show(kind: Kind, lists: ReadonlyMap<string, readonly Json[]>): Shown {
    const { key } = KINDS[kind]
    const isUri = key !== 'name'
    const counts = new Map<string, number>()
    for (const items of lists.values())
      for (const item of items) counts.set(String(item[key]), (counts.get(String(item[key])) ?? 0) + 1)

    const publicName = (agent: string, name: string): string => {
      const isUnique = counts.get(name) === 1
      if (isUri) return isUnique && !name.startsWith('ploinky:') ? name : views.qualified(agent, name)
      const needsNone = prefix === 'collisions' && isUnique && views.splitPrefix(agents, name) === null
      return needsNone ? name : views.prefixed(agent, name)
    }
    const items: Json[] = []
    const problems: Problem[] = []
    for (const [agent, own] of lists)
      for (const item of own) {
        const name = publicName(agent, String(item[key]))
        if (isUri || isReachable(agent, name)) items.push({ ...item, [key]: name })
        else problems.push({ agent, code: 'CONFLICT', message: `"${name}" is the name of something of another agent` })
      }
    return { items, problems }
  }

  /** `a__b` and its tool `c` hide what agent `a` would call `b__c`. */
  const isReachable = (agent: string, name: string): boolean =>
    (views.splitPrefix(agents, name)?.agent ?? agent) === agent

  const holders = (names: ReadonlyMap<string, readonly string[]>, fits: (name: string) => boolean): string[] =>
    [...names].flatMap(([agent, own]) => (own.some(fits) ? [agent] : []))

  async function find(kind: 'tools' | 'prompts', name: string): Promise<Found> {
    const split = views.splitPrefix(agents, name)
    if (split !== null) return split
    if (prefix === 'always') throw views.unknownName(kind, name)
    for (const fresh of [false, true]) {
      if (fresh && !index.mayRefresh(kind)) break
      const found = holders(await views.namesOf(options, kind, { agents, fresh }), (own) => own === name)
      if (found.length > 1)
        throw views.ambiguousName(
          kind,
          name,
          found.map((agent) => views.prefixed(agent, name)),
        )
      if (found[0] !== undefined) return { agent: found[0], name }
    }
    throw views.unknownName(kind, name)
  }

  function only(found: readonly string[], kind: Kind, uri: string): Found | null {
    if (found.length > 1)
      throw views.ambiguousName(
        kind,
        uri,
        found.map((agent) => views.qualified(agent, uri)),
      )
    return found[0] === undefined ? null : { agent: found[0], name: uri }
  }

  async function findUri(kind: 'resources' | 'templates', uri: string): Promise<Found> {
    const split = views.splitQualified(agents, uri)
    if (split !== null) return split
    for (const fresh of [false, true]) {
      if (fresh && !index.mayRefresh('resources')) break
      const [resources, templates] = await Promise.all([
        views.namesOf(options, 'resources', { agents, fresh }),
        views.namesOf(options, 'templates', { agents, fresh }),
      ])
      const exact = holders(kind === 'resources' ? resources : templates, (own) => own === uri)
      const found =
        only(exact, kind, uri) ??
        only(
          holders(templates, (own) => matchesTemplate(own, uri)),
          kind,
          uri,
        )
      if (found !== null) return found
      // A link in the result of a tool need not be in any list: whose other resources look like it?
      const scheme = schemeOf(uri)
      const alike = agents.filter((agent) =>
        [...(resources.get(agent) ?? []), ...(templates.get(agent) ?? [])].some((own) => schemeOf(own) === scheme),
      )
      if (alike.length === 1 && scheme !== null) return { agent: alike[0] as string, name: uri }
    }
    throw views.unknownUri(options.unknownUriCode, uri)
  }

  return { agents: () => agents, list: options.list, show, find, findUri }
}
