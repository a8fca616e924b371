/** The view of a virtual endpoint: what was chosen, under the names and descriptions that were given to it. */
import type { VirtualEndpoint } from '../../../config/documents.ts'
import { KINDS, type Kind } from './lists.ts'
import type { Json } from './message.ts'
import { matchesTemplate } from './uri-match.ts'
import * as views from './view.ts'
import type { Found, Problem, Shown, View, ViewOptions } from './view.ts'

export function createChosenView({ endpoint, ...options }: ViewOptions & { endpoint: VirtualEndpoint }): View {
  const { agents } = options
  const isUri = (kind: Kind): kind is 'resources' | 'templates' => kind === 'resources' || kind === 'templates'
  const isThere = ({ agent }: { agent: string }): boolean => agents.includes(agent)
  const resources = endpoint.resources.filter(isThere)
  const named = (kind: 'tools' | 'prompts') => endpoint[kind].filter(isThere)

  function showNamed(kind: 'tools' | 'prompts', lists: ReadonlyMap<string, readonly Json[]>): Shown {
    const items: Json[] = []
    const problems: Problem[] = []
    for (const { agent, name, as, description } of named(kind)) {
      const own = lists.get(agent)
      const item = own?.find((one) => one['name'] === name)
      if (item !== undefined) items.push({ ...item, name: as, ...(description === null ? {} : { description }) })
      else if (own !== undefined)
        problems.push({ agent, code: 'NOT_FOUND', message: `Agent "${agent}" has no "${name}"` })
    }
    return { items, problems }
  }

  function showUris(kind: 'resources' | 'templates', lists: ReadonlyMap<string, readonly Json[]>): Shown {
    const { key } = KINDS[kind]
    const all = [...lists].flatMap(([agent, own]) =>
      own.filter((item) => includes(agent, String(item[key]))).map((item) => ({ agent, item })),
    )
    const counts = new Map<unknown, number>()
    for (const { item } of all) counts.set(item[key], (counts.get(item[key]) ?? 0) + 1)
    const items = all.map(({ agent, item }) =>
      counts.get(item[key]) === 1 ? item : { ...item, [key]: views.qualified(agent, String(item[key])) },
    )
    return { items, problems: [] }
  }

  const includes = (agent: string, uri: string): boolean =>
    resources.some(
      (one) => one.agent === agent && (one.uri === '*' || one.uri === uri || matchesTemplate(one.uri, uri)),
    )

  async function findUri(kind: 'resources' | 'templates', uri: string): Promise<Found> {
    const split = views.splitQualified(agents, uri)
    if (split !== null && includes(split.agent, split.name)) return split
    const literal = resources.filter((one) => one.uri !== '*' && includes(one.agent, uri))
    const wholes = resources.filter((one) => one.uri === '*').map(({ agent }) => agent)
    const names = await views.namesOf(options, 'resources', { agents: wholes })
    const templates = await views.namesOf(options, 'templates', { agents: wholes })
    const found = new Set(literal.map(({ agent }) => agent))
    for (const agent of wholes) {
      const fits =
        names.get(agent)?.includes(uri) || templates.get(agent)?.some((own) => own === uri || matchesTemplate(own, uri))
      if (fits === true) found.add(agent)
    }
    const [first, ...others] = found
    if (others.length > 0)
      throw views.ambiguousName(
        kind,
        uri,
        [...found].map((agent) => views.qualified(agent, uri)),
      )
    if (first === undefined) throw views.unknownUri(options.unknownUriCode, uri)
    return { agent: first, name: uri }
  }

  return {
    agents: (kind) => [...new Set((isUri(kind) ? resources : named(kind)).map(({ agent }) => agent))],
    list: options.list,
    show: (kind, lists) => (isUri(kind) ? showUris(kind, lists) : showNamed(kind, lists)),
    async find(kind, name) {
      const chosen = named(kind).find(({ as }) => as === name)
      if (chosen === undefined) throw views.unknownName(kind, name)
      return { agent: chosen.agent, name: chosen.name }
    },
    findUri,
  }
}
